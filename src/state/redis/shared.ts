/** What the parts of the shared store have in common: whom they ask, names and values as the store has them, refusals. */
import { ok, refuse } from '../../model/result.js';
import type { Refusal, Result } from '../../model/result.js';
import type { Ask, Reply } from './client.js';
import type { Known, KnownPins } from './known.js';
import { pinnedText, readPinned } from './pinned-text.js';
import type { Numbered } from './pinned-text.js';
import { PREFIX } from './scripts.js';
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

export const keyOf = ({ seal }: Shared, kind: 'pin' | 'use', name: string): string =>
  `${PREFIX}${kind}:${seal.nameOf(kind, name)}`;

export const sealOf = ({ seal }: Shared, own: Known): string => seal.seal(own.key, pinnedText(own));

/** Undefined where no guard with our secret wrote it. */
export function openPin({ seal }: Shared, key: string, sealed: string): Numbered | undefined {
  const text = seal.open(key, sealed);
  return text === undefined ? undefined : readPinned(text);
}

/** Clocks of guards may differ by as much, ms: an entry must not end while a guard still takes its token. */
const SPREAD = 60_000;

/** Whole ms, as the store wants them: a NumericDate may have a fraction (RFC 7519 §2). */
export const livesUntil = (until: number, now: number): number => Math.ceil(Math.max(1, until - now)) + SPREAD;

/** A pin changes only when its presenters differ, and when an operator releases it. */
export const MAX_TURNS = 3;

export const storeLost = (problem: string): Refusal => refuse('store_unavailable', `the store: ${problem}`);
export const unreadable = storeLost('a pin in it can not be read; do all guards have the same keyFile?');
export const strange = storeLost('an answer that no guard understands');
export const restless = storeLost('the pin changed again and again');

/** A reply of a script: a list of words. */
export function wordsOf(reply: Reply): Result<readonly string[]> {
  if (!reply.ok) return storeLost(reply.problem);
  const { value } = reply;
  return Array.isArray(value) ? ok(value.map(String)) : strange;
}

/** Why a script wrote nothing, where that is over in a moment. */
export const notYet = (word: string | undefined): Refusal => {
  const why = NOT_YET.get(word ?? '');
  return why === undefined ? strange : storeLost(why);
};

const NOT_YET: ReadonlyMap<string, string> = new Map([
  ['settling', 'it was emptied or restarted a moment ago, and guards are still writing what they know'],
  ['epoch', 'it was emptied or restarted, and this guard has not written what it knows yet'],
]);
