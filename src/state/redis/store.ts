/** The store that guards share, put together: connection, seal, what this guard knows, upkeep. */
import type { RedisSettings } from '../../model/settings.js';
import type { OnRevocation } from '../../model/revocation.js';
import type { Presented } from '../pins.js';
import { PATIENCE } from './client.js';
import { openConnection } from './connection.js';
import { createKnown } from './known.js';
import { createShared } from './presented.js';
import { openSharedRevocations } from './revocations.js';
import type { SharedRevocations } from './revocations.js';
import { createSeal } from './seal.js';
import { secretOf } from './secret.js';
import type { Shared } from './shared.js';
import { createUpkeep } from './upkeep.js';

export interface SharedStore {
  readonly presented: Presented;
  readonly revocations: SharedRevocations;
  /** Undefined while the store answers. */
  readonly problem: () => string | undefined;
  /** How long (ms) nobody got a new pin when the store was last greeted. */
  readonly settling: () => number;
  readonly close: () => Promise<void>;
}

/** Both in ms. */
export interface Timing {
  /** After the beginning of an epoch nobody gets a new pin for so long. */
  readonly settle: number;
  readonly patience: number;
}

export interface StoreHooks {
  readonly now: () => number;
  readonly onState: (problem: string | undefined) => void;
  readonly onWarning: (warning: string) => void;
  readonly onRevocation?: OnRevocation;
  readonly onFault: (fault: unknown) => void;
}

/** A guard hears of a new epoch within BEAT, and is back within the longest pause where it lost its connection; the rest is to write. */
const SETTLE = 1500;

/**
 * `max`: live pins, and uses, that this guard remembers itself. Connects in the background, and again whenever that is
 * needed, until `close`. Throws one sentence where the key file is not usable.
 */
export function openSharedStore(
  settings: RedisSettings,
  max: number,
  hooks: StoreHooks,
  { settle, patience }: Timing = { settle: SETTLE, patience: PATIENCE },
): SharedStore {
  const seal = createSeal(secretOf(settings.keyFile));
  const upkeep = createUpkeep(() => shared, hooks.now, hooks.onWarning);
  const { now, onState, onFault, onRevocation = () => undefined } = hooks;
  const connection = openConnection(settings, { greet: upkeep.greet, beat: upkeep.beat, onState, onFault }, patience);
  const shared: Shared = { ask: connection.ask, seal, known: createKnown(max), max, epoch: upkeep.epoch, settle };
  const revocations = openSharedRevocations(settings, seal, connection.ask, { now, onRevocation, onFault });
  return {
    presented: createShared(shared),
    revocations,
    problem: connection.problem,
    settling: () => (upkeep.age() >= 0 ? Math.max(0, settle - upkeep.age()) : 0),
    close: async () => void (await Promise.all([connection.close(), revocations.close()])),
  };
}
