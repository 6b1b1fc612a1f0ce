/** Whole guards: patterns, the admin API, incidents, a store that is silent, and what is told of all that. */
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../cli/until.js';
import { freePorts } from '../demo/ports.js';
import { callFrom } from '../helpers/check-request.js';
import type { ConfigTree, Guard } from '../helpers/guard.js';
import type { TestSvid } from '../helpers/pki.js';
import { startRedis } from '../helpers/redis.js';
import type { TestRedis } from '../helpers/redis.js';
import { reasonOf } from '../helpers/verdicts.js';
import { boundTo, callThrough, guardOf, ISSUER, makeWorld, movableClock } from '../helpers/world.js';
import type { MovableClock, World } from '../helpers/world.js';

const LINES = `
GET  /orders/{id}   orders.read
GET  /secret/{id}   orders.read   data=confidential
GET  /open/{id}     orders.read   data=internal
GET  /fresh/{id}    orders.read   data=public fresh
GET  /stats         workload      data=internal
`;
const PATIENCE = 10_000;

let world: World;
let redis: TestRedis;
let guards: Guard[] = [];
beforeAll(async () => {
  [world, redis] = await Promise.all([makeWorld(), startRedis({ config: ['--appendonly', 'yes'] })]);
});
afterEach(async () => {
  await Promise.all(guards.map((guard) => guard.stop()));
  guards = [];
});
afterAll(async () => redis.stop());

const start = async (config: ConfigTree, clock?: MovableClock): Promise<Guard> => {
  const options = { lines: LINES, config, files: { token: 'admin secret'.replace(' ', '-') } };
  const guard = await guardOf(world, clock === undefined ? options : { ...options, now: clock.now });
  guards.push(guard);
  return guard;
};
const ask = async (guard: Guard, peer: TestSvid, facts: Omit<Parameters<typeof callFrom>[0], 'peer'>) =>
  reasonOf(await guard.check(callFrom({ peer, path: '/orders/1', ...facts })));
const line = (facts: object): string => `${JSON.stringify({ at: new Date().toISOString(), ...facts })}\n`;
const url = (): string => `redis://127.0.0.1:${redis.port}`;

interface Posted {
  readonly status: number | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}
const post = (port: number, body: string, token = 'admin-secret'): Promise<Posted> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = request({ port, host: '127.0.0.1', path: '/api/revocations', method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) as Posted['body'] }));
    });
    sent.on('error', reject).end(body);
  });

describe('a pattern', () => {
  it('ends every workload that it matches, wherever it stands in the chain, and nobody else', async () => {
    const guard = await start({});
    const calls = {
      frontend: callFrom({ peer: world.frontend, path: '/orders/1', token: await world.token() }),
      thief: callFrom({ peer: world.thief, path: '/orders/1', token: await world.token() }),
      through: callThrough({ hops: [world.batch, world.gateway], token: await world.token() }),
    };
    const reasons = async () =>
      Promise.all(Object.values(calls).map(async (bytes) => reasonOf(await guard.check(bytes))));
    expect(await reasons()).toEqual(['allowed', 'allowed', 'allowed']);
    guard.write('revoked.ndjson', line({ revoke: 'identity', value: 'spiffe://prod.example/ns/edge/*/gateway' }));
    await until(async () => (await reasons())[2] === 'identity_revoked', PATIENCE);
    expect(await reasons()).toEqual(['allowed', 'allowed', 'identity_revoked']);
    guard.write('revoked.ndjson', line({ revoke: 'identity', value: 'spiffe://prod.example/ns/shop/**' }));
    await until(async () => (await reasons())[0] === 'identity_revoked', PATIENCE);
    expect(await reasons()).toEqual(['identity_revoked', 'identity_revoked', 'identity_revoked']);
    guard.write('revoked.ndjson', line({ unrevoke: 'identity', value: 'spiffe://prod.example/ns/shop/**' }));
    await until(async () => (await reasons())[0] === 'allowed', PATIENCE);
  });
});

describe('what is told of a revocation', () => {
  it('is who, why and how late, and the first call that it denied', async () => {
    const guard = await start({});
    const token = await world.token({ sub: 'user:mallory' });
    for (let times = 0; times < 2; times += 1) expect(await ask(guard, world.frontend, { token })).toBe('allowed');
    const facts = { value: 'user:mallory', issuer: ISSUER.issuer, reason: 'left the company', by: 'oncall' };
    guard.write('revoked.ndjson', line({ revoke: 'subject', ...facts }));
    await until(() => guard.events('revoked').length === 1, PATIENCE);
    expect(guard.events('revoked')[0]).toMatchObject({ type: 'subject', source: 'file', ...facts });
    const denied = await guard.check(callFrom({ peer: world.frontend, path: '/orders/1', token }));
    expect(reasonOf(denied)).toBe('token_revoked');
    const record = await guard.record(denied.metadata['id']);
    expect(JSON.stringify(record)).toContain('by oncall: left the company');
    await until(() => guard.events('revocation_effect').length === 1, PATIENCE);
    const effect = { type: 'subject', value: 'user:mallory', id: record.id, fell: 1, lag_ms: expect.any(Number) };
    expect(guard.events('revocation_effect')[0]).toMatchObject(effect);
  });
});

describe('POST /api/revocations', () => {
  it('revokes where there is a file or a store, for the holder of the admin token alone', async () => {
    const [port = 0, other = 0] = await freePorts(2);
    const listen = (at: number) => ({ admin: `127.0.0.1:${at}`, adminTokenFile: 'token' });
    const guard = await start({ listen: listen(port) });
    await start({ listen: listen(other), revocation: {} });
    const token = await world.token({ txn: 'order-66' });
    expect(await ask(guard, world.frontend, { token })).toBe('allowed');
    const body = JSON.stringify({ revoke: 'txn', value: 'order-66' });
    expect((await post(port, body, 'guess')).status).toBe(401);
    expect(await ask(guard, world.frontend, { token })).toBe('allowed');
    for (let times = 0; times < 2; times += 1) {
      const { status, body: said } = await post(port, body);
      expect([status, said]).toEqual([
        200,
        expect.objectContaining({ revoke: 'txn', value: 'order-66', by: 'admin API' }),
      ]);
    }
    expect(await ask(guard, world.frontend, { token })).toBe('transaction_revoked');
    expect((await post(port, '{"revoke": "token", "value": "x"}')).status).toBe(400);
    expect((await post(port, 'no json')).status).toBe(400);
    expect((await post(port, ' '.repeat(20_000))).status).toBe(413);
    expect(await post(other, body)).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('revocation.file') },
    });
    expect((await post(port, JSON.stringify({ unrevoke: 'txn', value: 'order-66' }))).status).toBe(200);
    expect(await ask(guard, world.frontend, { token })).toBe('allowed');
  });
});

describe('an incident', () => {
  it('revokes the token at every guard where onIncident says so, for its time', async () => {
    const config = { store: url(), revocation: { onIncident: 'revoke:1h' } };
    const [clock, other] = [movableClock(), movableClock()];
    const [a, b] = [await start(config, clock), await start(config, other)];
    const [token, own] = [await world.token(), await world.token()];
    for (const each of [token, own]) expect(await ask(a, world.frontend, { token: each })).toBe('allowed');
    expect(await ask(a, world.thief, { token })).toBe('token_presenter_changed');
    for (const guard of [a, b])
      await until(async () => (await ask(guard, world.frontend, { token })) === 'token_revoked', PATIENCE);
    expect(await ask(b, world.frontend, { token: own })).toBe('allowed');
    expect(a.events('revoked')[0]).toMatchObject({ type: 'token', source: 'incident', reason: 'presenters differ' });
    expect(b.events('revoked')[0]).toMatchObject({ type: 'token', source: 'store' });
  });

  it('is only told where nothing else is set', async () => {
    const guard = await start({});
    const token = await world.token();
    expect(await ask(guard, world.frontend, { token })).toBe('allowed');
    expect(await ask(guard, world.thief, { token })).toBe('token_presenter_changed');
    expect(await ask(guard, world.frontend, { token })).toBe('allowed');
    expect(guard.events('revoked')).toEqual([]);
  });
});

describe('a store that is silent for longer than maxStaleness', () => {
  it('closes confidential and fresh lines, and those without a label; the others go on', async () => {
    const [health = 0] = await freePorts(1);
    const config = { store: url(), revocation: { maxStaleness: '2s' }, listen: { health: `127.0.0.1:${health}` } };
    const guard = await start(config);
    const token = await world.token(boundTo(world.frontend));
    const reasons = () =>
      Promise.all(
        ['/secret/1', '/orders/1', '/fresh/1', '/open/1'].map((path) => ask(guard, world.frontend, { token, path })),
      );
    const open = ['allowed', 'allowed', 'allowed', 'allowed'];
    const closed = ['revocation_stale', 'revocation_stale', 'revocation_stale', 'allowed'];
    const ready = async () => JSON.stringify(await (await fetch(`http://127.0.0.1:${health}/readyz`)).json());
    expect([await reasons(), await reasons()]).toEqual([open, open]);
    await redis.kill();
    expect(await reasons()).toEqual(open);
    await until(async () => (await reasons())[0] === 'revocation_stale', PATIENCE);
    expect(await reasons()).toEqual(closed);
    expect(await ready()).toContain('the store was not heard');
    await redis.start();
    await until(async () => (await reasons())[0] === 'allowed', PATIENCE);
    expect(await reasons()).toEqual(open);
    expect(await ready()).not.toContain('the store was not heard');
  });
});
