/** Writing again what this guard knows: what vanished from the store is not lost while a guard runs that knows it. */
import { ok } from '../../model/result.js';
import type { Result } from '../../model/result.js';
import { takeOver } from './change-pin.js';
import type { Known } from './known.js';
import { assert, USED } from './scripts.js';
import type { Entry } from './scripts.js';
import { livesUntil, notYet, sealOf, wordsOf } from './shared.js';
import type { Shared } from './shared.js';

/** A pin in use is written again after this, ms, in case that it vanished from the store. */
const REFRESH_AFTER = 30_000;

/** What this guard knows, as it must be in the store. */
export interface KnownEntry extends Entry {
  readonly until: number;
  /** Of a pin; undefined for a use. */
  readonly pin: { readonly name: string; readonly own: Known } | undefined;
}

export const pinEntry = (shared: Shared, name: string, own: Known, until: number, now: number): KnownEntry => ({
  ...{ key: own.key, value: sealOf(shared, own), lives: livesUntil(until, now), until },
  pin: { name, own },
});

export const useEntry = (key: string, until: number, now: number): KnownEntry => ({
  ...{ key, value: USED, lives: livesUntil(until, now), until },
  pin: undefined,
});

/** Writes what the store has not, and takes over what it has instead. */
export async function assertKnown(shared: Shared, entries: readonly KnownEntry[], now: number): Promise<Result<void>> {
  const reply = wordsOf(await shared.ask(...assert(shared.epoch(), entries)));
  if (!reply.ok) return reply;
  const [word, ...others] = reply.value;
  if (word !== 'asserted') return notYet(word);
  for (let index = 0; index < others.length; index += 2) {
    const entry = entries.find(({ key }) => key === others[index]);
    if (entry?.pin === undefined) continue;
    const taken = await takeOver(shared, entry.pin.name, entry.pin.own, others[index + 1] ?? '', entry.until, now);
    if (!taken.ok) return taken;
  }
  return ok(undefined);
}

/** Nobody waits for it: the allow stands on what this guard knows. */
export function refresh(shared: Shared, name: string, own: Known, until: number, now: number): void {
  if (now - own.seenAt < REFRESH_AFTER) return;
  own.seenAt = now;
  void assertKnown(shared, [pinEntry(shared, name, own, until, now)], now);
}
