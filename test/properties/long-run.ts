/**
 * One long random sequence: an engine behind its handler, reached one way or another, and one that remembers nothing. In: the
 * way, a seed, how many steps. Out: how often what happened, and the first difference. Used by the tests for a short while, and by
 * `npm run long-run` for as long as it is told.
 */
import type { HorizonPart } from '../../src/model/instant.js';
import type { QuickPart } from '../../src/quick/quick.js';
import { answering } from './answering.js';
import type { Answering } from './answering.js';
import type { Way } from './carried.js';
import { cachedPlayer, uncachedPlayer } from './model.js';
import type { World } from './model.js';
import { playBoth } from './play.js';
import type { Run, Tally } from './play.js';
import { rememberedWorkings } from './workings.js';

export interface LongRun extends Run {
  readonly over?: Way;
  readonly without?: { readonly quick?: readonly QuickPart[]; readonly deaf?: HorizonPart };
}

export interface Played extends Tally {
  readonly quick: Answering['quick'];
}

export async function longRun({ over = 'handle', without = {}, ...run }: LongRun): Promise<Played> {
  const { world } = run;
  const { quick: left = [], ...parts } = without;
  const playing: Answering[] = [];
  const keep = (player: Answering): Answering => {
    playing.push(player);
    return player;
  };
  try {
    const tally = await playBoth(
      run,
      (stage) => keep(answering(cachedPlayer(world, stage, parts), world.settings, { without: left, over })),
      (stage) => keep(answering(uncachedPlayer(world, stage, workingsOf(world)), world.settings)),
    );
    return { ...tally, quick: playing[0]?.quick ?? { found: 0, joined: 0 } };
  } finally {
    for (const player of playing) await player.close();
  }
}

const known = new WeakMap<World, ReturnType<typeof rememberedWorkings>>();

/** A world's certificates and tokens are the same in each of its runs. */
function workingsOf(world: World): ReturnType<typeof rememberedWorkings> {
  const workings = known.get(world) ?? rememberedWorkings();
  known.set(world, workings);
  return workings;
}
