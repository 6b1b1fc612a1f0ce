/**
 * What this guard knows of the shared pins, in front of the store: asked first, and on cache hits alone. A live entry is
 * never pushed out, and one that vanished from the store stays here. `free` remembers for a moment that the store had
 * none, for answers that write nothing.
 */
import type { PinClaim } from '../../model/pin.js';
import type { PinKnowledge } from '../../model/ports.js';
import { createExpiringTable } from '../expiring-table.js';
import type { ExpiringTable } from '../expiring-table.js';
import { holds } from '../pin-rules.js';
import type { Numbered } from './pinned-text.js';

/** A pin as it was last seen in the store, or written to it. */
export interface Known extends Numbered {
  readonly key: string;
  /** ms: when the store was last asked about it. */
  seenAt: number;
}

export interface KnownPins {
  readonly pins: ExpiringTable<Known>;
  readonly free: ExpiringTable<true>;
  /** By the keys that the store has for them. */
  readonly uses: ExpiringTable<true>;
}

/** Names that the store had no pin for are asked again after this, ms. */
export const FREE_FOR = 1000;
/** More names than are asked for in a second; beyond, each is asked of the store. */
const MAX_FREE = 10_000;

export const createKnown = (max: number): KnownPins => ({
  pins: createExpiringTable(max),
  free: createExpiringTable(MAX_FREE),
  uses: createExpiringTable(max),
});

export function peekKnown({ pins, free }: KnownPins, pin: PinClaim, now: number): PinKnowledge {
  const known = pins.get(pin.name, now);
  if (known !== undefined) return holds(known, pin) ? 'holds' : 'conflict';
  return free.get(pin.name, now) === undefined ? 'unknown' : 'free';
}

/**
 * Of two readings of one pin the one to keep. Two first presenters can only be where the store lost one of them: then
 * nobody holds the pin any more.
 */
export function reconciled(own: Numbered, other: Numbered): Numbered {
  if (!isSameFirst(own, other)) {
    const [first, second] = own.first.at <= other.first.at ? [own, other] : [other, own];
    const change = Math.max(own.change, other.change) + 1;
    return { first: first.first, contestedBy: first.contestedBy ?? second.first.presenter, change };
  }
  if (own.change !== other.change) return own.change > other.change ? own : other;
  return own.contestedBy === undefined ? other : own;
}

const isSameFirst = ({ first: { presenter: a } }: Numbered, { first: { presenter: b } }: Numbered): boolean =>
  a.id === b.id && a.key === b.key;
