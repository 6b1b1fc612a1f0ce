/**
 * Where pins and used tokens are kept, by the settings. What talks to a store elsewhere is loaded only where one is
 * configured. Throws StartError where its files are not usable; a store that is away is none: its guard starts, and denies
 * what needs it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { OnRevocation } from './model/revocation.js';
import type { Settings } from './model/settings.js';
import { describe, StartError } from './start-error.js';
import { createPresented } from './state/pins.js';
import type { Presented } from './state/pins.js';
import type { SharedRevocations } from './state/redis/revocations.js';

export interface Store {
  readonly presented: Presented;
  /** Undefined where guards share nothing. */
  readonly revocations: SharedRevocations | undefined;
  /** What is wrong with it now; undefined while it answers. */
  readonly problem: () => string | undefined;
  readonly close: () => Promise<void>;
}

export interface StoreWatchers {
  readonly now: () => number;
  readonly onStore: (problem: string | undefined) => void;
  readonly onStoreWarning: (warning: string) => void;
  readonly onRevocation: OnRevocation;
  readonly onFault: (fault: unknown) => void;
}

/** A store that is there answers within this, so that the first checks find it; nobody waits longer for one, ms. */
const FIRST_PATIENCE = 1000;
/** Hundreds of thousands of revocations are read within this, ms; a guard that begins without them is stale, where that counts. */
const READ_PATIENCE = 30_000;

export async function openStore(
  { store, cache }: Pick<Settings, 'store' | 'cache'>,
  told: StoreWatchers,
): Promise<Store> {
  if (store.kind === 'memory')
    return {
      presented: createPresented(cache.pins),
      revocations: undefined,
      problem: () => undefined,
      close: () => Promise.resolve(),
    };
  const { openSharedStore } = await import('./state/redis/store.js');
  let first: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (first = resolve));
  const { now, onFault, onStoreWarning, onRevocation } = told;
  const onState = (problem: string | undefined): void => {
    first();
    told.onStore(problem);
  };
  try {
    const hooks = { now, onState, onWarning: onStoreWarning, onFault, onRevocation };
    const shared = openSharedStore(store, cache.pins, hooks);
    await Promise.race([answered, pause(FIRST_PATIENCE, undefined, { ref: false })]);
    if (shared.problem() === undefined) await pause(shared.settling());
    if (shared.problem() === undefined)
      await Promise.race([shared.revocations.firstRead, pause(READ_PATIENCE, undefined, { ref: false })]);
    return shared;
  } catch (error) {
    throw new StartError(2, [describe(error)]);
  }
}
