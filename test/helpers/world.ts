/**
 * The cast of the case tests: two trust domains that really sign, an impostor of the first, an issuer and a second one;
 * and the configuration that they share, of which a case changes what it is about.
 */
import type { RequestFacts } from './check-request.js';
import { callFrom, elementOf, GUARD } from './check-request.js';
import type { CallFacts } from './check-request.js';
import { startGuard } from './guard.js';
import type { ConfigTree, Guard, Serve } from './guard.js';
import { makeCa } from './pki.js';
import type { SvidOptions, TestCa, TestSvid } from './pki.js';
import { makeIssuer } from './tokens.js';
import type { TestIssuer } from './tokens.js';

export const id = (name: string, domain = 'prod.example'): string => `spiffe://${domain}/ns/${name}`;

export const GATEWAY = id('edge/sa/gateway');
export const INNER = id('edge/sa/inner');
export const NARROW = id('edge/sa/narrow');
export const SECOND_ISSUER = 'https://second.prod.example';

export interface World {
  readonly root: TestCa;
  readonly partner: TestCa;
  /** Of the same name as `root`, with a key of its own. */
  readonly rogue: TestCa;
  readonly frontend: TestSvid;
  readonly batch: TestSvid;
  readonly thief: TestSvid;
  readonly reporter: TestSvid;
  readonly gateway: TestSvid;
  readonly inner: TestSvid;
  readonly narrow: TestSvid;
  readonly idp: TestIssuer;
  readonly second: TestIssuer;
  /** The files that CONFIG names, but for the scope lines. */
  readonly files: Readonly<Record<string, string>>;
  svid(name: string, options?: SvidOptions): Promise<TestSvid>;
  /** From `idp`, with all scopes that the lines of CONFIG ask for. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export const SCOPES = 'orders.read orders.write catalog.read';

export async function makeWorld(): Promise<World> {
  const [root, partner, rogue] = await Promise.all([
    makeCa(),
    makeCa({ name: 'Partner Root CA', trustDomain: 'partner.example' }),
    makeCa(),
  ]);
  const svid: World['svid'] = (name, options) => root.issue({ id: id(name), ...options });
  const [frontend, batch, thief, gateway, inner, narrow, reporter] = await Promise.all([
    svid('shop/sa/frontend'),
    svid('shop/sa/batch'),
    svid('shop/sa/thief'),
    svid('edge/sa/gateway'),
    svid('edge/sa/inner'),
    svid('edge/sa/narrow'),
    partner.issue({ id: id('reports/sa/reporter', 'partner.example') }),
  ]);
  const [idp, second] = await Promise.all([makeIssuer(), makeIssuer({ issuer: SECOND_ISSUER, kid: 'second-1' })]);
  return {
    ...{ root, partner, rogue, frontend, batch, thief, gateway, inner, narrow, reporter, idp, second, svid },
    files: {
      'prod.pem': root.certificate,
      'partner.pem': partner.certificate,
      'idp.json': JSON.stringify(idp.jwks),
      'second.json': JSON.stringify(second.jwks),
    },
    token: (claims, header) => idp.sign({ sub: 'user:alice', scope: SCOPES, ...claims }, header),
  };
}

export const LINES = `
GET   /orders/{id}     orders.read
POST  /orders          orders.write
GET   /stats           workload
GET   /healthz         anyone
GET   /catalog/**      catalog.read  data=public
GET   /public          orders.read   from=outside@ns/edge/sa/gateway,ns/**
GRPC  shop.v1.Cart/Add orders.write
`;

export const ISSUER = { issuer: 'https://idp.prod.example', keys: 'idp.json', audiences: ['orders'] } as const;

export const FORWARDERS = [
  { id: GATEWAY, origins: ['spiffe://prod.example/**'] },
  { id: INNER, origins: ['spiffe://prod.example/**'], behind: [GATEWAY] },
  { id: NARROW, origins: ['spiffe://prod.example/ns/shop/sa/batch'] },
] as const;

export const CONFIG = {
  trust: {
    'prod.example': { bundle: 'prod.pem', environment: 'prod' },
    'partner.example': {
      bundle: 'partner.pem',
      environment: 'partner',
      ceiling: { scopes: ['catalog.*'], data: 'public' },
    },
  },
  origin: { forwarders: FORWARDERS },
  tokens: [ISSUER],
  policy: { scopes: 'scopes', ownersMay: ['workload', 'anyone'] },
  revocation: { file: 'revoked.ndjson' },
} as const satisfies ConfigTree;

/** The real clock, with a hand on it. */
export interface MovableClock {
  now(): number;
  /** ms; negative steps back. */
  advance(ms: number): void;
}

export function movableClock(): MovableClock {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    advance: (ms) => void (ahead += ms),
  };
}

export interface CaseOptions {
  /** Sections that take the place of those of CONFIG. */
  readonly config?: ConfigTree;
  readonly lines?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly now?: () => number;
  readonly serve?: Serve;
}

export function guardOf(
  { files }: World,
  { config = {}, lines = LINES, serve, ...rest }: CaseOptions = {},
): Promise<Guard> {
  const options = {
    config: { ...CONFIG, ...config },
    files: { ...files, scopes: lines, ...rest.files },
    ...(rest.now === undefined ? {} : { now: rest.now }),
  };
  return startGuard(options, serve);
}

export interface ChainFacts extends Pick<CallFacts, 'token' | 'headers' | 'method' | 'path' | 'host'> {
  readonly encoding?: NonNullable<RequestFacts['encoding']>;
  /** The origin first, the peer last. */
  readonly hops: readonly TestSvid[];
  /** What the element about the first hop holds besides By, Hash and URI. */
  readonly about?: string;
}

/** A call that came through proxies, each of which wrote its element about the one before. */
export function callThrough({ hops, about = '', path = '/orders/1', ...facts }: ChainFacts): Buffer {
  const peer = hops.at(-1);
  if (peer === undefined) throw new Error('a chain has at least a peer');
  const behind = hops.slice(0, -1).map((hop, index) => {
    const by = hops[index + 1]?.id ?? GUARD;
    return elementOf(by, hop, index === 0 ? about : '');
  });
  return callFrom({ peer, behind, path, ...facts });
}

export const thumbprint = ({ sha256 }: Pick<TestSvid, 'sha256'>): string =>
  Buffer.from(sha256, 'hex').toString('base64url');

/** The claim that binds a token to a certificate (RFC 8705 §3.1). */
export const boundTo = (svid: Pick<TestSvid, 'sha256'>): Record<string, unknown> => ({
  cnf: { 'x5t#S256': thumbprint(svid) },
});
