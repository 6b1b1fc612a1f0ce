/**
 * What a guard holds against a token before it knows its issuer. In: a token as read. Out: every fault, with the rule.
 * Claims and times are judged by the readers of the request path, one at a time so that none hides another.
 */
import type { TokenText } from '../model/evidence.js';
import { parseSpiffeId } from '../model/ids.js';
import { instantAt } from '../model/instant.js';
import { confirmationOf } from '../origin/confirmation.js';
import { readClaims } from '../origin/token-claims.js';
import { checkTokenTimes } from '../origin/token-times.js';
import { defaultIssuer } from './default-issuer.js';
import { fault } from './inspection.js';
import type { Fault } from './inspection.js';
import { spanText } from '../model/duration.js';

export function headerFaults({ header }: TokenText): Fault[] {
  const issuer = defaultIssuer();
  const faults: Fault[] = [];
  const { alg, typ, kid } = header;
  if (/^none$/i.test(alg)) faults.push(fault('nobody signed it: its "alg" is none', 'RFC 8725 §3.2'));
  else if (/^hs\d+$/i.test(alg))
    faults.push(fault(`its "alg" is ${alg}: whoever can verify it could have made it`, 'RFC 8725 §3.2'));
  else if (!issuer.algorithms.some((known) => known === alg))
    faults.push(fault(`its "alg" ${alg} is not accepted by default (tokens[].algorithms)`, 'RFC 8725 §3.1'));
  if (kid === undefined) faults.push(fault('it has no "kid": no key can be chosen for it', 'RFC 7515 §4.1.4'));
  if (!issuer.types.includes(mediaType(typ)))
    faults.push(fault(`its "typ" ${typ ?? ''} is not accepted by default (tokens[].types)`, 'RFC 8725 §3.11'));
  return faults;
}

/** RFC 7515 §4.1.9: compared without case, `application/` left out or not; none counts as JWT. */
const mediaType = (typ: string | undefined): string => (typ ?? 'jwt').toLowerCase().replace(/^application\//, '');

/** Well-formed stand-ins for the claims that are not the question. */
const FIT = { exp: 2, iat: 1 } as const;
const TIMED = ['sub', 'jti', 'txn', 'exp', 'iat', 'nbf', 'scope', 'scp', 'act'] as const;

export function claimFaults(token: TokenText): Fault[] {
  const { claimed } = token;
  const faults: Fault[] = [];
  const isSvid = typeof claimed['sub'] === 'string' && parseSpiffeId(claimed['sub']) !== undefined;
  if (claimed['iss'] === '' || (claimed['iss'] === undefined && !isSvid))
    faults.push(fault('it has no "iss": no issuer can be found for it', 'RFC 8725 §3.8, RFC 9068 §2.2'));
  if (!isAudience(claimed['aud']))
    faults.push(fault('it has no "aud", or one that is no text or list of texts', 'RFC 8725 §3.9, RFC 7519 §4.1.3'));
  for (const name of TIMED) {
    const alone: Record<string, unknown> = { ...FIT };
    if (Object.hasOwn(claimed, name)) alone[name] = claimed[name];
    else if (name === 'exp' || name === 'iat') delete alone[name];
    const read = readClaims({ ...token, claimed: alone }, defaultIssuer(), '');
    if (!read.ok) faults.push(fault(read.detail, 'RFC 7519 §4.1'));
  }
  const confirmation = confirmationOf(claimed);
  if (!confirmation.ok) faults.push(fault(confirmation.detail, 'RFC 7800 §3.1, RFC 8705 §3.1'));
  return faults;
}

const isAudience = (aud: unknown): boolean =>
  (typeof aud === 'string' && aud !== '') ||
  (Array.isArray(aud) && aud.length > 0 && aud.every((item) => typeof item === 'string'));

export function timeFaults(token: TokenText, now: number): Fault[] {
  const { exp, iat, nbf } = token.claimed;
  const times = { exp, iat, ...(nbf === undefined ? {} : { nbf }) };
  const signed = readClaims({ ...token, claimed: times }, defaultIssuer(), '');
  if (!signed.ok) return [];
  const { issuedAt, expires } = signed.value.untimed;
  const faults: Fault[] = [];
  const today = checkTokenTimes(signed.value, instantAt(now));
  if (!today.ok && today.reason === 'token_expired')
    faults.push(fault(`it expired ${spanText(now - expires)} ago`, 'RFC 7519 §4.1.4'));
  if (!today.ok && today.reason === 'token_not_yet_valid')
    faults.push(fault(`it is not valid yet: ${today.detail}`, 'RFC 7519 §4.1.5'));
  if (expires <= issuedAt) faults.push(fault('it expires before it was issued', 'RFC 7519 §4.1.4'));
  // Asked at its beginning, so that only its length is left to refuse.
  const begin = Math.max(issuedAt, signed.value.notBefore ?? issuedAt);
  const fresh = checkTokenTimes(signed.value, instantAt(begin));
  if (!fresh.ok && fresh.reason === 'token_lifetime_excess')
    faults.push(
      fault(
        `it lives ${spanText(expires - issuedAt)}, by default at most ${spanText(defaultIssuer().maxLifetime)} (tokens[].maxLifetime)`,
        'the guard; RFC 9068 §6 asks for short lives',
      ),
    );
  return faults;
}
