/**
 * In: a token whose signature is verified. Out: its claims in our own words: times in milliseconds, scopes as a list
 * that is cut to what the issuer may give. Refuses claims that are missing or of another type than RFC 7519 §4.1 gives
 * them, and what its kind demands beside (token-kind.ts). Does NOT compare any time with now (token-times.ts).
 */
import type { Claims, TokenText } from '../model/evidence.js';
import { matchesScope } from '../model/patterns.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';
import type { IssuerSettings } from '../model/settings.js';
import type { VerifiedToken } from '../model/token.js';
import { actorsIn } from './actors.js';
import { milliseconds } from './numeric-date.js';
import { unmetKind, warnAfterOf } from './token-kind.js';

/** What an issuer signed, whenever that was. Not a VerifiedToken, and not assignable to one: its times are unchecked. */
export interface SignedToken {
  /** True only once `checkTokenTimes` has said so. */
  readonly untimed: VerifiedToken;
  /** ms since 1970 */
  readonly notBefore: number | undefined;
}

/** RFC 6749 §3.3. What has other characters can not be demanded by any line, so it is left out. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** RFC 7519 §4.1.3: one text or a list of texts; at least one must be ours, compared exactly. */
export function hasAudience(claims: Claims, accepted: readonly string[]): boolean {
  const { aud } = claims;
  const named = typeof aud === 'string' ? [aud] : aud;
  return isTexts(named) && named.some((audience) => accepted.includes(audience));
}

export function readClaims(token: TokenText, issuer: IssuerSettings, kid: string): Result<SignedToken> {
  const { name, claimed: claims } = token;
  const { sub, jti, txn } = claims;
  if (!isTextOrAbsent(sub)) return malformed('sub', 'a text');
  if (!isTextOrAbsent(jti)) return malformed('jti', 'a text');
  if (!isTextOrAbsent(txn)) return malformed('txn', 'a text');
  const times = timesOf(claims);
  if (!times.ok) return times;
  const scopes = scopesOf(claims, issuer);
  if (!scopes.ok) return scopes;
  const unmet = unmetKind(claims, issuer);
  if (unmet !== undefined) return unmet;
  const warnAfter = warnAfterOf(claims, issuer);
  if (!warnAfter.ok) return warnAfter;
  const actors = actorsIn(claims);
  if (!actors.ok) return actors;
  const { notBefore, ...lifetime } = times.value;
  const values = { subject: sub, jti, txn, ...lifetime, scopes: scopes.value, claims: lasting(claims, issuer) };
  const untimed = { name, issuer, kid, ...values, warnAfter: warnAfter.value, actors: actors.value };
  return ok({ untimed, notBefore });
}

interface Times {
  readonly issuedAt: number;
  readonly expires: number;
  readonly notBefore: number | undefined;
}

function timesOf({ exp, iat, nbf }: Claims): Result<Times> {
  const expires = milliseconds(exp);
  if (expires === undefined) return malformed('exp', 'a number of seconds');
  const issuedAt = milliseconds(iat);
  if (issuedAt === undefined) return malformed('iat', 'a number of seconds');
  const notBefore = milliseconds(nbf);
  if (nbf !== undefined && notBefore === undefined) return malformed('nbf', 'a number of seconds');
  return ok({ issuedAt, expires, notBefore });
}

/** Claims that are looked at after this: `cnf`, whom the token names; audience and scopes for people. The others may be long. */
function lasting(claimed: Claims, { identity, scopeClaims }: IssuerSettings): Claims {
  // Not made without a prototype: such an object would be a table, of several times the size.
  const kept = Object.setPrototypeOf({}, null) as Record<string, unknown>;
  for (const name of ['aud', 'cnf', ...scopeClaims, ...identityClaims(identity)])
    if (Object.hasOwn(claimed, name)) kept[name] = claimed[name];
  return kept;
}

function identityClaims(identity: IssuerSettings['identity']): readonly string[] {
  if (identity === null) return [];
  if (identity.kind === 'kubernetes') return ['sub', 'kubernetes.io'];
  return identity.parts.flatMap((part) => ('claim' in part ? [part.claim] : []));
}

/** The first of the scope claims that is there counts, also when it is empty. No claim at all: no scopes. */
function scopesOf(claims: Claims, issuer: IssuerSettings): Result<readonly string[]> {
  const name = issuer.scopeClaims.find((candidate) => Object.hasOwn(claims, candidate));
  if (name === undefined) return ok([]);
  const value = claims[name];
  const words = typeof value === 'string' ? value.split(' ') : value;
  if (!isTexts(words)) return malformed(name, 'a text or a list of texts');
  const granted = words.filter((word) => SCOPE.test(word) && issuer.grants.some((grant) => matchesScope(grant, word)));
  return ok([...new Set(granted)]);
}

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string';

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function malformed(claim: string, expected: string): Refusal {
  return refuse('token_malformed', `"${claim}" is missing or not ${expected}`, `"${claim}" must be ${expected}`);
}
