/** Who first presented an unbound token, in this process's memory (contract sections 1 and 9): forgotten at restart. */
import type { SpiffeId, TokenName } from '../model/ids.js';
import type { Pins, Uses } from '../model/ports.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import { createExpiringTable } from './expiring-table.js';

export interface MemoryPins extends Pins {
  /** Who is remembered for a token, for the record of a conflict. */
  first(token: TokenName, now: number): SpiffeId | undefined;
  size(): number;
}

export function createPins(max: number): MemoryPins {
  const table = createExpiringTable<SpiffeId>(max);
  const peek: Pins['peek'] = (token, presenter, sharedWith, now) => {
    const first = table.get(token, now);
    if (first === undefined) return 'free';
    return first === presenter || sharedWith(first) ? 'holds' : 'conflict';
  };
  const compare: Pins['compare'] = (token, presenter, sharedWith, now) => {
    const first = table.get(token, now);
    const known = peek(token, presenter, sharedWith, now);
    return first === undefined || known === 'holds' ? ok(undefined) : conflict(first, presenter);
  };
  return {
    peek,
    compare,
    claim(token, presenter, sharedWith, until, now) {
      const compared = compare(token, presenter, sharedWith, now);
      if (!compared.ok || table.get(token, now) !== undefined) return compared;
      if (table.put(token, presenter, until, now)) return compared;
      return refuse('store_unavailable', `the table of pins is full (${max} live entries)`);
    },
    first: table.get,
    size: table.size,
  };
}

const conflict = (first: SpiffeId, now: SpiffeId): Result<void> =>
  refuse(
    'token_presenter_changed',
    `first presented by ${first}, now by ${now}`,
    'each workload must fetch a token of its own; workloads that share one by design are listed in presenters',
  );

/** Tokens used on a `once` line, in this process's memory. */
export function createUses(max: number): Uses {
  const table = createExpiringTable<true>(max);
  const name = (token: string, line: string): string => `${token} ${line}`;
  const seen: Uses['seen'] = (token, line, now) =>
    table.get(name(token, line), now) === undefined
      ? ok(undefined)
      : refuse(
          'token_replayed',
          'the token was used on this line before',
          'fetch a new token for each call of this route',
        );
  return {
    seen,
    record(token, line, until, now) {
      const first = seen(token, line, now);
      if (!first.ok || table.put(name(token, line), true, until, now)) return first;
      return refuse('store_unavailable', `the table of used tokens is full (${max} live entries)`);
    },
  };
}
