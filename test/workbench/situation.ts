/**
 * A situation in which a request is decided: configuration, scope lines, files, listener, caller, token. It is plain data,
 * so that a proposed change can be applied to it and the engine asked again. Certificates and tokens are really signed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { loadConfig, loadConfigText } from '../../src/config/load.js';
import { checkGuardrails, createEngine, createMemory, readersFor } from '../../src/engine.js';
import type { EngineOptions } from '../../src/engine.js';
import type { Attributes } from '../../src/model/attributes.js';
import type { Outcome } from '../../src/model/decision.js';
import { trustDomainOf } from '../../src/model/ids.js';
import type { SpiffeId } from '../../src/model/ids.js';
import type { Revocation } from '../../src/state/revocations.js';
import { openSources } from '../../src/state/sources.js';
import { readRequest } from '../../src/wire/read-request.js';
import type { Change } from '../../src/workbench/change.js';
import { decideWith } from '../../src/workbench/open.js';
import { storyContext } from '../../src/workbench/story-context.js';
import type { StoryContext } from '../../src/workbench/story-context.js';
import { storyOf } from '../../src/workbench/story.js';
import type { Story } from '../../src/workbench/story.js';
import { wholeStory } from '../../src/workbench/whole-story.js';
import { certField, checkRequest, GUARD } from '../helpers/check-request.js';
import { makeCa } from '../helpers/pki.js';
import type { SvidOptions, TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

export const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
export const BACKEND = 'spiffe://prod.example/ns/shop/sa/backend';
export const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';
export const WAF = 'spiffe://prod.example/ns/edge/sa/waf';
export const PARTNER = 'spiffe://partner.example/ns/shop/sa/reporter';
export const IDP = 'https://idp.prod.example';
export const OTHER_IDP = 'https://other.prod.example';
const MINUTE = 60_000;

export const CONFIG = `
workload: ${GUARD}
listen: { check: [unix:check.sock], admin: off }
trust:
  prod.example: { bundle: prod.example.pem, environment: prod }
  partner.example: { bundle: partner.example.pem, ceiling: { scopes: [catalog.*], data: public } }
origin:
  xfcc: append-forward
  forwarders:
    - { id: ${GATEWAY}, origins: [spiffe://prod.example/ns/shop/**] }
tokens:
  - { issuer: ${IDP}, keys: idp.json, audiences: [orders], grants: ["**"] }
  - { issuer: ${OTHER_IDP}, keys: other.json, audiences: [orders], grants: ["orders.*"], from: header:x-token }
policy:
  scopes: scopes
cache: { pins: 1000 }
`;

export interface TokenPlan {
  readonly issuer: string;
  readonly from: string;
  readonly scopes: readonly string[];
  readonly audience: string;
  readonly type: string;
  /** The algorithm that the issuer has a key for. */
  readonly algorithm: string;
  readonly lifetime: number;
  readonly bound: boolean;
  /** With `bound`: the only forwarders that may carry it. */
  readonly carriers?: readonly string[];
  readonly workload?: string;
  /** What a fresh token does not have any more. */
  readonly age?: number;
  readonly kid?: string;
  readonly claims?: Record<string, unknown>;
  readonly signer?: 'stranger';
  readonly bend?: (text: string) => string;
  /** The very same token in several calls. */
  readonly same?: string;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** null: without a certificate. */
  readonly as: string | null | 'outside';
  /** From the origin's side to the guard's. */
  readonly via: readonly string[];
  readonly leaf?: SvidOptions;
  readonly authority?: 'rogue';
  readonly token?: TokenPlan;
  readonly headers: readonly (readonly [string, string])[];
  /** What the listeners write; each `false` is a fault that an Envoy setting ends. */
  readonly listener: {
    readonly certificate: boolean;
    readonly own: boolean;
    readonly ownUri: boolean;
    readonly farUri: boolean;
    readonly originCert: boolean;
    /** The certificate in the own element, as `origin.peer: xfcc` needs it. */
    readonly ownCert: boolean;
  };
  readonly forwarded?: (elements: string[]) => string[];
  readonly principal?: string;
}

export interface Situation {
  readonly config: string;
  readonly policy: string;
  readonly call: Call;
  readonly before?: readonly Call[];
  /** Files that are not there, or hold nonsense. */
  readonly broken?: readonly ('policy' | 'bundle' | 'keys')[];
  /** `svid`: the certificate that FRONTEND has before anything is changed. */
  readonly revoked?: (svid: TestSvid) => Revocation[];
  readonly deadline?: number;
  readonly without?: EngineOptions['without'];
}

export const token: TokenPlan = {
  issuer: IDP,
  from: 'authorization',
  scopes: ['orders.read'],
  audience: 'orders',
  type: 'JWT',
  algorithm: 'ES256',
  lifetime: 5 * MINUTE,
  bound: false,
};

export const call: Call = {
  method: 'GET',
  path: '/orders/1',
  host: 'orders.example',
  as: FRONTEND,
  via: [],
  token,
  headers: [],
  listener: { certificate: true, own: true, ownUri: true, farUri: true, originCert: false, ownCert: false },
};

export const situation: Situation = { config: CONFIG, policy: 'GET /orders/{id} orders.read\n', call };

export interface World {
  readonly now: number;
  readonly authorities: ReadonlyMap<string, TestCa>;
  readonly rogue: TestCa;
  readonly issuers: ReadonlyMap<string, TestIssuer>;
  readonly stranger: TestIssuer;
}

export async function makeWorld(): Promise<World> {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const issuers = [IDP, OTHER_IDP].flatMap((issuer) =>
    (['ES256', 'ES384'] as const).map(async (algorithm) => {
      const made = await makeIssuer({ issuer, algorithm, kid: `key-${algorithm}` });
      return [`${issuer} ${algorithm}`, made] as const;
    }),
  );
  const domains = ['prod.example', 'partner.example', 'stranger.example'];
  return {
    now,
    authorities: new Map(
      await Promise.all(domains.map(async (domain) => [domain, await makeCa({ trustDomain: domain })] as const)),
    ),
    rogue: await makeCa({ trustDomain: 'prod.example' }),
    issuers: new Map(await Promise.all(issuers)),
    stranger: await makeIssuer({ issuer: IDP, kid: 'key-ES256' }),
  };
}

export interface Judged {
  readonly outcome: Outcome;
  readonly attributes: Attributes | undefined;
  readonly context: StoryContext;
  readonly story: Story;
}

export async function judge(world: World, scene: Situation): Promise<Judged> {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-'));
  try {
    writeFiles(folder, world, scene);
    return await judgeIn(folder, world, scene);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeFiles(folder: string, world: World, { config, policy, broken = [] }: Situation): void {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('firsthand.yaml', config);
  write('scopes', broken.includes('policy') ? 'GET\n' : policy);
  for (const [domain, ca] of world.authorities) if (!broken.includes('bundle')) write(`${domain}.pem`, ca.certificate);
  if (broken.includes('keys')) return;
  const jwks = (issuer: string): string =>
    JSON.stringify({ keys: [...world.issuers].flatMap(([name, { jwk }]) => (name.startsWith(issuer) ? [jwk] : [])) });
  write('idp.json', jwks(IDP));
  write('other.json', jwks(OTHER_IDP));
}

async function judgeIn(folder: string, world: World, scene: Situation): Promise<Judged> {
  const loaded = loadConfig(join(folder, 'firsthand.yaml'), {}, checkGuardrails);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const { settings } = loaded;
  const sources = await openSources(settings, readersFor(settings), world.now, () => undefined);
  const memory = createMemory(settings);
  const now = (): number => world.now;
  const { snapshot } = sources;
  const { without } = scene;
  const engine = createEngine({
    settings,
    memory,
    snapshot,
    now,
    onFault: () => undefined,
    ...(without && { without }),
  });
  const kept = new Map<string, Promise<string>>();
  for (const earlier of scene.before ?? [])
    await engine.check(readRequest(await bytesOf(world, earlier, kept)), undefined);
  const bytes = await bytesOf(world, scene.call, kept);
  const request = readRequest(bytes);
  const attributes = request.ok ? request.value : undefined;
  for (const revocation of scene.revoked?.(await svidOf(world, {}, FRONTEND)) ?? [])
    memory.revocations.revoke(revocation);
  const outcome = await engine.check(request, scene.deadline === undefined ? undefined : world.now + scene.deadline);
  const context = await storyContext({ settings, sources }, world.now);
  const story = storyOf(outcome, attributes, context);
  const read = (text: string): typeof settings | undefined => {
    const changed = loadConfigText(text, join(folder, 'firsthand.yaml'), {}, checkGuardrails);
    return changed.ok ? changed.settings : undefined;
  };
  const config = { text: scene.config, read };
  const bench = { config, decide: decideWith(memory.revocations, now), sources };
  return { outcome, attributes, context, story: await wholeStory(story, outcome, attributes, context, bench) };
}

const svids = new Map<string, Promise<TestSvid>>();

/** The same certificate for the same wish, as long as a world lives. */
function svidOf(
  world: World,
  { leaf = {}, authority }: Pick<Call, 'leaf' | 'authority'>,
  id: string,
): Promise<TestSvid> {
  const key = JSON.stringify([world.now, id, leaf, authority]);
  const domain = trustDomainOf(id as SpiffeId);
  const ca = authority === 'rogue' ? world.rogue : (world.authorities.get(domain) as TestCa);
  const made = svids.get(key) ?? ca.issue({ id, ...leaf });
  svids.set(key, made);
  return made;
}

async function bytesOf(world: World, asked: Call, kept: Map<string, Promise<string>>): Promise<Buffer> {
  const { method, path, host, as, via, listener, headers } = asked;
  const origin = as === null || as === 'outside' ? undefined : await svidOf(world, asked, as);
  const proxies = await Promise.all(via.map((id) => svidOf(world, {}, id)));
  const callers = origin === undefined ? proxies : [origin, ...proxies];
  const peer = callers.at(-1);
  const elements = callers.map((caller, index) => {
    const by = callers[index + 1]?.id ?? GUARD;
    const own = index === callers.length - 1;
    const uri = (own ? listener.ownUri : listener.farUri) ? `URI=${caller.id}` : 'URI=';
    const isSent = own ? listener.ownCert : listener.originCert && index === 0;
    const cert = isSent ? certField(caller) : '';
    return `By=${by};Hash=${caller.sha256};${cert}${uri}`;
  });
  const written = listener.own ? elements : elements.slice(0, -1);
  const forwarded = asked.forwarded?.(written) ?? written;
  const credential = asked.token && (await tokenLine(world, asked.token, origin, kept));
  return checkRequest({
    method,
    path,
    host,
    principal: asked.principal ?? peer?.id ?? '',
    certificate: listener.certificate ? (peer?.urlEncodedPem ?? '') : '',
    headers: [
      ...(forwarded.length === 0 ? [] : [['x-forwarded-client-cert', forwarded.join(',')] as const]),
      ...(credential === undefined ? [] : [credential]),
      ...headers,
    ],
  });
}

async function tokenLine(
  world: World,
  plan: TokenPlan,
  origin: TestSvid | undefined,
  kept: Map<string, Promise<string>>,
): Promise<readonly [string, string]> {
  const text = plan.same === undefined ? sign(world, plan, origin) : (kept.get(plan.same) ?? sign(world, plan, origin));
  if (plan.same !== undefined) kept.set(plan.same, text);
  const bent = plan.bend?.(await text) ?? (await text);
  return [plan.from, plan.from === 'authorization' ? `Bearer ${bent}` : bent];
}

function sign(world: World, plan: TokenPlan, origin: TestSvid | undefined): Promise<string> {
  const known = world.issuers.get(`${plan.issuer} ${plan.algorithm}`);
  const signer =
    plan.signer === 'stranger' ? world.stranger : (known ?? (world.issuers.get(`${IDP} ES256`) as TestIssuer));
  const iat = Math.floor((world.now - (plan.age ?? 0)) / 1000);
  const carriers = plan.carriers === undefined ? {} : { 'proxy-principals#spiffe': plan.carriers };
  const digest = origin && Buffer.from(origin.sha256, 'hex').toString('base64url');
  return signer.sign(
    {
      iss: plan.issuer,
      aud: plan.audience,
      iat,
      exp: iat + plan.lifetime / 1000,
      scope: plan.scopes.join(' '),
      ...(plan.workload === undefined ? {} : { sub: plan.workload }),
      ...(plan.bound ? { cnf: { 'x5t#S256': digest, ...carriers } } : {}),
      ...plan.claims,
    },
    { typ: plan.type, ...(plan.kid === undefined ? {} : { kid: plan.kid }) },
  );
}

/** The situation after a proposed change, taken at its word. */
export function applied(change: Change, scene: Situation): Situation {
  const { call: asked, policy, config } = scene;
  switch (change.kind) {
    case 'line': {
      const lines = policy.split('\n');
      lines[change.number - 1] = change.text;
      return { ...scene, policy: lines.join('\n') };
    }
    case 'add line':
      return { ...scene, policy: `${policy}${change.text}\n` };
    case 'token': {
      const { age, kid, claims, signer, bend, same, ...kept } = asked.token ?? { ...token, scopes: [] };
      void [age, kid, claims, signer, bend, same];
      return { ...scene, call: { ...asked, token: { ...kept, ...change.token } } };
    }
    case 'caller':
      return { ...scene, call: withCaller(change, asked) };
    case 'request':
      return { ...scene, call: withRequest(change, asked) };
    case 'envoy':
      return { ...scene, call: { ...asked, listener: withSetting(change, asked) } };
    case 'config': {
      const document = parseDocument(config);
      document.setIn(change.path, change.value);
      return { ...scene, config: document.toString() };
    }
    case 'file':
      return { ...scene, broken: (scene.broken ?? []).filter((what) => what !== change.holds) };
    case 'several':
      return change.changes.reduce((now, each) => applied(each, now), scene);
  }
}

function withCaller({ caller }: Extract<Change, { kind: 'caller' }>, asked: Call): Call {
  const { leaf, authority, ...kept } = asked;
  const via = caller.via ?? asked.via;
  if (caller.certificate === undefined) return { ...kept, ...(leaf && { leaf }), ...(authority && { authority }), via };
  const end = caller.lifetime;
  const short: SvidOptions =
    end === undefined
      ? { serial: '7f01' }
      : { notBefore: new Date(Date.now() - MINUTE), notAfter: new Date(Date.now() - MINUTE + end) };
  return { ...kept, as: asked.as ?? FRONTEND, via, leaf: short };
}

function withRequest({ request }: Extract<Change, { kind: 'request' }>, asked: Call): Call {
  const { method, path, host, without = [], once } = request;
  const headers = asked.headers.filter(([name]) => !without.includes(name) && name !== once);
  const first = once === 'host' ? asked.host.split(',')[0] : undefined;
  const { token: plan, ...kept } = asked;
  return {
    ...kept,
    ...(plan === undefined || without.includes(plan.from) ? {} : { token: plan }),
    headers,
    method: method ?? asked.method,
    path: path ?? asked.path,
    host: host ?? first ?? asked.host,
  };
}

function withSetting({ at, setting }: Extract<Change, { kind: 'envoy' }>, { listener }: Call): Call['listener'] {
  switch (`${at === 'guard' ? 'guard' : 'forwarder'} ${setting}`) {
    case 'guard include_peer_certificate':
      return { ...listener, certificate: true };
    case 'guard forward_client_cert_details':
      return { ...listener, own: true };
    case 'guard set_current_client_cert_details.cert':
      return { ...listener, ownCert: true };
    case 'guard set_current_client_cert_details.uri':
      return { ...listener, ownUri: true };
    case 'forwarder set_current_client_cert_details.uri':
      return { ...listener, farUri: true };
    case 'forwarder set_current_client_cert_details.cert':
      return { ...listener, originCert: true };
    default:
      throw new Error(`no such setting: ${setting}`);
  }
}
