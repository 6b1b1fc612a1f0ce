/**
 * The property that the store is there for: while it is up, whoever presents, at whichever guard, in whatever order and
 * with guards that are restarted in between, one pinned token never succeeds for two presenters, and one use never twice.
 * Steps run at once in bursts, so that the guards race; the model remembers nothing but who succeeded.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callFrom } from '../helpers/check-request.js';
import { startRedis } from '../helpers/redis.js';
import type { TestRedis } from '../helpers/redis.js';
import { houseOf, makeCast } from '../properties/house.js';
import type { House } from '../properties/house.js';
import { claimsOf, NOW, openEnd, pinOf, said, useOf } from './facts.js';
import type { End } from './facts.js';

const GUARDS = 3;
const PRESENTERS = ['frontend', 'batch', 'thief'] as const;

type Step =
  | {
      readonly kind: 'present';
      readonly guard: number;
      readonly presenter: number;
      readonly token: number;
      readonly once: boolean;
    }
  | { readonly kind: 'restart'; readonly guard: number };

const guard = fc.nat({ max: GUARDS - 1 });
const present: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('present'),
  guard,
  presenter: fc.nat({ max: PRESENTERS.length - 1 }),
  token: fc.nat({ max: 3 }),
  once: fc.boolean(),
});
const restart: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('restart'), guard });
const burst = fc.array(fc.oneof({ weight: 12, arbitrary: present }, { weight: 1, arbitrary: restart }), {
  minLength: 1,
  maxLength: 12,
});
const history = fc.array(burst, { minLength: 1, maxLength: 12 });

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());

/** What the histories came to, so that a test that reaches nothing is noticed. */
interface Sum {
  allowed: number;
  changed: number;
  replayed: number;
  restarts: number;
}

async function play(bursts: readonly (readonly Step[])[], run: string, sum: Sum): Promise<void> {
  const ends: End[] = await Promise.all(Array.from({ length: GUARDS }, () => openEnd(redis.settings)));
  const winners = new Map<number, Set<string>>();
  const uses = new Map<number, number>();
  const presented = async (step: Step & { kind: 'present' }): Promise<void> => {
    const { presented: store } = ends[step.guard] as End;
    const presenter = PRESENTERS[step.presenter] as string;
    const token = `${run} ${step.token}`;
    const pin = pinOf(token, presenter);
    const compared = said(await store.pins.compare(pin, NOW));
    const result =
      compared === 'ok'
        ? said(await store.writeClaims(claimsOf(pin, ...(step.once ? [useOf(token)] : [])), NOW))
        : compared;
    if (result === 'token_presenter_changed') sum.changed += 1;
    if (result === 'token_replayed') sum.replayed += 1;
    if (result !== 'first' && result !== 'known') return;
    sum.allowed += 1;
    winners.set(step.token, (winners.get(step.token) ?? new Set()).add(presenter));
    if (step.once) uses.set(step.token, (uses.get(step.token) ?? 0) + 1);
    expect(store.pins.peek(pin, NOW)).toBe('holds');
  };
  try {
    for (const steps of bursts) {
      await Promise.all(steps.filter((step) => step.kind === 'present').map(presented));
      for (const step of steps.filter(({ kind }) => kind === 'restart')) {
        sum.restarts += 1;
        await ends[step.guard]?.close();
        ends[step.guard] = await openEnd(redis.settings);
      }
      for (const [token, who] of winners) expect([token, [...who]]).toEqual([token, [[...who][0]]]);
      for (const [token, count] of uses) expect([token, count]).toEqual([token, 1]);
    }
    expect(ends.flatMap(({ faults }) => faults)).toEqual([]);
  } finally {
    await Promise.all(ends.map((end) => end.close()));
  }
}

describe('guards with one store', () => {
  it('never let two presenters succeed with one token, nor one use twice', async () => {
    const sum: Sum = { allowed: 0, changed: 0, replayed: 0, restarts: 0 };
    let run = 0;
    await fc.assert(
      fc.asyncProperty(history, (bursts) => play(bursts, `run ${(run += 1)}`, sum)),
      { numRuns: 40 },
    );
    for (const count of Object.values(sum)) expect(count).toBeGreaterThan(20);
    console.log(`interleavings: ${JSON.stringify(sum)}`);
  });

  it('let those two succeed who share the token by design', async () => {
    const [a, b] = [await openEnd(redis.settings), await openEnd(redis.settings)];
    const shares = { shares: ['frontend', 'batch'] };
    const as = async ({ presented: store }: End, presenter: string, facts = {}): Promise<unknown> =>
      said(await store.writeClaims(claimsOf(pinOf('shared', presenter, facts)), NOW));
    const said2 = await Promise.all([as(a, 'frontend', shares), as(b, 'batch', shares), as(b, 'frontend', shares)]);
    expect(said2.sort()).toEqual(['first', 'known', 'known']);
    expect(await as(a, 'thief')).toBe('token_presenter_changed');
    await Promise.all([a.close(), b.close()]);
  });
});

/** The same through whole engines over bytes, with their caches of decisions: a copy must not outlive the pin it was made on. */
describe('engines with one store', () => {
  const LINES = 'GET /x a\nGET /forbidden b\nPOST /once a once';
  const PATHS = [
    ['GET', '/x'],
    ['GET', '/x'],
    ['GET', '/forbidden'],
    ['POST', '/once'],
  ] as const;
  interface Asked {
    readonly guard: number;
    readonly presenter: number;
    readonly token: number;
    readonly path: number;
  }
  const step: fc.Arbitrary<Asked> = fc.record({
    guard,
    presenter: fc.nat({ max: 2 }),
    token: fc.nat({ max: 2 }),
    path: fc.nat({ max: PATHS.length - 1 }),
  });

  it('never let two origins through with one token, from the cache or not', async () => {
    const cast = await makeCast();
    const origins = [cast.frontend, cast.batch, cast.thief];
    const tokens = await Promise.all([1, 2, 3].map(() => cast.second.sign({ scope: 'a' })));
    const sum = { allowed: 0, hits: 0, changed: 0, replayed: 0 };
    const playEngines = async (bursts: readonly (readonly Asked[])[]): Promise<void> => {
      await redis.command('FLUSHALL');
      const ends = await Promise.all(Array.from({ length: GUARDS }, () => openEnd(redis.settings)));
      const houses = ends.map(({ presented }) => houseOf(cast, { lines: LINES, parts: presented }));
      const winners = new Map<number, number>();
      const used = new Set<number>();
      const ask = async ({ guard: at, presenter, token, path }: Asked): Promise<void> => {
        const [method, target] = PATHS[path] ?? PATHS[0];
        const headers = [['x-token', tokens[token] ?? '']] as const;
        const bytes = callFrom({ peer: origins[presenter] ?? cast.thief, method, path: target, headers });
        const { reason, allowed, outcome } = await (houses[at] as House).ask(bytes);
        if (reason === 'token_presenter_changed') sum.changed += 1;
        if (reason === 'token_replayed') sum.replayed += 1;
        if (!allowed) return;
        sum.allowed += 1;
        if (outcome.cache === 'hit') sum.hits += 1;
        expect([token, winners.get(token) ?? presenter]).toEqual([token, presenter]);
        winners.set(token, presenter);
        if (method === 'POST') expect(used.has(token)).toBe(false);
        if (method === 'POST') used.add(token);
      };
      for (const steps of bursts) await Promise.all(steps.map(ask));
      await Promise.all(ends.map((end) => end.close()));
      expect([...houses, ...ends].flatMap(({ faults }) => faults)).toEqual([]);
    };
    const bursts = fc.array(fc.array(step, { minLength: 1, maxLength: 10 }), { minLength: 3, maxLength: 12 });
    await fc.assert(fc.asyncProperty(bursts, playEngines), { numRuns: 25 });
    for (const count of Object.values(sum)) expect(count).toBeGreaterThan(20);
    console.log(`engines: ${JSON.stringify(sum)}`);
  });
});
