/**
 * Who acts on the subject's behalf (RFC 8693 §4.1). In: signed claims. Out: one text for each actor, the one that acts
 * now first. Refuses an `act` that is no object of the form that the RFC gives it. For the record alone: an actor grants
 * nothing, changes no origin and satisfies no binding. Does NOT ask whether an actor is anybody.
 */
import type { Claims } from '../model/evidence.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';

/** A loop, so that no depth of nesting is too deep; the size of a token bounds it. */
export function actorsIn(claims: Claims): Result<readonly string[]> {
  const actors: string[] = [];
  for (let at: unknown = claims['act']; at !== undefined;) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return malformed('"act" is no object');
    const { sub, iss, act }: { sub?: unknown; iss?: unknown; act?: unknown } = at;
    if (!isTextOrAbsent(sub) || !isTextOrAbsent(iss)) return malformed('"sub" or "iss" of an actor is no text');
    actors.push(`${sub ?? 'unnamed'}${iss === undefined ? '' : ` of ${iss}`}`);
    at = act;
  }
  return ok(actors);
}

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string';

const malformed = (detail: string): Refusal => refuse('token_malformed', detail, '"act" must be as in RFC 8693 §4.1');
