import type { Question } from '../../src/model/decision.js';
import { parseSha256Hex, parseSpiffeId } from '../../src/model/ids.js';
import type { SpiffeId, TokenName } from '../../src/model/ids.js';
import type { VerifiedOrigin } from '../../src/model/origin.js';
import { parseScopePattern } from '../../src/model/patterns.js';
import type { Policy, PolicyIssue } from '../../src/model/policy.js';
import type { DataLabel, IssuerSettings, OwnerRight } from '../../src/model/settings.js';
import type { Bound, Credential } from '../../src/model/token.js';
import { compilePolicy } from '../../src/policy/compile.js';

/** Verified facts for the tests of policy/, which trusts its caller that they are verified. */
export function must<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('a fixture is wrong');
  return value;
}

export const id = (path: string): SpiffeId =>
  must(parseSpiffeId(path.startsWith('spiffe://') ? path : `spiffe://prod.example/${path}`));

export const GUARD = id('ns/shop/sa/orders');
export const FRONTEND = id('ns/shop/sa/frontend');
export const GATEWAY = id('ns/edge/sa/gateway');
export const PARTNER = id('spiffe://partner.example/ns/web/sa/site');
export const NOW = Date.UTC(2026, 10, 1);
const HASH = must(parseSha256Hex('a'.repeat(64)));

export function workload(origin: SpiffeId = FRONTEND, forwarders: readonly SpiffeId[] = []): VerifiedOrigin {
  const peer = { id: forwarders.at(-1) ?? origin, sha256: HASH, certificate: undefined };
  const chain = [origin, ...forwarders, GUARD];
  const rest = { ignoredHistory: [], certificates: [], sha256: HASH, certificate: undefined };
  return { kind: 'workload', id: origin, peer, forwarders, chain, ...rest } as unknown as VerifiedOrigin;
}

export function outside(behind: SpiffeId = GATEWAY): VerifiedOrigin {
  const peer = { id: behind, sha256: HASH, certificate: undefined };
  const chain = [behind, GUARD];
  const rest = { ignoredHistory: [], certificates: [] };
  return { kind: 'outside', behind, peer, forwarders: [behind], chain, ...rest } as unknown as VerifiedOrigin;
}

const ISSUER: IssuerSettings = {
  issuer: 'https://idp.prod.example',
  keys: { kind: 'file', file: '/idp.jwks.json' },
  audiences: ['orders'],
  algorithms: ['ES256'],
  types: ['jwt'],
  from: 'authorization',
  scopeClaims: ['scope'],
  grants: [must(parseScopePattern('**'))],
  presenters: [],
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
};

export interface TokenFacts {
  readonly scopes?: readonly string[];
  /** ms before NOW */
  readonly age?: number;
  readonly method?: Bound['method'];
}

export function credential({ scopes = [], age = 0, method = 'exact' }: TokenFacts = {}): Credential {
  const name = 'b'.repeat(64) as TokenName;
  const ids = { name, issuer: ISSUER, kid: 'k1', subject: 'alice', jti: '1', txn: undefined };
  const token = {
    ...ids,
    issuedAt: NOW - age,
    expires: NOW + 600_000,
    scopes,
    warnAfter: undefined,
    actors: [],
    claims: {},
  };
  return { token, bound: { method, pin: undefined } };
}

export interface PolicyFacts {
  readonly guardrails?: string;
  readonly ownersMay?: readonly OwnerRight[];
  readonly data?: DataLabel;
}

export function compiled(
  text: string,
  { guardrails = '', ownersMay = ['workload', 'anyone'], data }: PolicyFacts = {},
): Policy {
  const labels = data === undefined ? '' : `firsthand.dev/data="${data}"\n`;
  const annotations = `${labels}firsthand.dev/scopes=${JSON.stringify(text)}`;
  const result = compilePolicy({ kind: 'annotations', text: annotations }, { guardrails, ownersMay });
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.policy;
}

export function issuesOf(
  text: string,
  { guardrails = '', ownersMay = ['workload', 'anyone'] }: PolicyFacts = {},
): readonly PolicyIssue[] {
  const result = compilePolicy({ kind: 'scopes', text }, { guardrails, ownersMay });
  return result.ok ? [] : result.issues;
}

export const questionOf = (policy: Policy, facts: Partial<Question> = {}, path = '/x', method = 'GET'): Question => ({
  route: policy.route(
    method,
    path.split('/').filter((segment) => segment !== ''),
  ),
  origin: workload(),
  credential: credential(),
  host: 'orders.example',
  upgrade: false,
  guard: GUARD,
  ...facts,
});
