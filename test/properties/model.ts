/**
 * The world of the model-based test: two engines that differ in nothing but their memory of decisions, and a stream of
 * requests, reloads, key and bundle changes, revocations and clock steps that both live through.
 */
import type { CheckDependencies } from '../../src/ask.js';
import { createCheck } from '../../src/check.js';
import type { Check } from '../../src/check.js';
import { createEngine } from '../../src/engine.js';
import { reasonOf, shadowReason } from '../../src/audit/record.js';
import type { Outcome } from '../../src/model/decision.js';
import type { HorizonPart } from '../../src/model/instant.js';
import type { Policy } from '../../src/model/policy.js';
import type { VerificationKey } from '../../src/model/ports.js';
import type { Settings } from '../../src/model/settings.js';
import type { Snapshot } from '../../src/model/snapshot.js';
import { compilePolicy } from '../../src/policy/compile.js';
import { createCertificates } from '../../src/state/certificates.js';
import { createDecisionCache } from '../../src/state/decision-cache.js';
import type { DecisionCache, KeyPart } from '../../src/state/decision-cache.js';
import { readJwks } from '../../src/state/jwks.js';
import { createPresented } from '../../src/state/pins.js';
import { createRevocations } from '../../src/state/revocations.js';
import type { Revocation, Revocations } from '../../src/state/revocations.js';
import { readRequest } from '../../src/wire/read-request.js';
import { callFrom, elementOf, GUARD } from '../helpers/check-request.js';
import type { CallFacts } from '../helpers/check-request.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import type { Random } from '../helpers/random.js';
import { settingsFrom } from '../helpers/settings.js';
import { makeIssuer } from '../helpers/tokens.js';
import { FROM_NOTHING } from './workings.js';
import type { Workings } from './workings.js';

export const START = Date.UTC(2026, 5, 1, 12);
const MINUTE = 60_000;
const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';

const CONFIG = `
listen: { check: unix:check.sock, admin: off }
trust:
  prod.example: { bundle: prod.pem, environment: prod }
origin:
  forwarders: [{ id: ${GATEWAY}, origins: [spiffe://prod.example/ns/shop/**, spiffe://prod.example/ns/edge/sa/thief] }]
tokens:
  - { issuer: https://idp.prod.example, keys: idp.jwks.json, audiences: [orders], grants: ["**"], identity: "{sub}", clockSkew: 5s, maxLifetime: 2h }
  - { issuer: https://other.prod.example, keys: other.jwks.json, audiences: [orders], grants: ["orders.*"], identity: null, binding: pin, types: [JWT], from: header:x-token }
policy:
  scopes: scopes
  ownersMay: [workload, shadow]
  guardrails: |
    GET /orders/secret/**  ops.admin
    * /refunds/**  token  age<=10m
cache: { entries: 5000, maxAge: 1h }
`;

const POLICIES = [
  `GET /orders/** orders.read
POST /orders orders.write from=ns/shop/sa/frontend
GET /catalog/** orders.read|public.read host=orders.example
GET /refunds/{id} orders.read age<=4m
GET /stats workload from=ns/shop/**
GET /live token upgrade`,
  `GET /orders/** orders.write
POST /orders orders.read
GET /catalog/** public.read
GET /refunds/{id} token
GET /stats token
GET /live token`,
];

/** Lines that fall apart differently than the enforced ones do, and look at tokens elsewhere. */
const CANDIDATES = [
  `GET /orders/1 orders.write
GET /orders/** workload
GET /catalog/** workload host=orders.example
GET /stats public.read
GET /live token upgrade`,
  `GET /orders/** orders.read
GET /stats token age<=3m
GET /live anyone`,
];

export interface World {
  readonly settings: Settings;
  /** The last one is the first one in the owner's shadow mode. */
  readonly policies: readonly Policy[];
  readonly candidates: readonly Policy[];
  readonly keys: ReadonlyMap<string, ReadonlyMap<string, VerificationKey>>;
  readonly rotatedKeys: ReadonlyMap<string, VerificationKey>;
  readonly roots: readonly TestCa[];
  readonly peers: readonly TestSvid[];
  readonly gateway: TestSvid;
  readonly tokens: readonly { readonly text: string; readonly header: 'authorization' | 'x-token' }[];
  readonly revocations: readonly Revocation[];
}

/** Everything signed once: a universe small enough that requests repeat, with ends of validity spread over 20 minutes. */
export async function makeWorld(): Promise<World> {
  const at = (minutes: number): Date => new Date(START + minutes * MINUTE);
  const root = await makeCa({ name: 'root', trustDomain: 'prod.example', notBefore: at(-60), notAfter: at(600) });
  const other = await makeCa({
    name: 'other root',
    trustDomain: 'prod.example',
    notBefore: at(-60),
    notAfter: at(600),
  });
  const short = await makeCa({ name: 'short root', trustDomain: 'prod.example', notBefore: at(2), notAfter: at(9) });
  const svid = (ca: TestCa, name: string, from = -30, to = 300): Promise<TestSvid> =>
    ca.issue({ id: `spiffe://prod.example/ns/${name}`, notBefore: at(from), notAfter: at(to) });
  const [frontend, rotated, late, brief, onShort, thief, gateway] = await Promise.all([
    svid(root, 'shop/sa/frontend'),
    svid(root, 'shop/sa/frontend', 1),
    svid(root, 'shop/sa/frontend', 6),
    svid(root, 'shop/sa/reporter', -30, 7),
    svid(short, 'shop/sa/batch'),
    svid(root, 'edge/sa/thief'),
    svid(root, 'edge/sa/gateway'),
  ]);
  const clock = { now: () => START };
  const idp = await makeIssuer({ issuer: 'https://idp.prod.example', ...clock });
  const next = await makeIssuer({ issuer: 'https://idp.prod.example', kid: 'key-2', ...clock });
  const second = await makeIssuer({ issuer: 'https://other.prod.example', ...clock });
  const seconds = (minutes: number): number => START / 1000 + minutes * 60;
  const all = 'orders.read orders.write public.read ops.admin';
  const bound = (to: TestSvid): object => ({
    cnf: { 'x5t#S256': Buffer.from(to.sha256, 'hex').toString('base64url') },
  });
  const sub = frontend.id;
  const texts = await Promise.all([
    idp.sign({ scope: all, sub, exp: seconds(60), ...bound(frontend) }),
    idp.sign({ scope: 'orders.read', sub, exp: seconds(60) }),
    idp.sign({ scope: all, sub, exp: seconds(8) }),
    idp.sign({ scope: all, sub, nbf: seconds(5), exp: seconds(60) }),
    idp.sign({ scope: all, sub, iat: seconds(4), exp: seconds(60) }),
    next.sign({ scope: all, sub, exp: seconds(60) }),
    idp.sign({ scope: all, sub: thief.id, exp: seconds(60), txn: 'txn-1' }),
  ]);
  const pinned = await Promise.all([
    second.sign({ scope: all, sub: 'user:alice', exp: seconds(50) }),
    second.sign({ scope: 'orders.read', sub: 'user:bob', exp: seconds(50) }),
  ]);
  const settings = settingsFrom(CONFIG);
  const read = async (...keys: (typeof idp)[]): Promise<ReadonlyMap<string, VerificationKey>> => {
    const jwks = await readJwks(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
    if (!jwks.ok) throw new Error(jwks.problem);
    return jwks.keys;
  };
  const revocation = (type: Revocation['type'], value: string, issuer?: string): Revocation => ({
    type,
    value,
    issuer,
    until: Infinity,
  });
  const compile = (kind: 'scopes' | 'annotations', text: string): Policy => {
    const compiled = compilePolicy({ kind, text }, { ...settings.policy, ownersMay: ['workload', 'anyone', 'shadow'] });
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
    return compiled.policy;
  };
  const inShadow = `firsthand.dev/mode="shadow"\nfirsthand.dev/scopes=${JSON.stringify(POLICIES[0])}`;
  return {
    settings,
    policies: [...POLICIES.map((text) => compile('scopes', text)), compile('annotations', inShadow)],
    candidates: CANDIDATES.map((text) => compile('scopes', text)),
    keys: new Map([
      ['https://idp.prod.example', await read(idp)],
      ['https://other.prod.example', await read(second)],
    ]),
    rotatedKeys: await read(next),
    roots: [root, short, other],
    peers: [frontend, frontend, frontend, rotated, late, brief, onShort, thief],
    gateway,
    tokens: [
      ...texts.map((text) => ({ text, header: 'authorization' as const })),
      ...pinned.map((text) => ({ text, header: 'x-token' as const })),
    ],
    revocations: [
      revocation('identity', thief.id),
      revocation('identity', gateway.id),
      revocation('certificate', rotated.sha256),
      revocation('subject', 'user:bob', 'https://other.prod.example'),
      revocation('txn', 'txn-1'),
      revocation('key', 'key-2', 'https://idp.prod.example'),
    ],
  };
}

/** What both engines share: the snapshot and the clock, changed between two checks. */
export interface Stage {
  now: number;
  snapshot: Snapshot;
}

export function openingStage(world: World): Stage {
  return {
    now: START,
    snapshot: snapshotOf(world, { policy: 0, candidate: undefined, roots: 2, rotated: false, version: 0 }),
  };
}

export interface SnapshotChoice {
  readonly policy: number | undefined;
  readonly candidate: number | undefined;
  /** How many of the world's roots are in the bundle. */
  readonly roots: number;
  readonly rotated: boolean;
  readonly version: number;
}

export function snapshotOf(world: World, { policy, candidate, roots, rotated, version }: SnapshotChoice): Snapshot {
  const anchors = world.roots.slice(0, roots).map(({ der }) => der);
  return {
    policy: policy === undefined ? undefined : world.policies[policy],
    candidate: candidate === undefined ? undefined : world.candidates[candidate],
    policyStale: false,
    findBundle: () => ({ anchors, intermediates: [] }),
    findKeys: ({ issuer }) =>
      (rotated && issuer === 'https://idp.prod.example' ? world.rotatedKeys : world.keys.get(issuer)) ?? 'unavailable',
    versions: {
      policy: `p${policy}-${version}`,
      candidate: `c${candidate}-${version}`,
      trust: `t${roots}-${version}`,
      keys: `k${rotated}-${version}`,
    },
  };
}

export interface Player {
  readonly check: Check;
  readonly revocations: Revocations;
  /** Of the product's engine only. */
  readonly parts?: CheckDependencies;
}

const fail = (fault: unknown): never => {
  throw fault instanceof Error ? fault : new Error(String(fault));
};

/** The product's engine, as app.ts builds it; a part of the key or of the expiry can be taken away. */
export const cachedPlayer = (
  world: World,
  stage: Stage,
  without: { keyParts?: readonly KeyPart[]; deaf?: HorizonPart } = {},
): Player =>
  createEngine({
    settings: world.settings,
    snapshot: () => stage.snapshot,
    now: () => stage.now,
    onFault: fail,
    without,
  });

const forgetful: DecisionCache = {
  find: () => undefined,
  store: () => undefined,
  clear: () => undefined,
  size: () => 0,
};

/** The same story without any memory of decisions, certificates or tokens; `workings` are asked for what bytes alone say. */
export function uncachedPlayer(world: World, stage: Stage, workings: Workings = FROM_NOTHING): Player {
  const revocations = createRevocations();
  const certificates = createCertificates(workings);
  let asked = 0;
  const check = createCheck({
    settings: world.settings,
    snapshot: () => stage.snapshot,
    // Bundles that never had this version before: what is known of others is not found.
    verifyCertificate: (snapshot) =>
      certificates.verify({ ...snapshot, versions: { ...snapshot.versions, trust: `question ${(asked += 1)}` } }),
    verifyTokenSignature: (snapshot) => (token, issuers) =>
      workings.verifyTokenSignature(token, issuers, snapshot.findKeys),
    ...createPresented(1000),
    isRevoked: revocations.isRevoked,
    cache: forgetful,
    now: () => stage.now,
    newId: () => 'uncached',
    onFault: fail,
  });
  return { check, revocations };
}

export { createDecisionCache };

const TARGETS = [
  ['GET', '/orders/1'],
  ['GET', '/orders/2'],
  ['GET', '/orders/secret/1'],
  ['POST', '/orders'],
  ['GET', '/orders'],
  ['GET', '/catalog/x'],
  ['GET', '/refunds/7'],
  ['GET', '/stats'],
  ['GET', '/live'],
  ['GET', '/nowhere'],
] as const;

type Call = CallFacts & { readonly principal?: string };

/** Mostly what honest callers send, again and again; sometimes one single thing is another's. */
export function randomRequest(world: World, random: Random): Buffer {
  const honest = honestCall(world, random);
  const request = random.next() < 0.75 ? honest : bent(honest, honestCall(world, random), world, random);
  return callFrom(request);
}

function honestCall(world: World, random: Random): Call {
  const origin = random.next() < 0.6 ? (world.peers[0] as TestSvid) : random.pick(world.peers);
  const token = random.next() < 0.85 ? world.tokens[random.next() < 0.5 ? 0 : 1] : random.pick(world.tokens);
  const [method, path] = random.next() < 0.5 ? (['GET', '/orders/1'] as const) : random.pick(TARGETS);
  const through = random.next() < 0.3;
  return {
    method,
    path,
    peer: through ? world.gateway : origin,
    behind: through ? [elementOf(GATEWAY, origin)] : [],
    headers: token?.header === 'x-token' ? [['x-token', token.text]] : [],
    token: token?.header === 'authorization' ? token.text : undefined,
  };
}

function bent(call: Call, other: Call, world: World, random: Random): Call {
  const thief = world.peers.at(-1) ?? call.peer;
  switch (random.below(8)) {
    case 0:
      // Another certificate under the first one's element.
      return {
        ...call,
        own: elementOf(GUARD, call.peer),
        peer: { ...call.peer, urlEncodedPem: other.peer.urlEncodedPem },
      };
    case 1:
      return { ...call, own: elementOf(GUARD, call.peer), peer: { ...call.peer, id: thief.id } };
    case 2:
      return { ...call, own: elementOf(GUARD, call.peer), destination: 'spiffe://prod.example/ns/shop/sa/payments' };
    case 3:
      return { ...call, behind: [elementOf(GATEWAY, thief), ...(call.behind ?? [])] };
    case 4:
      return { ...call, behind: [...(call.behind ?? []), elementOf(thief.id, world.gateway)] };
    case 5:
      return { ...call, host: 'evil.example' };
    case 6:
      return { ...call, headers: [...(call.headers ?? []), ['upgrade', 'websocket']] };
    default:
      return { ...call, token: other.token, headers: other.headers ?? [] };
  }
}

export const verdictOf = (outcome: Outcome): string =>
  JSON.stringify([
    outcome.verdict.kind,
    reasonOf(outcome),
    shadowReason(outcome),
    outcome.candidate,
    outcome.findings.route?.line?.number,
    outcome.findings.origin?.kind === 'workload' ? outcome.findings.origin.id : outcome.findings.origin?.kind,
    outcome.findings.peer?.id,
    outcome.findings.token?.name,
  ]);

export const readBytes = readRequest;
