/**
 * The same strongest property for the short way: a handler that finds decisions by a glance at the bytes, and one that goes
 * the whole way each time and remembers nothing, give the same answers and leave the same records (design invariants 5, 6,
 * 7 and 9). Leaving out any one part of what a decision is found by makes it fail. `npm run long-run` goes on for longer.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { HORIZON_PARTS } from '../../src/model/instant.js';
import type { HorizonPart } from '../../src/model/instant.js';
import { QUICK_PARTS } from '../../src/quick/quick.js';
import type { QuickPart } from '../../src/quick/quick.js';
import { answering } from './answering.js';
import type { Answering } from './answering.js';
import { cachedPlayer, makeWorld, uncachedPlayer } from './model.js';
import type { World } from './model.js';
import { playBoth } from './play.js';
import type { Run, Tally } from './play.js';

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

interface Without {
  readonly quick?: readonly QuickPart[];
  readonly deaf?: HorizonPart;
}

async function play(run: Omit<Run, 'world'>, { quick = [], ...without }: Without = {}) {
  let first: Answering | undefined;
  const tally: Tally = await playBoth(
    { world, ...run },
    (stage) => (first = answering(cachedPlayer(world, stage, without), world.settings, quick)),
    (stage) => answering(uncachedPlayer(world, stage), world.settings),
  );
  return { ...tally, quick: first?.quick ?? { found: 0, joined: 0 } };
}

/** Of requests, where few changes would take too long to show it. */
const SHARES: Readonly<Partial<Record<QuickPart, number>>> = { candidateLine: 0.94, snapshot: 0.9 };

/** `npm run long-run`: steps of the long sequence. */
const LONG_RUN = Number(process.env['LONG_RUN'] ?? 0);

describe('a handler that finds by a glance, and one that remembers nothing', () => {
  it('answer and record alike over a long sequence', async () => {
    const steps = LONG_RUN || 2000;
    const { requests, difference, quick, allows, events } = await play({ seed: 20261124, steps, requestShare: 0.75 });
    console.log(
      `quick: ${steps} steps, ${requests} requests, ${quick.found} found by a glance, ${quick.joined} records joined`,
    );
    console.log(`quick: events ${JSON.stringify(events)}`);
    expect(difference).toBeUndefined();
    expect(quick.found / requests).toBeGreaterThan(0.2);
    expect(quick.joined / quick.found).toBeGreaterThan(0.7);
    expect(allows / requests).toBeGreaterThan(0.3);
  }, 7_200_000);

  /** Few changes, so that what is found stays found until something else is asked for. */
  const differs = async (without: Without, requestShare: number): Promise<string | undefined> => {
    for (const seed of [6, 1, 2, 3, 4, 5, 7, 8]) {
      const { difference } = await play({ seed, steps: 4000, requestShare }, without);
      if (difference !== undefined) return difference;
    }
    return undefined;
  };

  it.each(QUICK_PARTS)(
    'differ when decisions are found without the part %s',
    async (part) => expect(await differs({ quick: [part] }, SHARES[part] ?? 0.985)).toBeDefined(),
    120_000,
  );

  // Moments are looked at by the same code as in cache.test.ts.
  it.skipIf(LONG_RUN === 0).each(HORIZON_PARTS)(
    'differ when the expiry does not hold the part %s',
    async (deaf) => expect(await differs({ deaf }, 0.8)).toBeDefined(),
    120_000,
  );
});
