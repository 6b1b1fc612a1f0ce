/**
 * A throw-away issuer for each configured one. In: its settings. Out: a JWK Set that the product's own reader takes, and
 * tokens that are really signed, by an algorithm and of a type that the operator allows, as long-lived as he lets them be.
 * The keys never leave this file.
 */
import { randomUUID } from 'node:crypto';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import type { SpiffeId } from '../model/ids.js';
import type { Algorithm, IssuerSettings } from '../model/settings.js';
import { isAccessTokenProfile } from '../origin/token-kind.js';
import { identityClaims } from './forge-identity.js';
import type { ScenarioToken } from './scenario.js';

export interface ForgedIssuer {
  readonly jwk: JWK;
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>;
}

/** What makes a key quickly comes first; RSA takes its time. */
const QUICKEST: readonly Algorithm[] = ['ES256', 'EdDSA', 'Ed25519', 'ES384', 'ES512'];

export async function createIssuer({ algorithms, types }: IssuerSettings, kid: string): Promise<ForgedIssuer> {
  const alg = QUICKEST.find((name) => algorithms.includes(name)) ?? algorithms[0] ?? 'ES256';
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  const header = { alg, kid, typ: types[0] ?? 'JWT' };
  return {
    jwk,
    sign: (claims) => new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header).sign(privateKey),
  };
}

/** Somebody who is not configured: everything about the token is right but who signed it. */
export const strangerAs = (issuer: string, like: IssuerSettings | undefined): IssuerSettings => ({
  issuer,
  keys: { kind: 'file', file: '' },
  audiences: like?.audiences ?? ['any'],
  algorithms: ['ES256'],
  types: like?.types ?? ['jwt'],
  from: like?.from ?? 'authorization',
  scopeClaims: like?.scopeClaims ?? ['scope'],
  grants: [],
  presenters: [],
  identity: null,
  domains: null,
  binding: 'none',
  pinBy: 'origin',
  pinScope: 'workload',
  onConflict: 'later',
  suspectAfter: null,
  maxLifetime: like?.maxLifetime ?? FRESH,
  clockSkew: 0,
  forward: true,
});

/** Who presents the token. */
export interface Presenter {
  readonly id: SpiffeId | undefined;
  /** SHA-256 of its certificate's DER. */
  readonly sha256: Buffer;
}

/** How long a token is still good where `maxLifetime` leaves room for it, ms. */
const FRESH = 300_000;

export function claimsOf(
  token: ScenarioToken,
  issuer: IssuerSettings,
  presenter: Presenter,
  now: number,
): Readonly<Record<string, unknown>> {
  const { scopes, bound = false, age = 0, claims = {} } = token;
  const [scopeClaim] = issuer.scopeClaims;
  const issuedAt = secondsAgo(age, now);
  const all: Record<string, unknown> = {
    iss: issuer.issuer,
    aud: issuer.audiences[0],
    jti: randomUUID(),
    iat: issuedAt,
    // An older token than the issuer may make has run out: that is what the check will say.
    exp: issuedAt + Math.floor(Math.min(issuer.maxLifetime, age + FRESH) / 1000),
    ...(scopeClaim === undefined || scopes.length === 0 ? {} : { [scopeClaim]: scopes.join(' ') }),
    ...(isAccessTokenProfile(issuer) ? { sub: 'somebody', client_id: 'throw-away' } : {}),
    ...identityClaims(issuer.identity, presenter.id),
    ...(bound ? { cnf: { 'x5t#S256': presenter.sha256.toString('base64url') } } : {}),
    ...claims,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

/** Whole seconds, never older than asked for (the check comes a moment later), never from the future. */
const secondsAgo = (age: number, now: number): number =>
  Math.min(Math.ceil((now - age) / 1000), Math.floor(now / 1000));
