/**
 * In: a signed token and the moment of the request. Out: the token as verified. Refuses tokens outside their time, then
 * tokens that the issuer made to live longer than the operator accepts. Does NOT know `age<=`: that is policy.
 */
import type { Instant } from '../model/instant.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import type { VerifiedToken } from '../model/token.js';
import type { SignedToken } from './token-claims.js';
import { durationText } from '../model/duration.js';

export function checkTokenTimes({ untimed, notBefore }: SignedToken, instant: Instant): Result<VerifiedToken> {
  const { issuer, expires, issuedAt } = untimed;
  const { clockSkew, maxLifetime } = issuer;
  if (instant.reached(expires + clockSkew, 'token.exp'))
    return refuse('token_expired', `"exp" is ${date(expires)}`, 'get a new token');
  if (notBefore !== undefined && !instant.reached(notBefore - clockSkew, 'token.nbf'))
    return refuse('token_not_yet_valid', `"nbf" is ${date(notBefore)}`, 'compare the clocks');
  if (!instant.reached(issuedAt - clockSkew, 'token.iat'))
    return refuse('token_not_yet_valid', `"iat" is ${date(issuedAt)}`, 'compare the clocks');
  if (expires - issuedAt > maxLifetime)
    return refuse(
      'token_lifetime_excess',
      `the token lives ${durationText(expires - issuedAt)}, at most ${durationText(maxLifetime)} are accepted`,
      `ask the issuer for a token that lives at most ${durationText(maxLifetime)}`,
    );
  return ok(untimed);
}

/** Dates and not distances: what is said must be as true of a cached answer. */
const date = (time: number): string => new Date(time).toISOString();
