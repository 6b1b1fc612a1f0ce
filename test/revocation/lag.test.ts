/**
 * From `firsthand revoke` to the last allow anywhere: four guards, each its own process with a modest cached load, on one
 * real Redis or one file; beside it, in the same run, a subscriber of the same Redis that does nothing. `TRIALS=100` (npm run
 * revocation-lag) measures; without it there are a few trials and a generous bound, for machines that do other things too.
 */
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { createClient } from '@redis/client';
import { afterAll, describe, expect, it } from 'vitest';
import { revoke } from '../../src/cli/revoke.js';
import { configWith, listenWith, makeFolder } from '../cli/folder.js';
import type { Folder } from '../cli/folder.js';
import { startGuard } from '../cli/guard.js';
import type { Guard } from '../cli/guard.js';
import { until } from '../cli/until.js';
import { testIo } from '../helpers/io.js';
import { startRedis } from '../helpers/redis.js';
import type { TestRedis } from '../helpers/redis.js';
import { TEST_ISSUER } from '../helpers/tokens.js';

const TRIALS = Number(process.env['TRIALS'] ?? 3);
const GUARDS = 4;
const OTHERS = 4;
/** Between questions at one guard, ms. */
const PAUSE = 2;
const BOUND = 5000;
const PATIENCE = 30_000;

const ending: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ending.reverse()) await end();
});

interface Asked {
  readonly allowed: boolean;
  readonly hit: boolean;
  readonly at: number;
}

/** One caller after the other at one guard; the victim every second time. */
interface Load {
  victim: Buffer | undefined;
  readonly victims: Asked[];
  readonly others: Asked[];
}

interface Fleet {
  readonly folder: Folder;
  readonly guards: readonly Guard[];
  readonly loads: readonly Load[];
}

async function startFleet(changes: Readonly<Record<string, unknown>>): Promise<Fleet> {
  const folder = await makeFolder();
  ending.push(() => folder.remove());
  folder.write('admin.token', 'secret-of-the-admin');
  const guards: Guard[] = [];
  for (let index = 0; index < GUARDS; index += 1) {
    const listen = listenWith({
      ...{ check: [`unix:check${index}.sock`], admin: `unix:admin${index}.sock`, adminTokenFile: 'admin.token' },
    });
    guards.push(
      await startGuard(
        folder,
        configWith({ cache: { maxAge: '10m' }, ...changes, listen, audit: { to: `file:audit${index}.ndjson` } }),
      ),
    );
  }
  const state = { over: false };
  const others = await Promise.all(Array.from({ length: OTHERS }, () => folder.call()));
  const loads = guards.map((): Load => ({ victim: undefined, victims: [], others: [] }));
  const running = guards.map((guard, index) => follow(guard, loads[index] as Load, others, state));
  ending.push(async () => {
    state.over = true;
    await Promise.all(running);
    await Promise.all(guards.map((guard) => guard.stop()));
  });
  return { folder, guards, loads };
}

async function follow(guard: Guard, load: Load, others: readonly Buffer[], state: { over: boolean }): Promise<void> {
  const ask = async (bytes: Buffer): Promise<Asked> => {
    const { metadata } = await guard.ask(bytes);
    return { allowed: metadata['decision'] === 'allow', hit: metadata['cache'] === 'hit', at: performance.now() };
  };
  for (let turn = 0; !state.over; turn += 1) {
    const { victim } = load;
    if (victim !== undefined) {
      const asked = await ask(victim);
      if (load.victim === victim) load.victims.push(asked);
    }
    load.others.push(await ask(others[turn % others.length] as Buffer));
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

const hitRate = (asked: readonly Asked[]): number => asked.filter(({ hit }) => hit).length / Math.max(1, asked.length);
const WINDOW = 40;

/** ms from the beginning of the command to the last allow at any guard. */
async function trial(
  { folder, loads }: Fleet,
  name: string,
  end: (token: string) => Promise<void>,
): Promise<{ readonly lag: number; readonly begun: number }> {
  const victim = await folder.call({ token: await folder.token({ jti: name }) });
  for (const load of loads) {
    load.victims.length = 0;
    load.victim = victim;
  }
  await until(() => loads.every(({ victims }) => victims.length >= WINDOW), PATIENCE);
  for (const { victims } of loads) expect(hitRate(victims.slice(-WINDOW + 2))).toBeGreaterThanOrEqual(0.95);
  const token = createHash('sha256').update(`${TEST_ISSUER}\n${name}`).digest('hex');
  for (const load of loads) load.others.length = 0;
  const begun = performance.now();
  await end(token);
  await until(() => loads.every(({ victims }) => victims.at(-1)?.allowed === false), PATIENCE);
  await until(() => loads.every(({ others }) => others.length >= WINDOW), PATIENCE);
  // Whoever was not revoked is found as before, at each guard.
  for (const { others } of loads) {
    expect(others.every(({ allowed }) => allowed)).toBe(true);
    expect(hitRate(others)).toBeGreaterThanOrEqual(0.95);
  }
  const last = Math.max(
    ...loads.flatMap(({ victims }) => victims.filter(({ allowed }) => allowed).map(({ at }) => at)),
  );
  for (const load of loads) load.victim = undefined;
  return { lag: Math.max(0, last - begun), begun };
}

function told(what: string, lags: readonly number[]): void {
  const sorted = [...lags].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(1);
  console.log(`${what}: ${sorted.length} trials, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);
}

const byCommand =
  ({ guards: [guard] }: Fleet) =>
  async (token: string): Promise<void> => {
    const io = testIo();
    expect([await revoke({ kind: 'revoke', config: guard?.config ?? '', token, for: '1h' }, io), io.err()]).toEqual([
      0,
      '',
    ]);
  };

const byAdmin =
  ({ folder }: Fleet) =>
  async (token: string): Promise<void> => {
    const body = JSON.stringify({ revoke: 'token', value: token });
    const headers = { authorization: 'Bearer secret-of-the-admin', host: 'localhost' };
    const status = await new Promise((resolve, reject) => {
      const options = { socketPath: folder.file('admin0.sock'), path: '/api/revocations', method: 'POST', headers };
      request({ ...options, agent: false }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end(body);
    });
    expect(status).toBe(200);
  };

/** What the same Redis needs to wake somebody who does nothing else. */
async function noop(redis: TestRedis): Promise<{ send(): Promise<void>; readonly lags: number[] }> {
  const at = { port: redis.port, host: '127.0.0.1', reconnectStrategy: false as const };
  const [reader, writer] = [createClient({ socket: at }), createClient({ socket: at })];
  for (const client of [reader, writer]) {
    client.on('error', () => undefined);
    await client.connect();
    ending.push(() => client.destroy());
  }
  const lags: number[] = [];
  let begun = 0;
  await reader.subscribe('noop', () => void lags.push(performance.now() - begun));
  return {
    lags,
    async send() {
      begun = performance.now();
      await writer.publish('noop', 'x');
    },
  };
}

describe('the last allow after a revocation', () => {
  it('comes soon through the store, by the command and by the admin API', async () => {
    const redis = await startRedis({ config: ['--appendonly', 'yes'] });
    ending.push(() => redis.stop());
    const fleet = await startFleet({ store: `redis://127.0.0.1:${redis.port}` });
    const idle = await noop(redis);
    for (const [what, end] of [
      ['store, firsthand revoke', byCommand(fleet)],
      ['store, POST /api/revocations', byAdmin(fleet)],
    ] as const) {
      const lags: number[] = [];
      for (let count = 0; count < TRIALS; count += 1) {
        lags.push((await trial(fleet, `${what} ${count}`, end)).lag);
        await idle.send();
      }
      told(what, lags);
      expect(Math.max(...lags)).toBeLessThan(BOUND);
    }
    told('a subscriber that does nothing', idle.lags);
  }, 600_000);

  it('comes soon through the file, by the command and by the admin API', async () => {
    const fleet = await startFleet({ revocation: { file: 'revoked.ndjson' } });
    for (const [what, end] of [
      ['file, firsthand revoke', byCommand(fleet)],
      ['file, POST /api/revocations', byAdmin(fleet)],
    ] as const) {
      const lags: number[] = [];
      for (let count = 0; count < TRIALS; count += 1) lags.push((await trial(fleet, `${what} ${count}`, end)).lag);
      told(what, lags);
      expect(Math.max(...lags)).toBeLessThan(BOUND);
    }
  }, 600_000);
});
