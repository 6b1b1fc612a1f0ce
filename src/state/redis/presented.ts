/**
 * Pins and used tokens that guards share. In: a connection. Out: the same ports as in memory. What this guard knows is asked
 * first; what it does not know needs the store, and a lost store refuses at once (store_unavailable). The first writer
 * wins, by one script that writes a pin and uses together. Entries end with their token; see docs/store.md.
 */
import type { Claims, PinClaim, Use } from '../../model/pin.js';
import { ok, refuse } from '../../model/result.js';
import type { Refusal, Result } from '../../model/result.js';
import { heldBy, holds, pinsFull, usedUp, usesFull } from '../pin-rules.js';
import { contested } from '../pins.js';
import type { Presented } from '../pins.js';
import type { Ask, Reply } from './connection.js';
import { FREE_FOR, peekKnown, reconciled } from './known.js';
import type { Known, KnownPins } from './known.js';
import { pinnedText, readPinned } from './pinned-text.js';
import type { Numbered } from './pinned-text.js';
import { assert, claim, PREFIX, replace } from './scripts.js';
import type { Entry } from './scripts.js';
import type { Seal } from './seal.js';

export interface Shared {
  readonly ask: Ask;
  readonly seal: Seal;
  readonly known: KnownPins;
  readonly max: number;
  /** The epoch of the store that this guard has written to what it knows; empty before the first. */
  readonly epoch: () => string;
  /** ms after the beginning of an epoch in which nobody gets a new pin. */
  readonly settle: number;
}

/** Clocks of guards may differ by as much, ms: an entry must not end while a guard still takes its token. */
const SPREAD = 60_000;
/** A pin in use is written again after this, ms, in case that it vanished from the store. */
const REFRESH_AFTER = 30_000;
/** What scripts.ts writes for a use. */
const USED = '1';
/** A pin changes only when its presenters differ, and when an operator releases it. */
const MAX_TURNS = 3;

export function createShared(shared: Shared): Presented {
  const { known } = shared;
  return {
    pins: {
      peek: (pin, now) => peekKnown(known, pin, now),
      compare(pin, now) {
        const own = known.pins.get(pin.name, now);
        if (own !== undefined) return heldBy(own, pin);
        return known.free.get(pin.name, now) === undefined ? fetchPin(shared, pin, now) : nothing;
      },
      pinned: (name, now) => known.pins.get(name, now),
      size: known.pins.size,
    },
    uses: { unused: (use, now) => unused(shared, use, now) },
    writeClaims(claims, now) {
      const own = claims.pin && known.pins.get(claims.pin.claim.name, now);
      const held = own === undefined || claims.pin === undefined ? nothing : heldBy(own, claims.pin.claim);
      if (!held.ok) return held;
      if (own === undefined || claims.uses.length > 0) return writeAll(shared, claims, now);
      if (claims.pin !== undefined) refresh(shared, claims.pin.claim.name, own, claims.pin.claim.until, now);
      return ok('known');
    },
    contestPin: (pin, now) => contestPin(shared, pin, now),
    release(token, now) {
      for (const [name, own, until] of contested(known.pins, token, now))
        void change(shared, name, own, { ...own, contestedBy: undefined, change: own.change + 1 }, until, now);
    },
  };
}

const nothing = ok(undefined);

export const storeLost = (problem: string): Refusal => refuse('store_unavailable', `the store: ${problem}`);
const unreadable = storeLost('a pin in it can not be read; do all guards have the same keyFile?');

const keyOf = ({ seal }: Shared, kind: 'pin' | 'use', name: string): string =>
  `${PREFIX}${kind}:${seal.nameOf(kind, name)}`;

async function fetchPin(shared: Shared, pin: PinClaim, now: number): Promise<Result<void>> {
  const key = keyOf(shared, 'pin', pin.name);
  const reply = await shared.ask('GET', key);
  if (!reply.ok) return storeLost(reply.problem);
  if (typeof reply.value === 'string') return heldThere(shared, pin, key, reply.value, now);
  shared.known.free.put(pin.name, true, now + FREE_FOR, now);
  return nothing;
}

/** Takes over what the store says, and compares with it. */
function heldThere(shared: Shared, pin: PinClaim, key: string, sealed: string, now: number): Result<void> {
  const read = openPin(shared, key, sealed);
  if (read === undefined) return unreadable;
  shared.known.pins.put(pin.name, { ...read, key, seenAt: now }, pin.until, now);
  return heldBy(read, pin);
}

function openPin({ seal }: Shared, key: string, sealed: string): Numbered | undefined {
  const text = seal.open(key, sealed);
  return text === undefined ? undefined : readPinned(text);
}

async function unused(shared: Shared, { name, until }: Use, now: number): Promise<Result<void>> {
  const key = keyOf(shared, 'use', name);
  if (shared.known.uses.get(key, now) !== undefined) return usedUp;
  const reply = await shared.ask('EXISTS', key);
  if (!reply.ok) return storeLost(reply.problem);
  if (reply.value === 0) return nothing;
  shared.known.uses.put(key, true, until, now);
  return usedUp;
}

/** The script, until what it expected is what is there. */
async function writeAll(shared: Shared, claims: Claims, now: number): Promise<Result<'first' | 'known'>> {
  const uses = { keys: claims.uses.map(({ name }) => keyOf(shared, 'use', name)), lives: livesOf(claims.uses, now) };
  if (uses.keys.some((key) => shared.known.uses.get(key, now) !== undefined)) return usedUp;
  const pin = claims.pin && pinToWrite(shared, claims.pin, now);
  let expected = pin?.expected ?? '';
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const sent = { ...shared, epoch: shared.epoch(), pin: pin && { ...pin, expected }, uses };
    const reply = wordsOf(await shared.ask(...claim(sent)));
    if (!reply.ok) return reply;
    const [word, detail = ''] = reply.value;
    if (word !== 'held' || claims.pin === undefined || pin === undefined)
      return outcomeOf(shared, claims, { word, detail }, { ...pin, uses: uses.keys }, now);
    const held = heldThere(shared, claims.pin.claim, pin.key, detail, now);
    if (!held.ok) return held;
    expected = detail;
  }
  return storeLost('the pin changed again and again');
}

const livesUntil = (until: number, now: number): number => Math.max(1, until - now) + SPREAD;

const livesOf = (uses: readonly Use[], now: number): number =>
  Math.max(1, ...uses.map(({ until }) => livesUntil(until, now)));

interface PinToWrite {
  readonly key: string;
  readonly expected: string;
  readonly value: string;
  readonly lives: number;
  readonly written: Numbered;
}

function pinToWrite(shared: Shared, { claim: pin, presentation }: NonNullable<Claims['pin']>, now: number): PinToWrite {
  const key = keyOf(shared, 'pin', pin.name);
  const own = shared.known.pins.get(pin.name, now);
  const written: Numbered = own ?? { first: presentation, contestedBy: undefined, change: 0 };
  const value = shared.seal.seal(key, pinnedText(written));
  return { key, expected: own === undefined ? '' : value, value, lives: livesUntil(pin.until, now), written };
}

/** A reply of a script: a list of words. */
function wordsOf(reply: Reply): Result<readonly string[]> {
  if (!reply.ok) return storeLost(reply.problem);
  const { value } = reply;
  return Array.isArray(value) ? ok(value.map(String)) : storeLost('an answer that no guard understands');
}

/** Remembered here as well before anything is allowed: what has no room here could not be written again. */
function outcomeOf(
  shared: Shared,
  claims: Claims,
  reply: { readonly word: string | undefined; readonly detail: string },
  written: Partial<PinToWrite> & { readonly uses: readonly string[] },
  now: number,
): Result<'first' | 'known'> {
  if (reply.word === 'used') return usedUp;
  if (reply.word !== 'written') return storeLost(NOT_YET.get(reply.word) ?? 'an answer that no guard understands');
  if (!rememberUses(shared, claims, written.uses, now)) return usesFull(shared.max);
  const { key, written: pinned } = written;
  if (claims.pin === undefined || key === undefined || pinned === undefined) return ok('known');
  const { name, until } = claims.pin.claim;
  const isKnown = shared.known.pins.get(name, now) !== undefined;
  if (!isKnown && !shared.known.pins.put(name, { ...pinned, key, seenAt: now }, until, now))
    return pinsFull(shared.max);
  return ok(reply.detail === 'first' ? 'first' : 'known');
}

const NOT_YET: ReadonlyMap<string | undefined, string> = new Map([
  ['settling', 'it was emptied or restarted a moment ago, and guards are still writing what they know'],
  ['epoch', 'it was emptied or restarted, and this guard has not written what it knows yet'],
]);

const rememberUses = ({ known }: Shared, { uses }: Claims, keys: readonly string[], now: number): boolean =>
  uses.every(({ until }, index) => known.uses.put(keys[index] ?? '', true, until, now));

async function contestPin(shared: Shared, pin: PinClaim, now: number): Promise<Result<void>> {
  const own = shared.known.pins.get(pin.name, now);
  if (own === undefined || own.contestedBy !== undefined || holds(own, pin)) return nothing;
  return change(shared, pin.name, own, { ...own, contestedBy: pin.presenter, change: own.change + 1 }, pin.until, now);
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
  return storeLost('the pin changed again and again');
}

const sealOf = ({ seal }: Shared, own: Known): string => seal.seal(own.key, pinnedText(own));

/** Nobody waits for it: the allow stands on what this guard knows. */
function refresh(shared: Shared, name: string, own: Known, until: number, now: number): void {
  if (now - own.seenAt < REFRESH_AFTER) return;
  own.seenAt = now;
  void assertKnown(shared, [pinEntry(shared, name, own, until, now)], now);
}

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
  if (word !== 'asserted') return storeLost(NOT_YET.get(word) ?? 'an answer that no guard understands');
  for (let index = 0; index < others.length; index += 2) {
    const entry = entries.find(({ key }) => key === others[index]);
    if (entry?.pin === undefined) continue;
    const taken = await takeOver(shared, entry.pin.name, entry.pin.own, others[index + 1] ?? '', entry.until, now);
    if (!taken.ok) return taken;
  }
  return nothing;
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
