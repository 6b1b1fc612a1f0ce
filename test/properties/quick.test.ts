/**
 * The same strongest property for the short way: a handler that finds decisions by a glance at the bytes, and one that goes
 * the whole way each time and remembers nothing, give the same answers and leave the same records (design invariants 5, 6,
 * 7 and 9). Leaving out any one part of what a decision is found by makes it fail. `npm run long-run` goes on for
 * longer, and over the listeners.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { HORIZON_PARTS } from '../../src/model/instant.js';
import { QUICK_PARTS } from '../../src/quick/quick.js';
import type { QuickPart } from '../../src/quick/quick.js';
import { longRun } from './long-run.js';
import type { LongRun } from './long-run.js';
import { makeWorld } from './model.js';
import type { World } from './model.js';

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

/** Of requests, where few changes would take too long to show it. */
const SHARES: Readonly<Partial<Record<QuickPart, number>>> = { candidateLine: 0.94, snapshot: 0.9 };

/** Set: what takes long and is looked at elsewhere too is run as well. */
const IS_LONG = (process.env['LONG_RUN'] ?? '') !== '';

describe('a handler that finds by a glance, and one that remembers nothing', () => {
  it('answer and record alike over a long sequence', async () => {
    const { requests, difference, quick, allows, events } = await longRun({
      ...{ world, seed: 20261124, steps: 2000, requestShare: 0.75 },
    });
    console.log(`quick: ${requests} requests, ${quick.found} found by a glance, ${quick.joined} records joined`);
    console.log(`quick: events ${JSON.stringify(events)}`);
    expect(difference).toBeUndefined();
    expect(quick.found / requests).toBeGreaterThan(0.2);
    expect(quick.joined / quick.found).toBeGreaterThan(0.7);
    expect(allows / requests).toBeGreaterThan(0.3);
  }, 60_000);

  it.each(['lean', 'grpc-js'] as const)(
    'answer and record alike where the bytes come over %s',
    async (over) => {
      const { requests, difference, quick } = await longRun({ world, over, seed: 7, steps: 500, requestShare: 0.75 });
      expect(difference).toBeUndefined();
      expect(quick.found / requests).toBeGreaterThan(0.1);
    },
    60_000,
  );

  /** Few changes, so that what is found stays found until something else is asked for. */
  const differs = async (without: LongRun['without'] & object, requestShare: number): Promise<string | undefined> => {
    for (const seed of [6, 1, 2, 3, 4, 5, 7, 8]) {
      const { difference } = await longRun({ world, seed, steps: 4000, requestShare, without });
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
  it.skipIf(!IS_LONG).each(HORIZON_PARTS)(
    'differ when the expiry does not hold the part %s',
    async (deaf) => expect(await differs({ deaf }, 0.8)).toBeDefined(),
    120_000,
  );
});
