/**
 * What a final allow writes, in one step of the store. In: a pin, uses. Out: whether the token was seen for the first time, or
 * why nothing was written. What the store wrote is remembered here before anything is allowed by it.
 */
import type { Claims, Use } from '../../model/pin.js';
import { ok } from '../../model/result.js';
import type { Result } from '../../model/result.js';
import { pinsFull, usedUp, usesFull } from '../pin-rules.js';
import { heldThere } from './change-pin.js';
import { pinnedText } from './pinned-text.js';
import type { Numbered } from './pinned-text.js';
import { claim } from './scripts.js';
import { keyOf, livesUntil, MAX_TURNS, notYet, restless, wordsOf } from './shared.js';
import type { Shared } from './shared.js';

/** The script, until what it expected is what is there. */
export async function writeAll(shared: Shared, claims: Claims, now: number): Promise<Result<'first' | 'known'>> {
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
  return restless;
}

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

/** Remembered here as well before anything is allowed: what has no room here could not be written again. */
function outcomeOf(
  shared: Shared,
  claims: Claims,
  reply: { readonly word: string | undefined; readonly detail: string },
  written: Partial<PinToWrite> & { readonly uses: readonly string[] },
  now: number,
): Result<'first' | 'known'> {
  if (reply.word === 'used') return usedUp;
  if (reply.word !== 'written') return notYet(reply.word);
  if (!rememberUses(shared, claims, written.uses, now)) return usesFull(shared.max);
  const { key, written: pinned } = written;
  if (claims.pin === undefined || key === undefined || pinned === undefined) return ok('known');
  const { name, until } = claims.pin.claim;
  const isKnown = shared.known.pins.get(name, now) !== undefined;
  if (!isKnown && !shared.known.pins.put(name, { ...pinned, key, seenAt: now }, until, now))
    return pinsFull(shared.max);
  return ok(reply.detail === 'first' ? 'first' : 'known');
}

const rememberUses = ({ known }: Shared, { uses }: Claims, keys: readonly string[], now: number): boolean =>
  uses.every(({ until }, index) => known.uses.put(keys[index] ?? '', true, until, now));
