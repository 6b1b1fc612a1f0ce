/**
 * The strongest property: an engine that remembers decisions and one that does not answer alike, over any sequence of
 * requests, reloads, key and bundle changes, revocations and clock steps (design invariants 5 and 6).
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { reasonOf } from '../../src/audit/record.js';
import { HORIZON_PARTS } from '../../src/model/instant.js';
import type { HorizonPart } from '../../src/model/instant.js';
import { isAllow } from '../../src/model/reasons.js';
import { KEY_PARTS } from '../../src/state/decision-cache.js';
import type { KeyPart } from '../../src/state/decision-cache.js';
import { seeded } from '../helpers/random.js';
import type { Random } from '../helpers/random.js';
import {
  cachedPlayer,
  makeWorld,
  openingStage,
  randomRequest,
  readBytes,
  snapshotOf,
  START,
  uncachedPlayer,
  verdictOf,
} from './model.js';
import type { Player, SnapshotChoice, Stage, World } from './model.js';

const EVENTS = [
  'request',
  'policy',
  'candidate',
  'keys',
  'bundle',
  'revoke',
  'unrevoke',
  'clock forward',
  'clock back',
] as const;
type Event = (typeof EVENTS)[number];

interface Tally {
  readonly events: Record<Event, number>;
  requests: number;
  hits: number;
  allows: number;
  /** The first step at which the two engines differed. */
  difference: string | undefined;
}

interface Run {
  readonly seed: number;
  readonly steps: number;
  readonly without?: { keyParts?: readonly KeyPart[]; deaf?: HorizonPart };
  /** Share of steps that are requests. */
  readonly requestShare?: number;
}

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

async function play({ seed, steps, without = {}, requestShare = 0.7 }: Run): Promise<Tally> {
  const random = seeded(seed);
  const stage = openingStage(world);
  const cached = cachedPlayer(world, stage, without);
  const uncached = uncachedPlayer(world, stage);
  const events = Object.fromEntries(EVENTS.map((event) => [event, 0])) as Record<Event, number>;
  const tally: Tally = { events, requests: 0, hits: 0, allows: 0, difference: undefined };
  let choice: SnapshotChoice = { policy: 0, candidate: undefined, roots: 2, rotated: false, version: 0 };
  for (let step = 0; step < steps && tally.difference === undefined; step += 1) {
    const event: Event = random.next() < requestShare ? 'request' : random.pick(EVENTS.slice(1));
    tally.events[event] += 1;
    if (event === 'request') await ask(step, random, tally, cached, uncached);
    else choice = happen(event, random, stage, choice, [cached, uncached]);
  }
  return tally;
}

async function ask(step: number, random: Random, tally: Tally, cached: Player, uncached: Player): Promise<void> {
  // The same request in a row is what a cache is for.
  const bytes = randomRequest(world, random);
  for (let times = random.below(3); times >= 0; times -= 1) {
    const got = await cached.check(readBytes(bytes), undefined);
    const wanted = await uncached.check(readBytes(bytes), undefined);
    tally.requests += 1;
    if (got.cache === 'hit') tally.hits += 1;
    if (isAllow(reasonOf(wanted))) tally.allows += 1;
    if (verdictOf(got) === verdictOf(wanted)) continue;
    tally.difference = `step ${step}: ${got.cache} said ${verdictOf(got)}, uncached says ${verdictOf(wanted)}`;
    return;
  }
}

/** Only one thing changes at a time. */
function happen(
  event: Exclude<Event, 'request'>,
  random: Random,
  stage: Stage,
  choice: SnapshotChoice,
  players: readonly Player[],
): SnapshotChoice {
  const swap = (next: SnapshotChoice): SnapshotChoice => {
    stage.snapshot = snapshotOf(world, next);
    return next;
  };
  const revocation = random.pick(world.revocations);
  const until = stage.now + random.below(5_000);
  switch (event) {
    case 'policy':
      return swap({ ...choice, policy: random.next() < 0.05 ? undefined : random.pick([0, 0, 0, 1, 2]) });
    case 'candidate':
      return swap({ ...choice, candidate: [0, 1][random.below(4)] });
    case 'keys':
      return swap({ ...choice, rotated: random.next() < 0.15 });
    case 'bundle':
      return swap({ ...choice, roots: random.next() < 0.85 ? 2 : random.below(3) });
    case 'revoke':
      for (const { revocations } of players) revocations.revoke({ ...revocation, until });
      return choice;
    case 'unrevoke':
      for (const { revocations } of players) revocations.unrevoke(revocation);
      return choice;
    case 'clock forward':
      stage.now += random.next() < 0.3 ? random.below(120_000) : random.below(3_000);
      return choice;
    case 'clock back':
      // By less than 5 s nothing is emptied; by more everything is. Never far beyond the ends of the universe.
      if (stage.now > START + 12 * 60_000) stage.now = START + random.below(60_000);
      else stage.now -= random.below(5_000);
      return choice;
  }
}

describe('a cached engine and an uncached engine', () => {
  it('answer alike over a long sequence, with enough hits, allows and events to mean something', async () => {
    const tally = await play({ seed: 20261123, steps: 18_500, requestShare: 0.5 });
    console.log(
      `model: ${tally.requests} requests, ${Math.round((100 * tally.hits) / tally.requests)} % hits, ` +
        `${Math.round((100 * tally.allows) / tally.requests)} % allows, events ${JSON.stringify(tally.events)}`,
    );
    expect(tally.difference).toBeUndefined();
    for (const event of EVENTS) expect(tally.events[event], event).toBeGreaterThanOrEqual(1000);
    expect(tally.hits / tally.requests).toBeGreaterThan(0.3);
    expect(tally.allows / tally.requests).toBeGreaterThan(0.3);
  }, 300_000);

  const differs = async (without: NonNullable<Run['without']>): Promise<string | undefined> => {
    // The first seed is one with which every part is found soon; the others are for when the generator changes.
    for (const seed of [6, 1, 2, 3, 4, 5, 7, 8]) {
      const { difference } = await play({ seed, steps: 4000, without, requestShare: 0.8 });
      if (difference !== undefined) return difference;
    }
    return undefined;
  };

  it.each(KEY_PARTS)(
    'differ when the key does not hold the part %s',
    async (part) => {
      expect(await differs({ keyParts: KEY_PARTS.filter((other) => other !== part) })).toBeDefined();
    },
    120_000,
  );

  it.each(HORIZON_PARTS)(
    'differ when the expiry does not hold the part %s',
    async (part) => {
      expect(await differs({ deaf: part })).toBeDefined();
    },
    120_000,
  );
});
