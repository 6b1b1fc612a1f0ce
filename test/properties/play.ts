/**
 * A long random sequence of requests, reloads, key and bundle changes, revocations and clock steps, which two engines live
 * through side by side. In: a seed, and how each of them is asked. Out: how often what happened, and the first difference.
 */
import { seeded } from '../helpers/random.js';
import type { Random } from '../helpers/random.js';
import { openingStage, randomRequest, snapshotOf, START } from './model.js';
import type { SnapshotChoice, Stage, World } from './model.js';
import type { Revocations } from '../../src/state/revocations.js';

export const EVENTS = [
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
export type Event = (typeof EVENTS)[number];

export interface Said {
  /** What must be alike. */
  readonly text: string;
  readonly found: boolean;
  readonly allow: boolean;
}

export interface Asked {
  readonly revocations: Revocations;
  ask(bytes: Buffer): Promise<Said>;
}

export interface Tally {
  readonly events: Record<Event, number>;
  requests: number;
  hits: number;
  allows: number;
  /** The first step at which the two engines differed. */
  difference: string | undefined;
}

export interface Run {
  readonly world: World;
  readonly seed: number;
  readonly steps: number;
  /** Share of steps that are requests. */
  readonly requestShare?: number;
}

type Make = (stage: Stage) => Asked;

export async function playBoth(
  { world, seed, steps, requestShare = 0.7 }: Run,
  first: Make,
  second: Make,
): Promise<Tally> {
  const random = seeded(seed);
  const stage = openingStage(world);
  const [cached, uncached] = [first(stage), second(stage)];
  const events = Object.fromEntries(EVENTS.map((event) => [event, 0])) as Record<Event, number>;
  const tally: Tally = { events, requests: 0, hits: 0, allows: 0, difference: undefined };
  let choice: SnapshotChoice = { policy: 0, candidate: undefined, roots: 2, rotated: false, version: 0 };
  for (let step = 0; step < steps && tally.difference === undefined; step += 1) {
    const event: Event = random.next() < requestShare ? 'request' : random.pick(EVENTS.slice(1));
    tally.events[event] += 1;
    if (event === 'request') await ask(world, step, random, tally, cached, uncached);
    else choice = happen(world, event, random, stage, choice, [cached, uncached]);
  }
  return tally;
}

async function ask(
  world: World,
  step: number,
  random: Random,
  tally: Tally,
  cached: Asked,
  uncached: Asked,
): Promise<void> {
  // The same request in a row is what a cache is for.
  const bytes = randomRequest(world, random);
  for (let times = random.below(3); times >= 0; times -= 1) {
    const [got, wanted] = [await cached.ask(bytes), await uncached.ask(bytes)];
    tally.requests += 1;
    if (got.found) tally.hits += 1;
    if (wanted.allow) tally.allows += 1;
    if (got.text === wanted.text) continue;
    tally.difference = `step ${step}: ${got.found ? 'found' : 'decided'} ${got.text}, uncached says ${wanted.text}`;
    return;
  }
}

/** Only one thing changes at a time. */
function happen(
  world: World,
  event: Exclude<Event, 'request'>,
  random: Random,
  stage: Stage,
  choice: SnapshotChoice,
  players: readonly Asked[],
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
