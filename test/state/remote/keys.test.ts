/** Keys from https sources, against a real server with a real certificate: each outcome beside the nearest good one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readersFor } from '../../../src/engine.js';
import type { HttpsFrom, OidcFrom } from '../../../src/model/from.js';
import type { Keys } from '../../../src/state/jwks.js';
import { PACE } from '../../../src/state/remote/freshness.js';
import { LIMITS } from '../../../src/state/remote/https.js';
import type { Lookup } from '../../../src/state/remote/https.js';
import { createRemotes } from '../../../src/state/remote/remotes.js';
import type { Conditions } from '../../../src/state/remote/remotes.js';
import type { Source } from '../../../src/state/source.js';
import { serve, startHttpsSource } from '../../helpers/https-source.js';
import type { HttpsSource, Respond } from '../../helpers/https-source.js';
import { makeCa } from '../../helpers/pki.js';
import { until as untilWithin } from '../../cli/until.js';
import { makeIssuer } from '../../helpers/tokens.js';
import type { TestIssuer } from '../../helpers/tokens.js';

const HOUR = 3_600_000;
const { keys: parse } = readersFor({ policy: { guardrails: '', ownersMay: [] } } as never);

let folder: string;
let server: HttpsSource;
let issuer: TestIssuer;
let good: string;
const open: Source<unknown>[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firsthand-remote-'));
  issuer = await makeIssuer();
  good = JSON.stringify(issuer.jwks);
  server = await startHttpsSource(serve(good));
  writeFileSync(join(folder, 'ca.pem'), server.ca.certificate);
});
afterEach(() => open.splice(0).forEach((source) => source.close?.()));
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const from = (changes: Partial<HttpsFrom> = {}): HttpsFrom => ({
  kind: 'https',
  url: `${server.origin}/keys`,
  ca: join(folder, 'ca.pem'),
  allow: [],
  maxStale: HOUR,
  ...changes,
});

/** No chance, so that times can be told; a timeout that a test can wait for. */
const QUICK: Partial<Conditions> = { chance: () => 0, limits: { ...LIMITS, whole: 400, idle: 250 } };

function sourceOf(where: HttpsFrom | OidcFrom = from(), changes: Partial<Conditions> = {}): Source<Keys> {
  const source = createRemotes({ ...QUICK, ...changes }).keys(where, parse);
  open.push(source);
  return source;
}

/** One attempt, from its beginning until it is taken in. */
async function attempt(source: Source<unknown>, now: number, force = true): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    const off = source.onChange?.(() => {
      off?.();
      resolve();
    });
  });
  await source.poll(now, force);
  await ended;
  await source.poll(now);
}

const until = (condition: () => boolean): Promise<void> => untilWithin(condition, 5000);

const kidsAt = (source: Source<Keys>, now: number): string[] | undefined => {
  const keys = source.current(now);
  return keys && [...keys.keys()];
};

describe('a source that answers', () => {
  it('brings its keys, and is asked again when its answer says so', async () => {
    server.respond(serve(good, { 'cache-control': 'max-age=60' }));
    const source = sourceOf();
    expect(source.current(0)).toBeUndefined();
    expect(source.problem()).toBe('it has not answered yet');
    await attempt(source, 0);
    expect(kidsAt(source, 0)).toEqual(['key-1']);
    expect(source.problem()).toBeUndefined();
    const before = server.asked.length;
    await source.poll(59_000);
    expect(server.asked.length).toBe(before);
    await attempt(source, 60_000, false);
    expect(server.asked.length).toBe(before + 1);
  });

  it('is told what we have, and 304 keeps the very same keys and makes them young', async () => {
    server.respond(serve(good, { etag: '"1"' }));
    const source = sourceOf();
    await attempt(source, 0);
    const keys = source.current(0);
    await attempt(source, 1000);
    expect(server.asked.at(-1)?.headers['if-none-match']).toBe('"1"');
    expect(source.current(1000)).toBe(keys);
    expect(source.loadedAt()).toBe(1000);
    server.respond(serve('{"keys":[]}', { etag: '"2"' }));
    await attempt(source, 2000);
    expect(kidsAt(source, 2000)).toEqual([]);
  });

  it('keeps the very same keys where the same document comes again, so that no decision is forgotten', async () => {
    server.respond(serve(good));
    const source = sourceOf();
    await attempt(source, 0);
    const keys = source.current(0);
    await attempt(source, 1000);
    expect(source.current(1000)).toBe(keys);
    expect(source.loadedAt()).toBe(1000);
    server.respond(serve('{'));
    await attempt(source, 2000);
    server.respond(serve(good));
    await attempt(source, 3000);
    expect([source.problem(), kidsAt(source, 3000)]).toEqual([undefined, ['key-1']]);
  });

  it('takes a removed key away, and an added one in', async () => {
    const next = await makeIssuer({ kid: 'key-2' });
    const source = sourceOf();
    for (const [set, kids] of [
      [[issuer.jwk], ['key-1']],
      [
        [issuer.jwk, next.jwk],
        ['key-1', 'key-2'],
      ],
      [[next.jwk], ['key-2']],
    ] as const) {
      server.respond(serve(JSON.stringify({ keys: set })));
      await attempt(source, 0);
      expect(kidsAt(source, 0)).toEqual(kids);
    }
  });

  it('takes an empty set for what it says: nothing is trusted any more', async () => {
    server.respond(serve('{"keys":[]}'));
    const source = sourceOf();
    await attempt(source, 0);
    expect(kidsAt(source, 0)).toEqual([]);
    expect(source.problem()).toBeUndefined();
  });

  it('may redirect within its origin, three times', async () => {
    server.respond((request, response) => {
      const step = Number(request.url?.slice('/keys'.length) || '0');
      if (step < 3) response.writeHead(302, { location: `/keys${step + 1}` }).end();
      else serve(good)(request, response);
    });
    const source = sourceOf();
    await attempt(source, 0);
    expect(kidsAt(source, 0)).toEqual(['key-1']);
  });
});

const redirect =
  (location: string): Respond =>
  (_, response) =>
    void response.writeHead(302, { location }).end();

/** Writes until the client hangs up. */
const endless: Respond = (_, response) => {
  response.writeHead(200);
  const piece = Buffer.alloc(64 * 1024, ' ');
  const write = (): void => {
    while (!response.destroyed && response.write(piece));
    if (!response.destroyed) response.once('drain', write);
  };
  write();
};

const weak = (jwk: JWK): string => JSON.stringify({ keys: [jwk] });

describe('a source that answers badly keeps the last good keys, and says why', () => {
  const cases: readonly (readonly [string, () => Respond | Promise<Respond>, RegExp])[] = [
    ['500', () => (_, response) => void response.writeHead(500).end(), /status 500/],
    ['404 with keys', () => (_, response) => void response.writeHead(404).end(good), /status 404/],
    ['304 that nobody asked for', () => (_, response) => void response.writeHead(304).end(), /status 304/],
    ['a redirect to another origin', () => redirect('https://other.example/keys'), /another origin, https:\/\/other/],
    ['a redirect to another port', () => redirect('https://localhost:1/keys'), /another origin/],
    ['a redirect to http', () => redirect(`http://localhost:${server.port}/keys`), /another origin, http:/],
    ['a redirect with a password', () => redirect(`https://a:b@localhost:${server.port}/keys`), /name or password/],
    ['redirects without end', () => redirect('/keys'), /more than 3 times/],
    ['a redirect to nowhere', () => (_, response) => void response.writeHead(302).end(), /nowhere/],
    ['HTML', () => serve('<!doctype html><title>Sign in</title>', { 'content-type': 'text/html' }), /expected JSON/],
    ['JSON of another kind', () => serve('{"jwks":[]}'), /list "keys"/],
    ['half of it', () => serve(good.slice(0, good.length / 2)), /expected JSON/],
    ['a body without end', () => endless, /more than 1048576 bytes/],
    ['a body that says it has 100 MB', () => serve('', { 'content-length': '104857600' }), /more than 1048576 bytes/],
    ['a compressed body', () => serve(good, { 'content-encoding': 'gzip' }), /compressed/],
    ['bytes that are not UTF-8', () => (_, response) => void response.end(Buffer.from([0x7b, 0xff])), /not UTF-8/],
    ['a duplicate kid', () => serve(JSON.stringify({ keys: [issuer.jwk, issuer.jwk] })), /"kid" was used/],
    [
      'a private key',
      async () => serve(weak({ ...issuer.jwk, d: Buffer.alloc(32, 1).toString('base64url') })),
      /secret key material/,
    ],
    ['a symmetric key', () => serve(weak({ kty: 'oct', kid: 'a', k: 'AAAA' })), /secret key material/],
    [
      'a weak RSA key',
      () => serve(weak({ kty: 'RSA', kid: 'a', e: 'AQAB', n: Buffer.alloc(128, 0xc5).toString('base64url') })),
      /at least 2048 bits/,
    ],
    ['headers without end', () => serve(good, { 'x-long': 'a'.repeat(20_000) }), /can not be fetched/],
    ['a connection that breaks', () => (request) => void request.socket.destroy(), /can not be fetched/],
    [
      'a body that breaks off',
      () => (request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write(good.slice(0, 10), () => request.socket.destroy());
      },
      /can not be fetched|broke off/,
    ],
    ['nothing at all', () => () => undefined, /nothing came for 250 ms/],
    [
      'a byte now and then',
      () => (_, response) => {
        const drip = setInterval(() => response.write(' '), 50);
        response.once('close', () => clearInterval(drip));
      },
      /no whole answer within 400 ms/,
    ],
  ];

  it.each(cases)('%s', async (_, respond, problem) => {
    server.respond(serve(good));
    const source = sourceOf();
    await attempt(source, 0);
    server.respond(await respond());
    await attempt(source, 1000);
    expect(source.problem()).toMatch(problem);
    expect(kidsAt(source, 1000)).toEqual(['key-1']);
    expect(source.loadedAt()).toBe(0);
    expect(kidsAt(source, HOUR)).toEqual(['key-1']);
    expect(source.current(HOUR + 1)).toBeUndefined();
    server.respond(serve(good));
    await attempt(source, 2000);
    expect(source.problem()).toBeUndefined();
  });

  it.each(cases.slice(0, 4))('%s, from the start: there are no keys', async (_, respond, problem) => {
    server.respond(await respond());
    const source = sourceOf();
    await attempt(source, 0);
    expect(source.problem()).toMatch(problem);
    expect(source.current(0)).toBeUndefined();
  });
});

describe('a source that can not be reached', () => {
  it('is asked again soon, then less often, and its keys come when it does', async () => {
    await server.down();
    const source = sourceOf();
    await attempt(source, 0);
    expect(source.problem()).toMatch(/ECONNREFUSED/);
    expect(source.current(0)).toBeUndefined();
    await source.poll(499);
    await attempt(source, 500, false);
    await server.up();
    server.respond(serve(good));
    await attempt(source, 1500, false);
    expect(kidsAt(source, 1500)).toEqual(['key-1']);
  });

  it('because its certificate is of another authority is not believed', async () => {
    server.respond(serve(good));
    writeFileSync(join(folder, 'other.pem'), (await makeCa()).certificate);
    const source = sourceOf(from({ ca: join(folder, 'other.pem') }));
    await attempt(source, 0);
    expect(source.problem()).toMatch(/certificate/);
    expect(source.current(0)).toBeUndefined();
    expect(source.startProblem?.()).toBeUndefined();
  });

  it('because its certificate is for another name is not believed', async () => {
    const source = sourceOf(from({ url: `https://127.0.0.1:${server.port}/keys` }));
    await attempt(source, 0);
    expect(source.problem()).toMatch(/IP: 127.0.0.1/);
  });

  it('with the system’s authorities is not believed either', async () => {
    const source = sourceOf(from({ ca: null }));
    await attempt(source, 0);
    expect(source.problem()).toMatch(/certificate/);
  });

  it('is believed as soon as its authority is in the file', async () => {
    const ca = join(folder, 'changing.pem');
    writeFileSync(ca, (await makeCa()).certificate);
    const source = sourceOf(from({ ca }));
    await attempt(source, 0);
    expect(source.current(0)).toBeUndefined();
    rmSync(ca);
    writeFileSync(ca, server.ca.certificate);
    await source.poll(1);
    await attempt(source, 201, false);
    expect(kidsAt(source, 201)).toEqual(['key-1']);
  });

  it('for want of a file with its authority says so at once, and nothing is fetched', async () => {
    const before = server.asked.length;
    const source = sourceOf(from({ ca: join(folder, 'none.pem') }));
    await source.poll(0, true);
    expect(source.startProblem?.()).toMatch(/none.pem: the file does not exist/);
    // Nobody waits for an attempt that can not be.
    await source.settled?.();
    expect(server.asked.length).toBe(before);
  });
});

describe('an address that may not be', () => {
  const resolving =
    (...answers: readonly string[]): Lookup =>
    (_, __, callback) =>
      callback(
        null,
        answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );

  it.each(['https://10.0.0.1/keys', 'https://[fd00::1]/keys', 'https://[::ffff:169.254.169.254]/keys', 'https://0/'])(
    'in the URL %s is not connected to',
    async (url) => {
      const source = sourceOf(from({ url }));
      await attempt(source, 0);
      expect(source.problem()).toMatch(/is private or link-local/);
    },
  );

  it('behind a name is not connected to, whatever the name was before', async () => {
    server.respond(serve(good));
    let answers = ['127.0.0.1'];
    const source = sourceOf(from(), { lookup: (...asked) => resolving(...answers)(...asked) });
    await attempt(source, 0);
    expect(kidsAt(source, 0)).toEqual(['key-1']);
    const before = server.asked.length;
    answers = ['169.254.169.254'];
    await attempt(source, 1000);
    expect(source.problem()).toMatch(/169.254.169.254 is private or link-local/);
    expect(server.asked.length).toBe(before);
    answers = ['10.0.0.1', '127.0.0.1'];
    await attempt(source, 2000);
    expect(source.problem()).toBeUndefined();
  });

  it('is tried where it is listed', async () => {
    const limits = { ...LIMITS, whole: 100 };
    const source = sourceOf(from({ allow: ['10.255.255.0/24'] }), { lookup: resolving('10.255.255.1'), limits });
    await attempt(source, 0);
    expect(source.problem()).not.toMatch(/private/);
  });
});

describe('an unknown kid', () => {
  it('causes one attempt in each cool-down, however many ask', async () => {
    server.respond(serve(good, { 'cache-control': 'max-age=900' }));
    const source = sourceOf();
    await attempt(source, 0);
    const before = server.asked.length;
    const count = (): number => server.asked.length - before;
    const flood = (): void => Array.from({ length: 1000 }).forEach(() => source.missed?.());
    flood();
    for (let now = 0; now < PACE.coolDown; now += 500) await source.poll(now);
    expect(count()).toBe(0);
    await attempt(source, PACE.coolDown, false);
    expect(count()).toBe(1);
    flood();
    for (let now = PACE.coolDown; now < 2 * PACE.coolDown; now += 500) await source.poll(now);
    expect(count()).toBe(1);
    await attempt(source, 2 * PACE.coolDown, false);
    expect(count()).toBe(2);
    // Nobody missed anything since.
    for (let now = 0; now < 5; now += 1) await source.poll((3 + now) * PACE.coolDown);
    expect(count()).toBe(2);
  });
});

describe('the clock', () => {
  it('that steps back does not put the next attempt off', async () => {
    server.respond(serve(good));
    const source = sourceOf();
    await attempt(source, 10 * HOUR);
    const before = server.asked.length;
    await attempt(source, 2 * HOUR, false);
    expect(server.asked.length).toBe(before + 1);
  });

  it('that steps back does not make old keys young', async () => {
    server.respond(serve(good));
    const source = sourceOf();
    await attempt(source, 10 * HOUR);
    await server.down();
    await attempt(source, 2 * HOUR, false);
    expect(kidsAt(source, 3 * HOUR)).toEqual(['key-1']);
    expect(source.current(3 * HOUR + 1)).toBeUndefined();
    await server.up();
  });
});

describe('SIGHUP', () => {
  it('while an attempt is under way causes another one: it may have been answered before', async () => {
    let answer: () => void = () => undefined;
    server.respond((request, response) => (answer = () => serve(good)(request, response)));
    const source = sourceOf(from(), { limits: LIMITS });
    const before = server.asked.length;
    await source.poll(0, true);
    await until(() => server.asked.length === before + 1);
    await source.poll(1, true);
    server.respond(serve('{"keys":[]}'));
    answer();
    await source.settled?.();
    await attempt(source, 2, false);
    expect(kidsAt(source, 2)).toEqual([]);
    expect(server.asked.length).toBe(before + 2);
  });
});

describe('discovery', () => {
  const ISSUER_PATH = '/tenant';
  const oidc = (): OidcFrom => ({ ...from(), kind: 'oidc', issuer: server.origin + ISSUER_PATH });
  const documents =
    (discovery: object): Respond =>
    (request, response) =>
      serve(request.url === `${ISSUER_PATH}/.well-known/openid-configuration` ? JSON.stringify(discovery) : good)(
        request,
        response,
      );

  it('finds the keys of the issuer', async () => {
    server.respond(documents({ issuer: server.origin + ISSUER_PATH, jwks_uri: `${server.origin}/keys` }));
    const source = sourceOf(oidc());
    await attempt(source, 0);
    expect(kidsAt(source, 0)).toEqual(['key-1']);
    expect(source.from).toBe(`${server.origin}/tenant/.well-known/openid-configuration`);
  });

  it.each([
    [
      'of another issuer',
      () => ({ issuer: 'https://idp.example', jwks_uri: `${server.origin}/keys` }),
      /another issuer/,
    ],
    [
      'of the issuer with a slash',
      () => ({ issuer: `${server.origin}${ISSUER_PATH}/`, jwks_uri: `${server.origin}/keys` }),
      /another issuer/,
    ],
    ['without an issuer', () => ({ jwks_uri: `${server.origin}/keys` }), /another issuer, nothing/],
    ['without keys', () => ({ issuer: server.origin + ISSUER_PATH }), /no https URL as jwks_uri/],
    [
      'with keys over http',
      () => ({ issuer: server.origin + ISSUER_PATH, jwks_uri: 'http://localhost/keys' }),
      /no https URL/,
    ],
    [
      'with keys at a private address',
      () => ({ issuer: server.origin + ISSUER_PATH, jwks_uri: 'https://169.254.169.254/keys' }),
      /private or link-local/,
    ],
    [
      'with a name and password in the URL of its keys',
      () => ({ issuer: server.origin + ISSUER_PATH, jwks_uri: `https://a:b@localhost:${server.port}/keys` }),
      /no https URL/,
    ],
    ['that is a list', () => [], /not a JSON object|another issuer/],
  ])('refuses a document %s', async (_, discovery, problem) => {
    server.respond(documents(discovery()));
    const source = sourceOf(oidc());
    await attempt(source, 0);
    expect(source.problem()).toMatch(problem);
    expect(source.current(0)).toBeUndefined();
  });
});

describe('sources of the same name', () => {
  it('are one, and end with the last who closes it', async () => {
    server.respond(serve(good));
    const remotes = createRemotes(QUICK);
    const [first, second] = [remotes.keys(from(), parse), remotes.keys(from(), parse)];
    const other = remotes.keys(from({ maxStale: 2 * HOUR }), parse);
    await attempt(first, 0);
    expect(second.current(0)).toBe(first.current(0));
    expect(other.current(0)).toBeUndefined();
    first.close?.();
    first.close?.();
    await attempt(second, 1000);
    expect(second.loadedAt()).toBe(1000);
    [second, other].forEach((source) => source.close?.());
  });
});
