/**
 * Pins that change after they were written: contested, released, or found to be another one in the store. In: what this
 * guard knows, what it should be. Out: both of one mind, here first; other guards look at what changed (upkeep.ts).
 */
import type { TokenName } from '../../model/ids.js';
import type { PinClaim } from '../../model/pin.js';
import { ok } from '../../model/result.js';
import type { Result } from '../../model/result.js';
import { heldBy, holds } from '../pin-rules.js';
import { contested } from '../pins.js';
import { reconciled } from './known.js';
import type { Known } from './known.js';
import type { Numbered } from './pinned-text.js';
import { replace } from './scripts.js';
import { MAX_TURNS, openPin, restless, sealOf, unreadable, wordsOf } from './shared.js';
import type { Shared } from './shared.js';

const nothing = ok(undefined);

export async function contestPin(shared: Shared, pin: PinClaim, now: number): Promise<Result<void>> {
  const own = shared.known.pins.get(pin.name, now);
  if (own === undefined || own.contestedBy !== undefined || holds(own, pin)) return nothing;
  return change(shared, pin.name, own, { ...own, contestedBy: pin.presenter, change: own.change + 1 }, pin.until, now);
}

/** Nobody waits for it: what could not be written is written with all that this guard knows, later. */
export function release(shared: Shared, token: TokenName, now: number): void {
  for (const [name, own, until] of contested(shared.known.pins, token, now))
    void change(shared, name, own, { ...own, contestedBy: undefined, change: own.change + 1 }, until, now);
}

/** Takes over what the store says, beside what this guard learnt meanwhile, and compares with it. */
export function heldThere(shared: Shared, pin: PinClaim, key: string, sealed: string, now: number): Result<void> {
  const there = openPin(shared, key, sealed);
  if (there === undefined) return unreadable;
  const own = shared.known.pins.get(pin.name, now);
  const both = own === undefined ? there : reconciled(own, there);
  shared.known.pins.put(pin.name, { ...both, key, seenAt: now }, pin.until, now);
  return heldBy(both, pin);
}

/** What the store says, together with what this guard knows. */
export async function takeOver(
  shared: Shared,
  name: string,
  own: Known,
  sealed: string,
  until: number,
  now: number,
): Promise<Result<void>> {
  const there = openPin(shared, own.key, sealed);
  if (there === undefined) return unreadable;
  const both = reconciled(own, there);
  const known: Known = { ...there, key: own.key, seenAt: now };
  if (both !== there) return change(shared, name, known, both, until, now);
  shared.known.pins.put(name, known, until, now);
  return nothing;
}

/** Here at once, then in the store; where that says something else meanwhile, what both say together. */
async function change(
  shared: Shared,
  name: string,
  own: Known,
  next: Numbered,
  until: number,
  now: number,
): Promise<Result<void>> {
  const { key } = own;
  let [expected, wanted] = [sealOf(shared, own), next];
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const known: Known = { ...wanted, key, seenAt: now };
    shared.known.pins.put(name, known, until, now);
    const reply = wordsOf(await shared.ask(...replace(key, expected, sealOf(shared, known))));
    if (!reply.ok) return reply;
    const [word, held = ''] = reply.value;
    if (word === 'written' || held === '') return nothing;
    const there = openPin(shared, key, held);
    if (there === undefined) return unreadable;
    [expected, wanted] = [held, reconciled(wanted, there)];
  }
  return restless;
}
