/**
 * A warm cache is the best friend of a thief who comes second. Every case warms it first, and sees the hit; then changes
 * one thing: who calls, with what, for what, when, or what is known meanwhile.
 */
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DecodedAnswer } from '../wire/answers.js';
import { certField } from '../helpers/check-request.js';
import type { Guard } from '../helpers/guard.js';
import { makeCa } from '../helpers/pki.js';
import type { TestSvid } from '../helpers/pki.js';
import { nonCanonical, twin, withPayload, withSignature } from '../helpers/tokens.js';
import { expectAllowed, expectDenied, reasonOf } from '../helpers/verdicts.js';
import {
  boundTo,
  callThrough,
  CONFIG,
  FORWARDERS,
  GATEWAY,
  guardOf,
  ISSUER,
  makeWorld,
  movableClock,
  SECOND_ISSUER,
} from '../helpers/world.js';
import type { CaseOptions, ChainFacts, MovableClock, World } from '../helpers/world.js';

const LINES = `
GET  /orders/{id}   orders.read
GET  /reports/{id}  reports.read
GET  /young         orders.read  age<=2m
GET  /once          orders.read  once
GET  /stats         workload
`;
const MINUTE = 60_000;
const seconds = (): number => Math.floor(Date.now() / 1000);

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

interface Scene {
  readonly guard: Guard;
  readonly clock: MovableClock;
  call(facts: Partial<ChainFacts>): Promise<DecodedAnswer>;
  /** The same call twice: allowed, and the second time from the cache. */
  warm(facts: Partial<ChainFacts>, reason?: string): Promise<void>;
}

async function scene({ config = {}, ...options }: Omit<CaseOptions, 'now'> = {}): Promise<Scene> {
  const clock = movableClock();
  const cache = { maxAge: '1d' };
  const guard = await guardOf(world, { lines: LINES, ...options, config: { cache, ...config }, now: clock.now });
  onTestFinished(() => guard.stop());
  const call: Scene['call'] = (facts) => guard.check(callThrough({ hops: [world.frontend], ...facts }));
  return {
    ...{ guard, clock, call },
    async warm(facts, reason = 'allowed') {
      for (const cache of ['miss', 'hit']) {
        const answer = await call(facts);
        expectAllowed(answer, reason);
        expect(answer.metadata['cache']).toBe(cache);
      }
    },
  };
}

describe('after a decision was cached, a call', () => {
  test('with a bound token and another certificate is refused', async () => {
    const { call, warm } = await scene();
    const token = await world.token(boundTo(world.frontend));
    await warm({ token });
    expectDenied(await call({ token, hops: [world.thief] }), 'binding_mismatch');
    const rotated = await world.svid('shop/sa/frontend');
    expectDenied(await call({ token, hops: [rotated] }), 'binding_mismatch');
    expectDenied(await call({ token, hops: [world.thief, world.gateway] }), 'binding_mismatch');
    expectAllowed(await call({ token, hops: [world.frontend, world.gateway] }));
  });

  test('with an unbound token and another workload is refused, also with a twin of the token', async () => {
    const { call, warm } = await scene();
    const token = await world.token();
    await warm({ token });
    for (const stolen of [token, twin(token)])
      for (const hops of [[world.thief], [world.thief, world.gateway]])
        expectDenied(await call({ token: stolen, hops }), 'token_presenter_changed');
    expectAllowed(await call({ token: twin(token) }));
  });

  test('with a token that was bent is refused', async () => {
    const { call, warm } = await scene();
    const token = await world.token({ scope: 'orders.read' });
    await warm({ token });
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    const richer = withPayload(token, payload.replace('orders.read', 'orders.read reports.read'));
    expectDenied(await call({ token: richer }), 'token_signature');
    expectDenied(await call({ token: nonCanonical(token) }), 'token_malformed');
    expectDenied(await call({ token: withSignature(token, Buffer.alloc(64)) }), 'token_signature');
    expectDenied(await call({ token: `${token}=` }), 'token_malformed');
    expectDenied(await call({ token: undefined }), 'token_missing');
  });

  test('for another scope is asked for that scope', async () => {
    const { call, warm } = await scene();
    const token = await world.token({ scope: 'orders.read' });
    await warm({ token });
    expectDenied(await call({ token, path: '/reports/1' }), 'scope_missing');
    expectAllowed(await call({ token: await world.token({ scope: 'reports.read' }), path: '/reports/1' }));
    expectDenied(await call({ token, method: 'POST' }), 'route_undeclared');
    expectDenied(await call({ token, headers: [['upgrade', 'websocket']] }), 'upgrade_not_declared');
  });

  test('under another host is asked for that host', async () => {
    const { call, warm } = await scene({ lines: 'GET /orders/{id} orders.read host=orders.example' });
    const token = await world.token();
    await warm({ token });
    expectDenied(await call({ token, host: 'admin.example' }), 'host_mismatch');
  });

  test('through another chain is judged by that chain', async () => {
    const { call, warm } = await scene();
    const hops = [world.frontend, world.gateway];
    await warm({ hops, path: '/stats' }, 'allowed_workload');
    expectDenied(await call({ hops: [world.gateway], path: '/stats' }), 'origin_unresolved');
    expectDenied(await call({ hops: [world.frontend, world.narrow], path: '/stats' }), 'forwarder_not_allowed');
  });
});

describe('a cached decision ends', () => {
  const lasting = { exp: seconds() + 3500 };

  test('with its token, at exp and the clock skew', async () => {
    const { clock, call, warm } = await scene();
    const token = await world.token({ exp: seconds() + 300 });
    await warm({ token });
    clock.advance(5 * MINUTE);
    expect((await call({ token })).metadata['cache']).toBe('hit');
    clock.advance(31_000);
    expectDenied(await call({ token }), 'token_expired');
  });

  test('with the certificate of the peer', async () => {
    const { clock, call, warm } = await scene();
    const brief = await world.svid('shop/sa/frontend', { notAfter: new Date(Date.now() + 5 * MINUTE) });
    const facts = { hops: [brief], token: await world.token(lasting) };
    await warm(facts);
    clock.advance(4 * MINUTE);
    expect((await call(facts)).metadata['cache']).toBe('hit');
    clock.advance(MINUTE + 2000);
    expectDenied(await call(facts), 'peer_expired');
  });

  test('with the authority that issued it', async () => {
    const notAfter = new Date(Date.now() + 5 * MINUTE);
    const root = await makeCa({ notAfter });
    const { clock, call, warm } = await scene({ files: { 'prod.pem': root.certificate } });
    const leaf = await root.issue();
    const facts = { hops: [leaf], token: await world.token(lasting) };
    await warm(facts);
    clock.advance(4 * MINUTE);
    expect((await call(facts)).metadata['cache']).toBe('hit');
    clock.advance(MINUTE + 2000);
    expectDenied(await call(facts), 'peer_untrusted');
  });

  test('with the certificate of an origin behind a forwarder', async () => {
    const { clock, call, warm } = await scene();
    const brief = await world.svid('shop/sa/frontend', { notAfter: new Date(Date.now() + 5 * MINUTE) });
    const facts = { hops: [brief, world.gateway], about: certField(brief), path: '/stats' };
    await warm(facts, 'allowed_workload');
    clock.advance(5 * MINUTE + 2000);
    expectDenied(await call(facts), 'origin_certificate_invalid');
    expectAllowed(await call({ ...facts, about: '' }), 'allowed_workload');
  });

  test('with the age that a line takes', async () => {
    const { clock, call, warm } = await scene();
    const facts = { token: await world.token(lasting), path: '/young' };
    await warm(facts);
    clock.advance(MINUTE);
    expect((await call(facts)).metadata['cache']).toBe('hit');
    clock.advance(MINUTE + 2000);
    expectDenied(await call(facts), 'token_too_old');
    expectAllowed(await call({ ...facts, path: '/orders/1' }));
  });

  test('when the clock steps back by more than five seconds', async () => {
    const { clock, call, warm } = await scene();
    const token = await world.token(lasting);
    await warm({ token });
    clock.advance(-3000);
    expect((await call({ token })).metadata['cache']).toBe('hit');
    clock.advance(-6000);
    expect((await call({ token })).metadata['cache']).toBe('miss');
  });

  test('with the lines that made it', async () => {
    const { guard, call, warm } = await scene();
    const token = await world.token();
    await warm({ token });
    guard.write('scopes', 'GET /orders/{id} orders.admin');
    await guard.reload();
    expectDenied(await call({ token }), 'scope_missing');
    guard.write('scopes', LINES);
    await guard.reload();
    expectAllowed(await call({ token }));
  });

  test('with the keys of its issuer', async () => {
    const { guard, call, warm } = await scene();
    const token = await world.token();
    await warm({ token });
    guard.write('idp.json', '{"keys":[]}');
    await guard.reload();
    expectDenied(await call({ token }), 'token_key_unknown');
    guard.write('idp.json', JSON.stringify(world.idp.jwks));
    await guard.reload();
    expectAllowed(await call({ token }));
  });

  test('with the bundle of its trust domain', async () => {
    const { guard, call, warm } = await scene();
    const token = await world.token();
    await warm({ token });
    for (const bundle of [world.rogue.certificate, '{"keys":[]}']) {
      guard.write('prod.pem', bundle);
      await guard.reload();
      expectDenied(await call({ token }), 'peer_untrusted');
    }
    guard.write('prod.pem', world.root.certificate);
    await guard.reload();
    expectAllowed(await call({ token }));
  });

  test('while a revocation stands, which needs no signal to count', async () => {
    const { guard, call, warm } = await scene();
    const [token, other] = [await world.token(), await world.token()];
    await warm({ token });
    await warm({ token: other });
    const { token: name } = (await call({ token })).metadata;
    const line = (verb: object): string =>
      `${JSON.stringify({ at: new Date().toISOString(), value: name, ...verb })}\n`;
    guard.write('revoked.ndjson', line({ revoke: 'token' }));
    await expect
      .poll(async () => reasonOf(await call({ token })), { timeout: 5000, interval: 50 })
      .toBe('token_revoked');
    expectDenied(await call({ token: twin(token) }), 'token_revoked');
    expect((await call({ token: other })).metadata['cache']).toBe('hit');
    guard.write('revoked.ndjson', line({ revoke: 'token' }) + line({ unrevoke: 'token' }));
    await guard.reload();
    expectAllowed(await call({ token }));
  });

  test.each([
    ['identity', () => ({ value: GATEWAY }), 'identity_revoked'],
    ['certificate', () => ({ value: world.frontend.sha256 }), 'certificate_revoked'],
    ['certificate', () => ({ value: world.gateway.sha256 }), 'certificate_revoked'],
    ['key', () => ({ value: world.idp.kid, issuer: ISSUER.issuer }), 'token_revoked'],
    ['subject', () => ({ value: 'user:alice', issuer: ISSUER.issuer }), 'token_revoked'],
    ['issuer', () => ({ value: ISSUER.issuer }), 'token_revoked'],
  ] as const)('when its %s is revoked', async (revoke, what, reason) => {
    const { guard, call, warm } = await scene();
    const facts = { hops: [world.frontend, world.gateway], token: await world.token() };
    await warm(facts);
    guard.write('revoked.ndjson', JSON.stringify({ at: new Date().toISOString(), revoke, ...what() }));
    await guard.reload();
    expectDenied(await call(facts), reason);
  });
});

describe('two requests whose parts join to the same text', () => {
  const config = {
    tokens: [
      { ...ISSUER, grants: ['**'], binding: 'none' },
      { issuer: SECOND_ISSUER, keys: 'second.json', audiences: ['orders'], grants: ['**'], from: 'header:x-token' },
    ],
  };

  test('are two keys of the cache: a token in one place is not one in another', async () => {
    const { call, warm } = await scene({ config });
    const token = await world.token();
    await warm({ token });
    expectDenied(await call({ headers: [['x-token', token]] }), 'token_issuer_unknown');
    expectDenied(await call({ headers: [['x-token', `Bearer ${token}`]] }), 'token_malformed');
    expectDenied(await call({ token, headers: [['x-token', token]] }), 'credentials_conflict');
    expectAllowed(await call({ token, headers: [['x-token', '']] }));
  });

  test('are two keys of the cache: what moved from one field to the next changes both', async () => {
    const { guard, warm } = await scene({ config, lines: 'GET /stats workload host=orders.example' });
    await warm({ path: '/stats' }, 'allowed_workload');
    const { frontend } = world;
    const moved: Partial<TestSvid>[] = [
      { id: frontend.id + frontend.urlEncodedPem.slice(0, 1), urlEncodedPem: frontend.urlEncodedPem.slice(1) },
      { id: frontend.id.slice(0, -1), urlEncodedPem: frontend.id.slice(-1) + frontend.urlEncodedPem },
      { id: '', urlEncodedPem: frontend.id + frontend.urlEncodedPem },
      { id: `${frontend.id}:`, urlEncodedPem: frontend.urlEncodedPem },
    ];
    for (const change of moved) {
      const answer = await guard.check(callThrough({ hops: [{ ...frontend, ...change }], path: '/stats' }));
      expect(answer.code).not.toBe(0);
      expect(answer.metadata['cache']).toBe('miss');
    }
  });

  test('are two tokens: an iss with a line feed is no issuer, and claims no other token', async () => {
    const { call } = await scene();
    const honest = await world.token({ jti: 'p\nq' });
    const forged = await world.token({ iss: `${ISSUER.issuer}\np`, jti: 'q' });
    expectDenied(await call({ token: forged, hops: [world.thief] }), 'token_issuer_unknown');
    const [first, second] = [await call({ token: honest }), await call({ token: honest })];
    expectAllowed(first);
    expectAllowed(second);
    expectDenied(await call({ token: honest, hops: [world.thief] }), 'token_presenter_changed');
    const split = await world.token({ jti: 'p' });
    const answer = await call({ token: split, hops: [world.thief] });
    expectAllowed(answer);
    expect(answer.metadata['token']).not.toBe(first.metadata['token']);
  });
});

describe('of many calls at once', () => {
  test('one may use a token that can be used once', async () => {
    const { call } = await scene();
    const token = await world.token();
    const tokens = [token, twin(token)];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => call({ token: tokens[index % 2], path: '/once' })),
    );
    const reasons = answers.map(reasonOf);
    expect(reasons.filter((reason) => reason === 'allowed')).toHaveLength(1);
    expect(reasons.filter((reason) => reason === 'token_replayed')).toHaveLength(19);
  });

  test('one workload becomes the presenter of an unbound token', async () => {
    const { call } = await scene();
    const token = await world.token();
    const callers = [world.frontend, world.batch, world.thief];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => call({ token, hops: callers.slice(index % 3, (index % 3) + 1) })),
    );
    const allowed = answers.filter((answer) => reasonOf(answer) === 'allowed');
    expect(new Set(allowed.map(({ metadata }) => metadata['origin'])).size).toBe(1);
    expect(allowed).toHaveLength(10);
    for (const answer of answers) if (!allowed.includes(answer)) expectDenied(answer, 'token_presenter_changed');
  });
});

describe('what only an allow writes', () => {
  test('is not written by a denial: a refused thief pins nothing', async () => {
    const { call } = await scene();
    const token = await world.token({ scope: 'orders.read' });
    expectDenied(await call({ token, hops: [world.thief], path: '/reports/1' }), 'scope_missing');
    expectAllowed(await call({ token }));
    expectDenied(await call({ token, hops: [world.thief] }), 'token_presenter_changed');
  });

  test('is not written in part: a full table of pins does not use a token up', async () => {
    const { clock, call } = await scene({ config: { cache: { pins: 1 } } });
    expectAllowed(await call({ token: await world.token({ exp: seconds() + 60 }) }));
    const token = await world.token({ exp: seconds() + 3500 });
    expectDenied(await call({ token, path: '/once' }), 'store_unavailable');
    clock.advance(2 * MINUTE);
    expectAllowed(await call({ token, path: '/once' }));
    expectDenied(await call({ token, path: '/once' }), 'token_replayed');
  });
});

test('forwarders that the configuration does not list leave nothing behind in the cache', async () => {
  const { call } = await scene({ config: { ...CONFIG, origin: { forwarders: [FORWARDERS[0]] } } });
  const hops = [world.frontend, world.inner];
  const answer = await call({ hops, path: '/stats' });
  expectAllowed(answer, 'allowed_workload');
  expect(answer.metadata['origin']).toBe(world.inner.id);
});
