/**
 * What the caller of a denied request gets to see. In: the reason, and how much of it may be shown. Out: headers and body
 * for a deny answer. `none` shows the public title and nothing else; `reason` the code and the id too; `hint` also the
 * hint. The id is always in x-firsthand-decision, so that a caller can ask its operator. Does NOT decide what may be
 * shown, and does NOT look at the request.
 */
import { httpStatus, title } from '../model/reasons.js';
import type { DenyReason } from '../model/reasons.js';
import type { HeaderPair } from './write-response.js';

export interface DenialFacts {
  readonly reason: DenyReason;
  /** The decision's id; undefined only where no decision came about. */
  readonly id: string | undefined;
  readonly hint: string | undefined;
  /** `denials.detail`, with `auto` already resolved for this caller. */
  readonly detail: 'none' | 'reason' | 'hint';
  /** The request's content type is application/grpc or one of its kin. */
  readonly grpc: boolean;
  /** What the matched line demands; told with `scope_missing` where reasons are shown. */
  readonly scopesRequired?: readonly string[];
}

export interface Denial {
  readonly headers: readonly HeaderPair[];
  readonly body: string;
}

export function denial(facts: DenialFacts): Denial {
  const challenge = challengeOf(facts);
  const headers: HeaderPair[] = [
    ['content-type', facts.grpc ? 'text/plain' : 'application/problem+json'],
    ['cache-control', 'no-store'],
  ];
  if (facts.id !== undefined) headers.push(['x-firsthand-decision', facts.id]);
  if (challenge !== undefined) headers.push(['www-authenticate', challenge]);
  return { headers, body: facts.grpc ? line(facts) : problem(facts) };
}

interface Shown {
  readonly reason?: DenyReason;
  readonly id?: string;
  readonly hint?: string;
}

function shown({ reason, id, hint, detail }: DenialFacts): Shown {
  switch (detail) {
    case 'none':
      return {};
    case 'reason':
      return { reason, ...(id !== undefined && { id }) };
    case 'hint':
      return { reason, ...(id !== undefined && { id }), ...(hint !== undefined && { hint }) };
  }
}

/** RFC 9457. Without `type` a problem is of type about:blank. */
const problem = (facts: DenialFacts): string =>
  JSON.stringify({ title: title(facts.reason), status: httpStatus(facts.reason), ...shown(facts) });

/** Envoy makes it the grpc-message. */
function line(facts: DenialFacts): string {
  const { reason, id, hint } = shown(facts);
  const parts = [title(facts.reason), reason, id, hint].filter((part) => part !== undefined);
  return parts.join('; ').replace(/\p{Cc}+/gu, ' ');
}

/** RFC 6750 §3. A caller whose certificate is at fault is told nothing about tokens. */
function challengeOf(facts: DenialFacts): string | undefined {
  if (facts.reason === 'scope_missing' && facts.detail !== 'none') return insufficientScope(facts.scopesRequired ?? []);
  if (httpStatus(facts.reason) !== 401) return undefined;
  if (facts.reason === 'token_missing' || facts.reason.startsWith('peer_')) return 'Bearer';
  return 'Bearer error="invalid_token"';
}

/** RFC 6749 §3.3: no quote and no backslash, so nothing needs escaping; what does not match is left out. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

function insufficientScope(required: readonly string[]): string {
  const scopes = required.filter((scope) => SCOPE_TOKEN.test(scope));
  const error = 'Bearer error="insufficient_scope"';
  return scopes.length === 0 ? error : `${error}, scope="${scopes.join(' ')}"`;
}
