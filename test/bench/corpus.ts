/**
 * What is asked: 64 workloads × 16 tokens × 50 paths, chosen by Zipf's law, about one in ten an attack, each with the reason
 * that it must get; and requests that nobody has seen before, with a new token or a new certificate too. All bytes are
 * made in advance. The other half of the world, the guard's files, is written beside them.
 */
import { createHash, KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { callFrom, elementOf, GUARD } from '../helpers/check-request.js';
import { asSvid, makeCa, partsOf, signAnew } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { seeded } from '../helpers/random.js';
import type { Random } from '../helpers/random.js';
import { makeIssuer, TEST_ISSUER } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import type { FloodTemplate } from './flood-source.js';
import type { Prepared } from './prepared.js';

export interface Size {
  readonly workloads: number;
  readonly tokens: number;
  readonly paths: number;
  /** How many requests are drawn from all of them; each is sent many times. */
  readonly draws: number;
}

const ATTACKS = 0.1;
const ZIPF = 1;
const SEED = 2026;
const ROUTES = 10;
const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';

export interface Corpus {
  /** As they would come: one in ten is an attack. */
  readonly draws: readonly Prepared[];
  /** Those of them that are allowed. */
  readonly allows: readonly Prepared[];
  /** The first of these, for comparison with `denials`. */
  readonly someAllows: readonly Prepared[];
  /** One for each of `someAllows`, of the same caller for the same path as often, with a token that is refused each time anew. */
  readonly denials: readonly Prepared[];
  /** Requests of known workloads, each with a token that nobody has seen. */
  newTokens(count: number): Prepared[];
  /** New tokens without end. */
  flood(): FloodTemplate;
  /** The same callers in front of a real Envoy. */
  envoy(): EnvoyWorld;
  /** And with a certificate that nobody has seen. */
  newCertificates(count: number): Prepared[];
}

export async function makeCorpus(size: Size, folder: string): Promise<Corpus> {
  const [ca, rogue, issuer] = [await makeCa(), await makeCa({ name: 'Rogue CA' }), await makeIssuer()];
  writeFiles(folder, ca, issuer);
  const world: World = {
    size,
    issuer: signer(issuer),
    ca,
    random: seeded(SEED),
    gateway: await ca.issue({ id: GATEWAY }),
    stranger: await rogue.issue(),
    workloads: await Promise.all(
      Array.from({ length: size.workloads }, (_, n) => ca.issue({ id: `spiffe://prod.example/ns/shop/sa/w-${n}` })),
    ),
  };
  const template = await ca.issue({ serial: TEMPLATE_SERIAL });
  const guard = await ca.issue({ id: GUARD });
  const drawn = draw(world);
  const allows = drawn.filter(({ prepared }) => prepared.reason === 'allowed');
  const some = allows.slice(0, PAIRS);
  return {
    draws: drawn.map(({ prepared }) => prepared),
    allows: allows.map(({ prepared }) => prepared),
    someAllows: some.map(({ prepared }) => prepared),
    denials: denialsLike(some, world),
    flood: () => floodTemplate(world, issuer),
    envoy: () => envoyWorld(world, guard),
    newTokens: (count) =>
      Array.from({ length: count }, () => {
        const at = world.random.below(size.workloads);
        return right(world, at, world.issuer(of(world, at)), world.random.below(size.paths));
      }),
    newCertificates: (count) =>
      Array.from({ length: count }, () => {
        const svid = reissue(template, ca);
        return request(svid, world.issuer(claims(svid)), pathOf(world.random.below(size.paths)), 'allowed');
      }),
  };
}

interface World {
  readonly size: Size;
  readonly issuer: Sign;
  readonly ca: TestCa;
  readonly random: Random;
  readonly gateway: TestSvid;
  /** Of another authority under the same name. */
  readonly stranger: TestSvid;
  readonly workloads: readonly TestSvid[];
}

const item = <T>(items: readonly T[], at: number): T => {
  const found = items[at];
  if (found === undefined) throw new Error(`there is no item ${at}`);
  return found;
};
const of = ({ workloads }: World, at: number): object => claims(item(workloads, at));

/** Fifty paths of ten routes. */
const pathOf = (n: number): string => `/r${n % ROUTES}/orders/${1000 + n}?expand=items`;
const LINES = Array.from({ length: ROUTES }, (_, n) => `GET /r${n}/orders/{id} orders.r${n}.read\n`).join('');
/** Lines beside them that nobody asks for, alike enough that a lookup has to tell them apart. */
const OTHER_LINES = Array.from({ length: 990 }, (_, n) => `GET /r${n % ROUTES}/other-${n}/{id} orders.r0.read\n`).join(
  '',
);
const SCOPES = Array.from({ length: ROUTES }, (_, n) => `orders.r${n}.read`).join(' ');

function writeFiles(folder: string, ca: TestCa, issuer: TestIssuer): void {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('prod.pem', ca.certificate);
  write('idp.jwks.json', JSON.stringify(issuer.jwks));
  write('scopes', LINES);
  write('scopes-1000', LINES + OTHER_LINES);
}

export interface GuardOptions {
  readonly transport: 'lean' | 'grpc-js';
  /** audit.allowed */
  readonly allowed: 'all' | 'none';
  readonly lines: 10 | 1000;
}

/** The guard's configuration: one Unix socket, every default that is not about files. */
export const configFor = (name: string, { transport, allowed, lines }: GuardOptions): string =>
  stringify({
    workload: GUARD,
    listen: { check: [`unix:${name}.sock`], transport, admin: 'off', drainDelay: '0s' },
    trust: { 'prod.example': { bundle: 'prod.pem' } },
    origin: { forwarders: [{ id: GATEWAY, origins: ['spiffe://prod.example/**'] }] },
    tokens: [{ issuer: TEST_ISSUER, keys: 'idp.jwks.json', audiences: ['orders'], algorithms: ['ES256'] }],
    policy: { scopes: lines === 10 ? 'scopes' : 'scopes-1000' },
    audit: { to: `file:${name}.ndjson`, allowed },
    log: { level: 'info' },
  });

type Sign = (claims: object, header?: object) => string;

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Without jose: thousands of tokens in a moment. */
function signer({ privateKey, kid }: TestIssuer): Sign {
  return (given, header = {}) => {
    const input = `${base64url({ alg: 'ES256', kid, typ: 'JWT', ...header })}.${base64url(given)}`;
    const key = { key: privateKey as never, dsaEncoding: 'ieee-p1363' } as const;
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
  };
}

let tokens = 0;

function claims(owner: TestSvid): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: TEST_ISSUER,
    sub: owner.id,
    aud: 'orders',
    iat: now - 5,
    exp: now + 3000,
    jti: `jti-${(tokens += 1)}`,
    scope: SCOPES,
    cnf: { 'x5t#S256': Buffer.from(owner.sha256, 'hex').toString('base64url') },
  };
}

/** Every second workload calls through the gateway. */
function right(world: World, at: number, token: string, path: number): Prepared {
  const workload = item(world.workloads, at);
  if (at % 2 === 0) return request(workload, token, pathOf(path), 'allowed');
  return request(world.gateway, token, pathOf(path), 'allowed', [elementOf(GATEWAY, workload)]);
}

const REQUEST_ID = '00000000-0000-4000-8000-000000000000';
let requests = 0;

/** Fifteen headers with the pseudo headers. */
function request(
  peer: TestSvid,
  token: string,
  path: string,
  reason: string,
  behind: readonly string[] = [],
): Prepared {
  const n = (requests += 1);
  const bytes = callFrom({
    peer,
    path,
    behind,
    token: token === '' ? undefined : token,
    headers: [
      ['accept', 'application/json'],
      ['accept-encoding', 'gzip, br'],
      ['user-agent', 'shop-client/4.12.1 (linux; amd64)'],
      ['content-type', 'application/json'],
      ['content-length', '0'],
      ['x-request-id', REQUEST_ID],
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-for', `10.${n % 7}.${n % 250}.${n % 199}`],
      ['traceparent', `00-${createHash('md5').update(String(n)).digest('hex')}-00f067aa0ba902b7-01`],
      ['x-envoy-expected-rq-timeout-ms', '15000'],
    ],
  });
  return { bytes, idAt: bytes.indexOf(REQUEST_ID), reason };
}

type RefusedToken = (world: World, at: number) => { readonly text: string; readonly reason: string };

const REFUSED: readonly RefusedToken[] = [
  (world, at) => ({ text: world.issuer({ ...of(world, at), scope: 'orders.other' }), reason: 'scope_missing' }),
  (world, at) => ({ text: world.issuer({ ...of(world, at), aud: 'payments' }), reason: 'token_audience' }),
  (world, at) => ({ text: world.issuer(expired(of(world, at))), reason: 'token_expired' }),
  (world, at) => ({ text: world.issuer(of(world, (at + 1) % world.size.workloads)), reason: 'binding_mismatch' }),
];

function expired(given: object): object {
  const past = Math.floor(Date.now() / 1000) - 600;
  return { ...given, iat: past - 900, exp: past };
}

type Attack = (world: World, at: number, path: number) => Prepared;

const ATTACK: readonly Attack[] = [
  (world, at, path) => ({
    ...right(world, at, tampered(world.issuer(of(world, at))), path),
    reason: 'token_signature',
  }),
  ...REFUSED.map((make): Attack => (world, at, path) => {
    const { text, reason } = make(world, at);
    return { ...right(world, at, text, path), reason };
  }),
  (world, _at, path) => request(world.stranger, '', pathOf(path), 'peer_untrusted'),
  (world, at, path) => {
    // A workload that is no forwarder puts the token's owner before itself.
    const [thief, victim] = [item(world.workloads, at), item(world.workloads, (at + 1) % world.size.workloads)];
    const before = [elementOf(thief.id, victim)];
    return request(thief, world.issuer(claims(victim)), pathOf(path), 'binding_mismatch', before);
  },
  (world, at, path) => ({ ...right(world, at, '', path), reason: 'token_missing' }),
  (world, at, path) => {
    const [, payload] = world.issuer(of(world, at)).split('.');
    return { ...right(world, at, `${base64url({ alg: 'none', typ: 'JWT' })}.${payload}.`, path), reason: UNSIGNED };
  },
  (world, at) => request(item(world.workloads, at), world.issuer(of(world, at)), '/undeclared', 'route_undeclared'),
];

const UNSIGNED = 'token_algorithm';

export interface EnvoyWorld {
  /** Of Envoy and of the caller, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** HTTP/1.1, of one caller with all its tokens. */
  readonly requests: readonly string[];
}

function envoyWorld(world: World, guard: TestSvid): EnvoyWorld {
  const caller = item(world.workloads, 0);

  const tokens = Array.from({ length: world.size.tokens }, () => world.issuer(claims(caller)));
  return {
    files: { 'guard.pem': guard.pem, 'guard.key': guard.keyPem, 'caller.pem': caller.pem, 'caller.key': caller.keyPem },
    requests: Array.from({ length: 16 * tokens.length }, (_, n) =>
      [
        `GET ${pathOf(n % world.size.paths)} HTTP/1.1`,
        'host: orders.example',
        'accept: application/json',
        'user-agent: shop-client/4.12.1 (linux; amd64)',
        `authorization: Bearer ${item(tokens, n % tokens.length)}`,
        '\r\n',
      ].join('\r\n'),
    ),
  };
}

function floodTemplate(world: World, { privateKey, kid }: TestIssuer): FloodTemplate {
  const given: Record<string, unknown> = { ...of(world, 0), jti: '0'.repeat(16) };
  const token = world.issuer(given);
  const { bytes, idAt } = right(world, 0, token, 0);
  return {
    bytes: bytes.toString('base64'),
    idAt,
    tokenAt: bytes.indexOf(token),
    header: base64url({ alg: 'ES256', kid, typ: 'JWT' }),
    claims: given,
    key: KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

function tampered(token: string): string {
  const at = token.length - 20;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

/** Who is drawn, with which of its tokens, and what for. */
interface Drawn {
  readonly prepared: Prepared;
  readonly at: number;
  readonly token: number;
  readonly path: number;
}

/** Few enough that all of them are at hand beside everything else. */
const PAIRS = 1024;

/** The caller stands, and the token or the line says no, so that it is found when it comes again. Each token has a kind of its own. */
function denialsLike(allows: readonly Drawn[], world: World): Prepared[] {
  const known = new Map<string, { readonly text: string; readonly reason: string }>();
  return allows.map(({ at, token, path }) => {
    const name = `${at} ${token}`;
    const bad = known.get(name) ?? item(REFUSED, token % REFUSED.length)(world, at);
    known.set(name, bad);
    return { ...right(world, at, bad.text, path), reason: bad.reason };
  });
}

function draw(world: World): Drawn[] {
  const { random, size } = world;
  const texts = world.workloads.map((each) => Array.from({ length: size.tokens }, () => world.issuer(claims(each))));
  const next = zipf(size.workloads * size.tokens * size.paths, random);
  return Array.from({ length: size.draws }, (_, n) => {
    const rank = next();
    const at = rank % size.workloads;
    const path = Math.floor(rank / size.workloads / size.tokens) % size.paths;
    const token = Math.floor(rank / size.workloads) % size.tokens;
    const isAttack = random.next() < ATTACKS;
    const prepared = isAttack
      ? item(ATTACK, n % ATTACK.length)(world, at, path)
      : right(world, at, item(item(texts, at), token), path);
    return { prepared, at, token, path };
  });
}

/** The n-th most wanted of `count` is asked for with a probability in proportion to 1/n; who is wanted is shuffled. */
function zipf(count: number, random: Random): () => number {
  const order = Uint32Array.from({ length: count }, (_, n) => n);
  for (let n = count - 1; n > 0; n -= 1) {
    const other = random.below(n + 1);
    const [a, b] = [order[n] ?? 0, order[other] ?? 0];
    order[n] = b;
    order[other] = a;
  }
  const sums = new Float64Array(count);
  let sum = 0;
  for (let n = 0; n < count; n += 1) sums[n] = sum += 1 / (n + 1) ** ZIPF;
  return () => {
    const wanted = random.next() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return order[low] ?? 0;
  };
}

const TEMPLATE_SERIAL = '5eed5eed5eed5eed5eed';
let certificates = 0;

/** The template under another serial number, signed anew: much faster than making one from nothing. */
function reissue(template: TestSvid, ca: TestCa): TestSvid {
  const [tbs, algorithm] = partsOf(template.der);
  const bent = Buffer.from(tbs);
  bent.writeUIntBE((certificates += 1), bent.indexOf(Buffer.from(TEMPLATE_SERIAL, 'hex')) + 4, 6);
  return asSvid(template.id, signAnew(bent, algorithm, ca.key), template.key);
}
