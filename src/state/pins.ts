/**
 * Who first presented an unbound token, and which tokens were used up, in this process's memory (contract sections 1 and
 * 9): forgotten at restart. Each table has at most `max` live entries, none is pushed out, and a full one refuses.
 */
import type { Claims, PinClaim, Pinned } from '../model/pin.js';
import type { Answer, ContestPin, Pins, Uses, WriteClaims } from '../model/ports.js';
import type { TokenName } from '../model/ids.js';
import { ok } from '../model/result.js';
import type { Result } from '../model/result.js';
import { createExpiringTable } from './expiring-table.js';
import type { ExpiringTable } from './expiring-table.js';
import { heldBy, holds, pinsFull, usedUp, usesFull } from './pin-rules.js';

/** Pins and used tokens: in memory here, in a store that guards share in state/redis/. */
export interface Presented {
  readonly pins: Pins & { readonly size: () => number };
  readonly uses: Uses;
  readonly writeClaims: WriteClaims;
  readonly contestPin: ContestPin;
  /** Ends the contest about a token: its first presenter holds the pin again. */
  readonly release: (token: TokenName, now: number) => void;
}

/** Whoever only remembers answers at once. */
export type Memory<T> = { readonly [Key in keyof T]: AtOnce<T[Key]> };
type AtOnce<F> = F extends (...args: infer In) => Answer<infer Out> ? (...args: In) => Result<Out> : F;

export interface MemoryPresented extends Presented {
  readonly pins: Presented['pins'] & Memory<Pick<Pins, 'compare'>>;
  readonly uses: Memory<Uses>;
  readonly writeClaims: (claims: Claims, now: number) => Result<'first' | 'known'>;
  readonly contestPin: (pin: PinClaim, now: number) => Result<void>;
}

export function createPresented(max: number): MemoryPresented {
  const pins = createExpiringTable<Pinned>(max);
  const uses = createExpiringTable<true>(max);
  return {
    pins: {
      peek(pin, now) {
        const pinned = pins.get(pin.name, now);
        if (pinned === undefined) return 'free';
        return holds(pinned, pin) ? 'holds' : 'conflict';
      },
      compare: (pin, now) => comparePin(pins, pin, now),
      pinned: pins.get,
      size: pins.size,
    },
    uses: { unused: ({ name }, now) => unused(uses, name, now) },
    writeClaims(claims, now) {
      const refusal = objection(pins, uses, claims, now);
      if (refusal !== undefined) return refusal;
      const isFirst = claims.pin !== undefined && pins.get(claims.pin.claim.name, now) === undefined;
      const written = writeAll(pins, uses, claims, isFirst, max, now);
      return written.ok ? ok(isFirst ? 'first' : 'known') : written;
    },
    contestPin(pin, now) {
      const pinned = pins.get(pin.name, now);
      if (pinned !== undefined && pinned.contestedBy === undefined && !holds(pinned, pin))
        pins.put(pin.name, { ...pinned, contestedBy: pin.presenter }, pin.until, now);
      return nothing;
    },
    release(token, now) {
      for (const [name, pinned, until] of contested(pins, token, now))
        pins.put(name, { ...pinned, contestedBy: undefined }, until, now);
    },
  };
}

const nothing = ok(undefined);

function comparePin(pins: ExpiringTable<Pinned>, pin: PinClaim, now: number): Result<void> {
  const pinned = pins.get(pin.name, now);
  return pinned === undefined ? nothing : heldBy(pinned, pin);
}

const unused = (uses: ExpiringTable<true>, name: string, now: number): Result<void> =>
  uses.get(name, now) === undefined ? nothing : usedUp;

function objection(
  pins: ExpiringTable<Pinned>,
  uses: ExpiringTable<true>,
  claims: Claims,
  now: number,
): Exclude<Result<void>, { ok: true }> | undefined {
  const all = [
    ...(claims.pin === undefined ? [] : [comparePin(pins, claims.pin.claim, now)]),
    ...claims.uses.map(({ name }) => unused(uses, name, now)),
  ];
  for (const each of all) if (!each.ok) return each;
  return undefined;
}

/** What was written is taken back where the rest has no room: a pin that was not written must not use the token up. */
function writeAll(
  pins: ExpiringTable<Pinned>,
  uses: ExpiringTable<true>,
  claims: Claims,
  isFirst: boolean,
  max: number,
  now: number,
): Result<void> {
  const written: string[] = [];
  const takeBack = (): void => written.forEach((name) => uses.remove(name));
  for (const { name, until } of claims.uses) {
    if (!uses.put(name, true, until, now)) {
      takeBack();
      return usesFull(max);
    }
    written.push(name);
  }
  if (claims.pin === undefined || !isFirst) return nothing;
  const { claim, presentation } = claims.pin;
  if (pins.put(claim.name, { first: presentation, contestedBy: undefined }, claim.until, now)) return nothing;
  takeBack();
  return pinsFull(max);
}

/** Contested pins of a token, in whichever scope. Looks at each entry: an operator asks, not a caller. */
export function* contested<P extends Pinned>(
  pins: ExpiringTable<P>,
  token: string,
  now: number,
): Generator<readonly [name: string, pinned: P, until: number]> {
  for (const entry of pins.entries(now)) {
    const [name, { contestedBy }] = entry;
    if (contestedBy !== undefined && (name === token || name.startsWith(`${token} `))) yield entry;
  }
}
