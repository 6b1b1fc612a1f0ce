/** Whole guards on real sockets, and one real Redis between them: the thief at either, and the day that Redis is away. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../cli/until.js';
import { freePorts } from '../demo/ports.js';
import { callFrom } from '../helpers/check-request.js';
import type { ConfigTree, Guard } from '../helpers/guard.js';
import { makeCa } from '../helpers/pki.js';
import type { TestSvid } from '../helpers/pki.js';
import { startRedis } from '../helpers/redis.js';
import type { TestRedis } from '../helpers/redis.js';
import { reasonOf } from '../helpers/verdicts.js';
import { boundTo, guardOf, ISSUER, makeWorld } from '../helpers/world.js';
import type { World } from '../helpers/world.js';

const LINES = `
GET   /orders/{id}  orders.read
GET   /fresh/{id}   orders.read   fresh
POST  /orders       orders.write  once
GET   /stats        workload      data=internal
`;

let world: World;
let redis: TestRedis;
let guards: Guard[] = [];

const start = async (store: unknown, more: ConfigTree = {}): Promise<Guard> => {
  const guard = await guardOf(world, { lines: LINES, config: { store, ...more } });
  guards.push(guard);
  return guard;
};
const ask = async (guard: Guard, peer: TestSvid, facts: Omit<Parameters<typeof callFrom>[0], 'peer'>) =>
  reasonOf(await guard.check(callFrom({ peer, path: '/orders/1', ...facts })));

/** A guard that has its store, however busy the machine is: a caller of no interest gets through. */
const startUp = async (store: unknown, more: ConfigTree = {}, destination?: string): Promise<Guard> => {
  const guard = await start(store, more);
  const where = destination === undefined ? {} : { destination };
  await until(
    async () => (await ask(guard, world.batch, { token: await world.token(), ...where })) === 'allowed',
    10_000,
  );
  return guard;
};

beforeAll(async () => {
  [world, redis] = await Promise.all([makeWorld(), startRedis({ config: ['--appendonly', 'yes'] })]);
});
afterEach(async () => {
  await Promise.all(guards.map((guard) => guard.stop()));
  guards = [];
});
afterAll(async () => redis.stop());

const url = (): string => `redis://127.0.0.1:${redis.port}`;

describe('two guards', () => {
  it('know the first presenter of each other, and both record the thief', async () => {
    const [a, b] = [await startUp(url()), await startUp(url())];
    const token = await world.token();
    for (let times = 0; times < 3; times += 1) expect(await ask(a, world.frontend, { token })).toBe('allowed');
    for (const guard of [b, a]) {
      expect(await ask(guard, world.thief, { token })).toBe('token_presenter_changed');
      await until(() => guard.events('pin_conflict').length === 1, 10_000);
      expect(guard.events('pin_conflict')[0]).toMatchObject({
        origin: world.thief.id,
        first_presenter: world.frontend.id,
        first_environment: 'prod',
      });
    }
    expect(await ask(b, world.frontend, { token })).toBe('allowed');
    expect(await ask(b, world.thief, { token: await world.token() })).toBe('allowed');
  });

  it('let a token through once where it may be used once', async () => {
    const both = [await startUp(url()), await startUp(url())];
    const token = await world.token();
    const said = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        ask(both[index % 2] as Guard, world.frontend, { token, method: 'POST', path: '/orders' }),
      ),
    );
    expect(said.sort()).toEqual(['allowed', ...Array<string>(9).fill('token_replayed')]);
  });

  it('pin a token for each workload, or for the fleet', async () => {
    const GUARD = 'spiffe://prod.example/ns/shop/sa/other';
    for (const [pinScope, there] of [
      ['workload', 'allowed'],
      ['fleet', 'token_presenter_changed'],
    ]) {
      const tokens = { tokens: [{ ...ISSUER, pinScope }] };
      const a = await startUp(url(), tokens);
      const b = await startUp(url(), { ...tokens, workload: GUARD }, GUARD);
      const token = await world.token();
      expect(await ask(a, world.frontend, { token })).toBe('allowed');
      expect(await ask(b, world.thief, { token, destination: GUARD })).toBe(there);
    }
  });
});

describe('a store that is away', () => {
  it('refuses what needs it at once, lets the rest through, and counts again when it is back', async () => {
    const [health = 0] = await freePorts(1);
    const guard = await startUp(url(), { listen: { health: `127.0.0.1:${health}` } });
    const ready = async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).json() as Promise<object>;
    const known = await world.token();
    expect(await ask(guard, world.frontend, { token: known, path: '/fresh/1' })).toBe('allowed');
    await redis.kill();
    await until(() => guard.events('store_lost').length === 1, 10_000);
    const [token, bound] = [await world.token(), await world.token(boundTo(world.frontend))];
    const started = performance.now();
    expect(await ask(guard, world.frontend, { token })).toBe('store_unavailable');
    expect(performance.now() - started).toBeLessThan(500);
    expect(await ask(guard, world.frontend, { token: bound })).toBe('allowed');
    expect(await ask(guard, world.frontend, { token: bound, method: 'POST', path: '/orders' })).toBe(
      'store_unavailable',
    );
    expect(await ask(guard, world.frontend, { path: '/stats' })).toBe('allowed_workload');
    expect(await ask(guard, world.frontend, { token: known, path: '/fresh/1' })).toBe('allowed');
    expect(await ask(guard, world.thief, { token: known, path: '/fresh/1' })).toBe('token_presenter_changed');
    expect(await ready()).toMatchObject({ problems: { store: expect.any(String) } });
    await redis.start();
    await until(async () => (await ask(guard, world.frontend, { token })) === 'allowed', 10_000);
    expect(await ask(guard, world.frontend, { token: bound, method: 'POST', path: '/orders' })).toBe('allowed');
    expect(JSON.stringify(await ready())).not.toContain('"store"');
    expect(guard.events('store_recovered')).toHaveLength(2);
    expect(guard.events('store_lost')).toHaveLength(1);
  });

  it('when the guard starts is no reason not to start', async () => {
    await redis.kill();
    const guard = await start(url());
    expect(await ask(guard, world.frontend, { token: await world.token() })).toBe('store_unavailable');
    expect(await ask(guard, world.frontend, { path: '/stats' })).toBe('allowed_workload');
    await redis.start();
    const token = await world.token();
    await until(async () => (await ask(guard, world.frontend, { token })) === 'allowed', 10_000);
  });
});

describe('a store with TLS and credentials', () => {
  it('is reached with the right authority and password alone, which are read anew', async () => {
    const [ca, strange] = await Promise.all([makeCa(), makeCa({ name: 'Strange' })]);
    const server = await ca.issue({ dns: ['localhost'], uris: [] });
    const own = await startRedis({ tls: { certificate: server.pem, key: server.keyPem }, password: 'correct horse' });
    try {
      const at = (name: string, text: string): string => {
        writeFileSync(join(own.folder, name), text);
        return join(own.folder, name);
      };
      const files = {
        ca: at('ca.pem', ca.certificate),
        usernameFile: at('user', 'default\n'),
        passwordFile: at('password', 'wrong'),
        keyFile: at('key', 'k'.repeat(32)),
      };
      const guard = await start({ url: `rediss://localhost:${own.port}/0`, ...files });
      const token = await world.token();
      expect(await ask(guard, world.frontend, { token })).toBe('store_unavailable');
      at('password', 'correct horse\n');
      await until(async () => (await ask(guard, world.frontend, { token })) === 'allowed', 10_000);
      const other = at('other.pem', strange.certificate);
      const lost = await start({ url: `rediss://localhost:${own.port}/0`, ...files, ca: other });
      expect(await ask(lost, world.frontend, { token })).toBe('store_unavailable');
      const clear = await start(`redis://localhost:${own.port}`);
      expect(await ask(clear, world.frontend, { token })).toBe('store_unavailable');
      const named = await start({ url: `rediss://127.0.0.1:${own.port}/0`, ...files });
      expect(await ask(named, world.frontend, { token })).toBe('store_unavailable');
      expect(guard.logged.join()).not.toContain('horse');
    } finally {
      await own.stop();
    }
  });

  it('needs no more rights than docs/store.md says', async () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'store.md'), 'utf8');
    const [, rights = ''] = /^ACL SETUSER firsthand (.*)$/m.exec(page) ?? [];
    await redis.command('ACL', 'SETUSER', 'firsthand', ...rights.replace('PASSWORD', 'narrow').split(' '));
    const at = (name: string, text: string): string => {
      writeFileSync(join(redis.folder, name), text);
      return join(redis.folder, name);
    };
    const credentials = { usernameFile: at('user', 'firsthand'), passwordFile: at('password', 'narrow') };
    const tokens = { tokens: [{ ...ISSUER, onConflict: 'both' }] };
    const guard = await startUp({ url: url(), ...credentials }, tokens);
    const token = await world.token();
    expect(await ask(guard, world.frontend, { token })).toBe('allowed');
    expect(await ask(guard, world.frontend, { token, method: 'POST', path: '/orders' })).toBe('allowed');
    expect(await ask(guard, world.thief, { token })).toBe('token_presenter_changed');
    const other = await startUp({ url: url(), ...credentials }, tokens);
    expect(await ask(other, world.frontend, { token })).toBe('token_presenter_changed');
    expect(guard.events('store_lost')).toEqual([]);
    await expect(redis.command('ACL', 'DRYRUN', 'firsthand', 'FLUSHALL')).resolves.toMatch(/no permissions/);
  });

  it('needs a key file that is there, and long enough to be a secret', async () => {
    const key = join(redis.folder, 'short');
    writeFileSync(key, 'short');
    await expect(start({ url: url(), keyFile: key })).rejects.toThrow('expected a secret of at least 32 bytes, got 5');
    await expect(start({ url: url(), keyFile: `${key}er` })).rejects.toThrow('ENOENT');
  });
});
