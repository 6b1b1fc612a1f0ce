import type { Question } from '../model/decision.js';
import type { Instant } from '../model/instant.js';
import type { Line } from '../model/policy.js';
import { refuse } from '../model/result.js';
import { looksAtOrigin, looksAtToken } from './demand.js';
import { nameOf } from './missing.js';
import type { EnvironmentOf, Missing } from './missing.js';
import { unmetEnvironment, unmetFrom, unmetHost, unmetOutside, unmetVia } from './unmet-origin.js';
import { unmetAge, unmetBound, unmetScopes } from './unmet-token.js';

/**
 * What a request lacks of one line; the same for the owner's line and for guardrails. In: the line and the facts. Out:
 * the first thing that is missing, or undefined. What a line needs and nobody verified is missing. It does NOT ask
 * ceilings, revocations or `once`, and it trusts its caller that origin and credential are verified.
 */
export interface Facts {
  readonly question: Omit<Question, 'route'>;
  /** The token's scopes, cut to the ceilings. */
  readonly held: readonly string[];
  readonly environmentOf: EnvironmentOf;
  readonly instant: Instant;
}

export function unmet(line: Line, { question, held, environmentOf, instant }: Facts): Missing {
  const { origin, credential, guard, host } = question;
  if (!looksAtOrigin(line)) return unmetHost(line, host);
  if (origin === undefined) return refuse('origin_unresolved', `${nameOf(line)} needs an origin, none was verified`);
  const token = looksAtToken(line) ? (credential ?? 'missing') : 'not asked';
  return (
    unmetOutside(line, origin, guard) ??
    (token === 'missing' ? refuse('token_missing', `${nameOf(line)} needs a token, none was verified`) : undefined) ??
    unmetScopes(line, held) ??
    unmetFrom(line, origin, guard) ??
    unmetVia(line, origin, guard) ??
    unmetHost(line, host) ??
    unmetEnvironment(line, origin, environmentOf) ??
    (typeof token === 'string' ? undefined : (unmetAge(line, token, instant) ?? unmetBound(line, token, origin)))
  );
}
