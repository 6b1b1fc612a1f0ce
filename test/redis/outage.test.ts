/**
 * Redis killed, frozen, restarted and emptied while guards are asked without a pause: nobody is allowed who should not be,
 * nothing waits long, nothing piles up, and new tokens count again within three seconds of its return.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../helpers/redis.js';
import type { TestRedis } from '../helpers/redis.js';
import { PATIENCE } from '../../src/state/redis/client.js';
import { until } from '../cli/until.js';
import { claimsOf, NOW, openEnd, pinOf, said } from './facts.js';
import type { End } from './facts.js';

const GUARDS = 3;
/** Callers at each guard, each with one question at a time. */
const CALLERS = 15;
const RECOVERY = 3000;
/** As `serve` has it. */
const PRODUCT = { settle: 1500, patience: PATIENCE, max: 100_000 };
/** A check asks up to three times, 150 ms each, on a machine that does other things too. */
const LONGEST = 1000;

let redis: TestRedis;
let ends: End[] = [];
beforeAll(async () => {
  redis = await startRedis({ config: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
});
afterEach(async () => {
  await Promise.all(ends.map((end) => end.close()));
  ends = [];
});
afterAll(async () => redis.stop());

interface Load {
  /** From now on the thief also comes with tokens that one other guard alone has seen. */
  steal(): void;
  /** Stops asking; then what was seen. */
  end(): Promise<void>;
  readonly counts: Map<string, number>;
  /** Tokens that succeeded for two presenters. */
  readonly wrong: string[];
  readonly slowest: () => number;
  /** Allows of tokens that nobody presented before. */
  readonly firsts: () => number;
}

/** Tokens that were presented at one guard each, by their owner. */
const SECRETS = 300;
const ownerOf = (secret: number): number => secret % GUARDS;

const presentSecrets = async (): Promise<void> => {
  for (let secret = 0; secret < SECRETS; secret += 1) {
    const claims = claimsOf(pinOf(`secret ${secret}`, 'frontend'));
    await until(
      async () => said(await (ends[ownerOf(secret)] as End).presented.writeClaims(claims, NOW)) === 'first',
      5000,
    );
  }
};

/** Of each token the first presenter is drawn, as the thief may come first; both come again and again, everywhere. */
function startLoad(): Load {
  const winners = new Map<string, string>();
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  let [running, stealing, token, slowest, firsts] = [true, false, 0, 0, 0];
  for (let secret = 0; secret < SECRETS; secret += 1) winners.set(`secret ${secret}`, 'frontend');
  const ask = async ({ presented }: End, name: string, presenter: string): Promise<void> => {
    const pin = pinOf(name, presenter);
    const started = performance.now();
    const compared = said(await presented.pins.compare(pin, NOW));
    const result = String(compared === 'ok' ? said(await presented.writeClaims(claimsOf(pin), NOW)) : compared);
    slowest = Math.max(slowest, performance.now() - started);
    counts.set(result, (counts.get(result) ?? 0) + 1);
    if (result !== 'first' && result !== 'known') return;
    if (result === 'first') firsts += 1;
    const winner = winners.get(name);
    if (winner !== undefined && winner !== presenter) wrong.push(`${name}: ${winner} and ${presenter}`);
    else winners.set(name, presenter);
  };
  const caller = async (end: End): Promise<void> => {
    while (running) {
      const secret = Math.floor(Math.random() * SECRETS);
      if (stealing && ends[ownerOf(secret)] !== end) await ask(end, `secret ${secret}`, 'thief');
      if (Math.random() < 0.2) token += 1;
      // Mostly tokens that were seen a moment ago, by either presenter.
      const name = `t${Math.max(0, token - Math.floor(Math.random() * 40))}`;
      await ask(end, name, Math.random() < 0.5 ? 'frontend' : 'thief');
      await sleep(3);
    }
  };
  const callers = ends.flatMap((end) => Array.from({ length: CALLERS }, () => caller(end)));
  return {
    counts,
    wrong,
    slowest: () => slowest,
    firsts: () => firsts,
    steal: () => void (stealing = true),
    async end() {
      running = false;
      await Promise.all(callers);
    },
  };
}

interface Fault {
  readonly name: string;
  readonly away: () => Promise<void>;
  readonly back: () => Promise<void>;
}

const FAULTS: readonly Fault[] = [
  { name: 'killed and restarted with its file', away: () => redis.kill(), back: () => redis.start() },
  { name: 'killed and restarted empty', away: () => redis.kill(), back: () => redis.start(true) },
  {
    name: 'frozen and continued',
    away: () => Promise.resolve(redis.freeze()),
    back: () => Promise.resolve(redis.thaw()),
  },
  {
    name: 'emptied while it runs',
    away: async () => void (await redis.command('FLUSHALL')),
    back: () => Promise.resolve(),
  },
];

describe('Redis under load', () => {
  it.each(FAULTS)('$name: nothing wrong is allowed, and new tokens count within 3 s', async ({ name, away, back }) => {
    await redis.command('FLUSHALL');
    ends = await Promise.all(Array.from({ length: GUARDS }, () => openEnd(redis.settings, PRODUCT)));
    await presentSecrets();
    const load = startLoad();
    await until(() => load.firsts() > 100, 10_000);
    const memory = process.memoryUsage().heapUsed;
    const refused = (): number => load.counts.get('store_unavailable') ?? 0;
    const refusedBefore = refused();
    await away();
    load.steal();
    await until(() => refused() > refusedBefore + 5000, 5000);
    await back();
    const [returned, before] = [performance.now(), load.firsts()];
    await until(() => load.firsts() > before, RECOVERY);
    const recovery = Math.round(performance.now() - returned);
    await until(() => load.firsts() > before + 100, 5000);
    await load.end();
    const grown = Math.round((process.memoryUsage().heapUsed - memory) / 2 ** 20);
    const figures = { recovery, slowest: Math.round(load.slowest()), grown, ...Object.fromEntries(load.counts) };
    console.log(`outage: ${name}: ${JSON.stringify(figures)}`);
    expect(load.wrong).toEqual([]);
    expect(load.slowest()).toBeLessThan(LONGEST);
    expect(recovery).toBeLessThan(RECOVERY);
    expect(ends.flatMap(({ faults }) => faults)).toEqual([]);
  });
});
