/**
 * Pins and used tokens that guards share. In: a connection. Out: the same ports as in memory. What this guard knows is asked
 * first; what it does not know needs the store, and a lost store refuses at once (store_unavailable). The first writer
 * wins, by one script that writes a pin and uses together. Entries end with their token; see docs/store.md.
 */
import type { PinClaim, Use } from '../../model/pin.js';
import { ok } from '../../model/result.js';
import type { Result } from '../../model/result.js';
import { heldBy, usedUp } from '../pin-rules.js';
import type { Presented } from '../pins.js';
import { refresh } from './assert-known.js';
import { contestPin, heldThere, release } from './change-pin.js';
import { FREE_FOR, peekKnown } from './known.js';
import { keyOf, storeLost } from './shared.js';
import type { Shared } from './shared.js';
import { writeAll } from './write-claims.js';

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
    release: (token, now) => release(shared, token, now),
  };
}

const nothing = ok(undefined);

async function fetchPin(shared: Shared, pin: PinClaim, now: number): Promise<Result<void>> {
  const key = keyOf(shared, 'pin', pin.name);
  const reply = await shared.ask('GET', key);
  if (!reply.ok) return storeLost(reply.problem);
  if (typeof reply.value === 'string') return heldThere(shared, pin, key, reply.value, now);
  shared.known.free.put(pin.name, true, now + FREE_FOR, now);
  return nothing;
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
