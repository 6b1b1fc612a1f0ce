/**
 * A fake issuer that really signs, and the ways in which a stranger bends what it signed. jose signs here, node:crypto
 * verifies in the product: what both agree on is a JWS.
 */
import { CompactSign, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { createHmac } from 'node:crypto';
import { ANY_ID } from '../../src/model/patterns.js';
import type { ScopePattern } from '../../src/model/patterns.js';
import type { Algorithm, IssuerSettings } from '../../src/model/settings.js';

export interface TestIssuer {
  readonly issuer: string;
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
  readonly jwks: { readonly keys: readonly JWK[] };
  /** Claims over the defaults iss, aud, iat, exp (+5 min), jti; undefined takes one away. Header parameters likewise. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** The payload's bytes as they are: duplicate members, no JSON, no UTF-8. */
  signBytes(payload: string | Uint8Array, header?: Record<string, unknown>): Promise<string>;
}

export interface IssuerOptions {
  readonly issuer?: string;
  readonly algorithm?: Algorithm;
  readonly kid?: string;
  /** Default of `aud`. */
  readonly audience?: string;
  /** What iat and exp count from, ms. */
  readonly now?: () => number;
}

export const TEST_ISSUER = 'https://idp.prod.example';

export async function makeIssuer(options: IssuerOptions = {}): Promise<TestIssuer> {
  const { issuer = TEST_ISSUER, algorithm = 'ES256', kid = 'key-1', audience = 'orders', now = Date.now } = options;
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  let tokens = 0;

  const signBytes: TestIssuer['signBytes'] = (payload, header = {}) => {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    return new CompactSign(bytes).setProtectedHeader({ alg: algorithm, kid, typ: 'JWT', ...header }).sign(privateKey);
  };
  const sign: TestIssuer['sign'] = (claims = {}, header = {}) => {
    const iat = Math.floor(now() / 1000);
    tokens += 1;
    const defaults = { iss: issuer, aud: audience, iat, exp: iat + 300, jti: `jti-${tokens}` };
    return signBytes(JSON.stringify({ ...defaults, ...claims }), header);
  };
  return { issuer, kid, algorithm, privateKey, publicKey, jwk, jwks: { keys: [jwk] }, sign, signBytes };
}

/** The settings of an issuer with the defaults of the configuration. */
export function issuerSettings(overrides: Partial<IssuerSettings> = {}): IssuerSettings {
  return {
    issuer: TEST_ISSUER,
    keys: { kind: 'file', file: 'idp.jwks.json' },
    audiences: ['orders'],
    algorithms: ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA'],
    types: ['at+jwt', 'jwt'],
    from: 'authorization',
    scopeClaims: ['scope', 'scp'],
    grants: ['**' as ScopePattern],
    presenters: [ANY_ID],
    identity: null,
    domains: null,
    binding: 'strongest',
    pinBy: 'origin',
    pinScope: 'workload',
    onConflict: 'later',
    suspectAfter: null,
    maxLifetime: 3_600_000,
    clockSkew: 30_000,
    forward: true,
    ...overrides,
  };
}

export const base64url = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');

const partsOf = (token: string): [header: string, payload: string, signature: string] => {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return [header, payload, signature];
};

export const headerOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(partsOf(token)[0], 'base64url').toString()) as Record<string, unknown>;

/** The same payload under another header; the signature is no longer right for it. */
export function withHeader(token: string, changes: Record<string, unknown>): string {
  const [, payload, signature] = partsOf(token);
  return `${base64url(JSON.stringify({ ...headerOf(token), ...changes }))}.${payload}.${signature}`;
}

export function withPayload(token: string, payload: string | Uint8Array): string {
  const [header, , signature] = partsOf(token);
  return `${header}.${base64url(payload)}.${signature}`;
}

export function withSignature(token: string, signature: string | Uint8Array): string {
  const [header, payload] = partsOf(token);
  return `${header}.${payload}.${typeof signature === 'string' ? signature : base64url(signature)}`;
}

/** RFC 8725 §2.1: no signature at all; `spelling` because a blocklist once let `noNE` pass. */
export const unsigned = (token: string, spelling = 'none'): string =>
  withSignature(withHeader(token, { alg: spelling }), '');

/** RFC 8725 §2.1: an HMAC whose secret is the public key in each form that a library may have at hand. */
export async function signedWithPublicKey({ publicKey, jwk }: TestIssuer, token: string): Promise<string[]> {
  const pem = await exportSPKI(publicKey);
  const body = pem.replace(/-----[^-]+-----|\s/g, '');
  const secrets = [pem, pem.trim(), Buffer.from(body, 'base64'), JSON.stringify(jwk)];
  return secrets.map((secret) => {
    const bent = withHeader(token, { alg: 'HS256' });
    const input = bent.slice(0, bent.lastIndexOf('.'));
    return withSignature(bent, createHmac('sha256', secret).update(input).digest());
  });
}

const ORDER = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
} as const;

/** (r, n - s) verifies wherever (r, s) does. */
export function twin(token: string, algorithm: keyof typeof ORDER = 'ES256'): string {
  const signature = Buffer.from(partsOf(token)[2], 'base64url');
  const half = signature.length / 2;
  const s = BigInt(`0x${signature.subarray(half).toString('hex')}`);
  const other = (ORDER[algorithm] - s).toString(16).padStart(half * 2, '0');
  return withSignature(token, Buffer.concat([signature.subarray(0, half), Buffer.from(other, 'hex')]));
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Another last character that lenient decoders turn into the same bytes. */
export function nonCanonical(token: string): string {
  const last = ALPHABET[ALPHABET.indexOf(token.slice(-1)) ^ 1] ?? '';
  const bent = token.slice(0, -1) + last;
  const decoded = [token, bent].map((text) => Buffer.from(partsOf(text)[2], 'base64url').toString('hex'));
  if (decoded[0] !== decoded[1]) throw new Error('this signature has no spare bits');
  return bent;
}
