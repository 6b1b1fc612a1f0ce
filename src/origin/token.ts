/**
 * In: a token whose form is right. Out: what its issuer signed, verified in everything that does not change with time,
 * so that the outcome may be kept for these exact bytes and these keys. Refuses in this order: issuer, type, algorithm,
 * keys, signature, audience, other claims. Does NOT check times (token-times.ts), nor who presents the token (binding.ts).
 * Header parameters that carry keys (jwk, jku, x5c, x5u) are never read (RFC 8725 §3.10).
 */
import type { Claims, TokenText } from '../model/evidence.js';
import { parseSpiffeId, trustDomainOf } from '../model/ids.js';
import type { FindKeys, VerificationKey } from '../model/ports.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';
import type { Algorithm, IssuerSettings } from '../model/settings.js';
import { hasAudience, readClaims } from './token-claims.js';
import type { SignedToken } from './token-claims.js';

export { checkTokenTimes } from './token-times.js';
export type { SignedToken } from './token-claims.js';

/** The first half of verification, with the keys already joined: what may be kept for the exact bytes of a token. */
export type VerifyTokenSignature = (
  token: TokenText,
  issuers: readonly IssuerSettings[],
) => Result<SignedToken> | Promise<Result<SignedToken>>;

/** A pure function of the token's bytes, the settings and the keys. A promise only where the key's `verify` gives one. */
export function verifyTokenSignature(
  token: TokenText,
  issuers: readonly IssuerSettings[],
  findKeys: FindKeys,
): Result<SignedToken> | Promise<Result<SignedToken>> {
  const issuer = issuerOf(token, issuers);
  if (!issuer.ok) return issuer;
  const algorithm = algorithmOf(token, issuer.value);
  if (!algorithm.ok) return algorithm;
  const key = keyOf(token, issuer.value, algorithm.value, findKeys);
  if (!key.ok) return key;
  const { kid } = key.value;
  const outcome = (right: boolean): Result<SignedToken> =>
    right ? readSigned(token, issuer.value, kid) : wrongSignature(kid);
  const right = isSignedWith(key.value, algorithm.value, token.text);
  return typeof right === 'boolean' ? outcome(right) : right.then(outcome);
}

const wrongSignature = (kid: string): Refusal =>
  refuse('token_signature', `the signature does not verify with the key ${excerpt(kid)}`);

function readSigned(token: TokenText, issuer: IssuerSettings, kid: string): Result<SignedToken> {
  if (hasAudience(token.claimed, issuer.audiences)) return readClaims(token, issuer, kid);
  return refuse(
    'token_audience',
    '"aud" names none of the accepted audiences',
    `ask the issuer for a token whose "aud" is ${listed(issuer.audiences)}`,
  );
}

/** The configured issuer decides what kind of token this is, never the token's own shape (RFC 8725 §3.12). */
function issuerOf(token: TokenText, issuers: readonly IssuerSettings[]): Result<IssuerSettings> {
  const { iss } = token.claimed;
  const named = issuers.filter((entry) => entry.from === token.place && speaksFor(entry, token.claimed));
  if (named.length === 0) {
    const claimed = typeof iss === 'string' ? excerpt(iss) : 'none';
    return refuse('token_issuer_unknown', `no issuer is configured for ${token.place} with this "iss": ${claimed}`);
  }
  const type = mediaType(token.header.typ);
  const entry = named.find(({ types }) => types.includes(type));
  if (entry !== undefined) return ok(entry);
  const accepted = listed([...new Set(named.flatMap(({ types }) => types))]);
  return refuse('token_type', `expected the type ${accepted}, got ${excerpt(type)}`, `the type must be ${accepted}`);
}

/**
 * Whether tokens with these claims are this entry's, were they signed. JWT-SVID §3.1, Workload API §6.3: the keys of a trust domain speak for its own workloads and for nobody else's, so an
 * SVID is chosen by the domain of its `sub`. It may leave out `iss`; one that it has must be the configured one.
 */
export function speaksFor({ issuer, keys }: IssuerSettings, { iss, sub }: Claims): boolean {
  if (keys.kind !== 'spiffe') return iss === issuer;
  const id = typeof sub === 'string' ? parseSpiffeId(sub) : undefined;
  return (iss === undefined || iss === issuer) && id !== undefined && trustDomainOf(id) === keys.domain;
}

/** RFC 7515 §4.1.9: a media type, compared without case, its `application/` left out or not. None counts as JWT. */
function mediaType(typ: string | undefined): string {
  const type = (typ ?? 'jwt').toLowerCase();
  return type.startsWith('application/') ? type.slice('application/'.length) : type;
}

/** RFC 8725 §3.1: an allowlist, and with case: a blocklist has once let `noNE` pass. */
function algorithmOf(token: TokenText, issuer: IssuerSettings): Result<Algorithm> {
  const algorithm = issuer.algorithms.find((name) => name === token.header.alg);
  if (algorithm !== undefined) return ok(algorithm);
  const accepted = listed(issuer.algorithms);
  return refuse(
    'token_algorithm',
    `expected ${accepted}, got ${excerpt(token.header.alg)}`,
    `the algorithm must be ${accepted}`,
  );
}

function keyOf(
  token: TokenText,
  issuer: IssuerSettings,
  algorithm: Algorithm,
  findKeys: FindKeys,
): Result<VerificationKey> {
  const keys = findKeys(issuer);
  if (keys === 'unavailable') return refuse('keys_unavailable', `no keys of ${issuer.issuer} are loaded`);
  const { kid } = token.header;
  if (kid === undefined) return refuse('token_key_unknown', 'the token has no "kid"', 'the token needs a "kid"');
  const key = keys.get(kid);
  if (key === undefined) return refuse('token_key_unknown', `the issuer has no key ${excerpt(kid)}`);
  if (!key.fits(algorithm)) return refuse('token_key_unknown', `the key ${excerpt(kid)} is not for ${algorithm}`);
  return ok(key);
}

/** What is signed is the text before the last dot, as received (RFC 7515 §5.2). */
function isSignedWith(key: VerificationKey, algorithm: Algorithm, text: string): boolean | Promise<boolean> {
  const dot = text.lastIndexOf('.');
  const input = Buffer.from(text.slice(0, dot), 'latin1');
  return key.verify(algorithm, input, Buffer.from(text.slice(dot + 1), 'base64url'));
}

/** A stranger's text in a record: bounded, and nothing that breaks a line. */
const excerpt = (text: string): string => JSON.stringify(text.slice(0, 80));

const listed = (words: readonly string[]): string => words.join(' or ');
