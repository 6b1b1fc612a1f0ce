/** Outcomes as check.ts makes them, for tests of what is told about them. Every part can be replaced. */
import type { Findings, Outcome, Permit, Verdict } from '../../src/model/decision.js';
import { headersOf } from '../../src/model/attributes.js';
import type { Attributes } from '../../src/model/attributes.js';
import type { CertificateFacts, TokenText } from '../../src/model/evidence.js';
import { parseSha256Hex, parseSpiffeId } from '../../src/model/ids.js';
import type { Sha256Hex, SpiffeId, TokenName } from '../../src/model/ids.js';
import type { OutsideOrigin, VerifiedOrigin, VerifiedPeer, WorkloadOrigin } from '../../src/model/origin.js';
import type { Line, Route, ScopeRule } from '../../src/model/policy.js';
import type { AllowReason } from '../../src/model/reasons.js';
import { refuse } from '../../src/model/result.js';
import type { IssuerSettings } from '../../src/model/settings.js';
import type { VerifiedToken } from '../../src/model/token.js';

export const id = (text: string): SpiffeId => parseSpiffeId(text) ?? fail(text);
export const sha = (digit: string): Sha256Hex => parseSha256Hex(digit.repeat(64)) ?? fail(digit);
const fail = (text: string): never => {
  throw new Error(`not usable in a test: ${text}`);
};

export const FRONTEND = id('spiffe://prod.example/ns/shop/sa/frontend');
export const GATEWAY = id('spiffe://prod.example/ns/edge/sa/gateway');
export const ORDERS = id('spiffe://prod.example/ns/shop/sa/orders');

export const certificate = (of: SpiffeId, digit: string): CertificateFacts => ({
  id: of,
  der: new Uint8Array([1, 2, 3]),
  sha256: sha(digit),
  serial: '0a1b',
  issuer: 'CN=prod',
  notBefore: Date.UTC(2026, 0, 1),
  notAfter: Date.UTC(2026, 0, 2, 3, 4, 5),
});

export const line = (number: number, scopes: ScopeRule, path = '/orders/{id}'): Line => ({
  number,
  methods: { kind: 'named', names: ['GET'] },
  path: { text: path, segments: [], rest: false },
  scopes,
  conditions: {
    from: null,
    via: null,
    host: null,
    env: null,
    maxAge: null,
    data: null,
    bound: null,
    fresh: false,
    once: false,
    upgrade: false,
  },
});

export const route = (of: Line | undefined): Route => ({
  line: of,
  guardrails: [],
  data: 'internal',
  ambiguous: false,
});

export const peer = (of: SpiffeId, digit: string): VerifiedPeer => ({
  id: of,
  sha256: sha(digit),
  certificate: certificate(of, digit),
});

type OriginParts = Omit<
  Pick<VerifiedOrigin, 'peer' | 'forwarders' | 'chain' | 'ignoredHistory' | 'certificates'>,
  never
>;
/** The seal itself is tested where it is made; here only its contents matter. */
const origin = (parts: OriginParts & (WorkloadOrigin | OutsideOrigin)): VerifiedOrigin => parts as VerifiedOrigin;

export const throughGateway: VerifiedOrigin = origin({
  kind: 'workload',
  id: FRONTEND,
  sha256: sha('a'),
  certificate: certificate(FRONTEND, 'a'),
  peer: peer(GATEWAY, 'b'),
  forwarders: [GATEWAY],
  chain: [FRONTEND, GATEWAY, ORDERS],
  ignoredHistory: ['spiffe://prod.example/ns/x/sa/claims-to-be'],
  certificates: [],
});

export const outside: VerifiedOrigin = origin({
  kind: 'outside',
  behind: GATEWAY,
  peer: peer(GATEWAY, 'b'),
  forwarders: [GATEWAY],
  chain: [GATEWAY, ORDERS],
  ignoredHistory: [],
  certificates: [],
});

const ISSUER: IssuerSettings = {
  issuer: 'https://idp.prod.example',
  keys: { kind: 'file', file: 'idp.jwks.json' },
  audiences: ['orders'],
  algorithms: ['ES256'],
  types: ['jwt'],
  from: 'authorization',
  scopeClaims: ['scope'],
  grants: [],
  presenters: [],
  identity: null,
  domains: null,
  binding: 'strongest',
  pinBy: 'origin',
  pinScope: 'workload',
  onConflict: 'later',
  suspectAfter: null,
  maxLifetime: 1,
  clockSkew: 0,
  forward: true,
};

export const token: VerifiedToken = {
  name: sha('c') as string as TokenName,
  issuer: ISSUER,
  kid: 'k1',
  subject: 'user-1',
  jti: 'jti-1',
  txn: 'txn-1',
  issuedAt: 0,
  expires: 1,
  scopes: ['orders.read', 'profile'],
  warnAfter: undefined,
  actors: [],
  claims: { email: 'never-in-a-record@example.com' },
};

export const presented = (text: string, claimed: Record<string, unknown>): TokenText => ({
  text,
  header: { alg: 'ES256', typ: 'JWT', kid: 'k1' },
  claimed,
  name: sha('d') as string as TokenName,
  place: 'authorization',
});

export function outcome(verdict: Verdict, findings: Findings, more: Partial<Outcome> = {}): Outcome {
  return {
    verdict,
    findings,
    id: 'decision-1',
    time: Date.UTC(2026, 0, 1, 12, 0, 0, 7),
    cache: 'miss',
    policy: '0123456789ab',
    policyStale: false,
    owner: 'team-shop',
    guard: ORDERS,
    peerNotVerified: false,
    mode: 'enforce',
    candidate: undefined,
    ...more,
  };
}

export const allow = (of: Line, reason: AllowReason = 'allowed'): Verdict => ({
  kind: 'allow',
  permit: { reason, line: of } as Permit,
});

export const deny = (...refusal: Parameters<typeof refuse>): Verdict => ({
  kind: 'deny',
  refusal: refuse(...refusal),
});

export const attributes = (more: Partial<Attributes> = {}, headers: [string, string][] = []): Attributes => ({
  principal: GATEWAY,
  certificate: '',
  destinationPrincipal: ORDERS,
  method: 'GET',
  path: '/orders/1?page=2',
  host: 'orders.shop.svc:8080',
  headers: headersOf(headers),
  ...more,
});
