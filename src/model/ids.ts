/** Names of things, branded so that one cannot be passed for another. Nothing here touches the outside. */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** `spiffe://trust-domain/path`, checked against SPIFFE-ID §2: always with a path, never normalised. */
export type SpiffeId = Brand<string, 'SpiffeId'>;
/** The bare trust domain name, lower case (SPIFFE-ID §2.1). */
export type TrustDomain = Brand<string, 'TrustDomain'>;
/** SHA-256 as 64 lower-case hex digits. */
export type Sha256Hex = Brand<string, 'Sha256Hex'>;
/** SHA-256 (hex) of `iss` LF `jti`, or of the signing input where there is no `jti`: one name for every spelling of a token. */
export type TokenName = Brand<string, 'TokenName'>;

const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** SPIFFE-ID §2.3: longer IDs need not be accepted. Bytes; the alphabet is ASCII. */
const MAX_SPIFFE_ID = 2048;

/** A workload's SPIFFE ID, or undefined. An ID without a path names a trust domain, never a caller (X509-SVID §3.1). */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > MAX_SPIFFE_ID) return undefined;
  const match = SPIFFE_ID.exec(text);
  if (match === null) return undefined;
  return pathSegments(text as SpiffeId).some((segment) => segment === '.' || segment === '..')
    ? undefined
    : (text as SpiffeId);
}

export const parseTrustDomain = (text: string): TrustDomain | undefined =>
  TRUST_DOMAIN.test(text) ? (text as TrustDomain) : undefined;

export const parseSha256Hex = (text: string): Sha256Hex | undefined =>
  SHA256_HEX.test(text) ? (text as Sha256Hex) : undefined;

export function trustDomainOf(id: SpiffeId): TrustDomain {
  return id.slice('spiffe://'.length, id.indexOf('/', 'spiffe://'.length)) as TrustDomain;
}

/** The path of an ID as its segments: `spiffe://d/ns/a` → `['ns', 'a']`. */
export function pathSegments(id: SpiffeId): string[] {
  return id.slice(id.indexOf('/', 'spiffe://'.length) + 1).split('/');
}
