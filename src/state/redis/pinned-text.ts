/** A pin as text, for a store. What does not read as one is none: nothing is guessed. */
import { z } from 'zod';
import { parseSpiffeId } from '../../model/ids.js';
import type { Sha256Hex, SpiffeId } from '../../model/ids.js';
import type { Pinned, Presenter } from '../../model/pin.js';

/** A pin with the number of times that it changed since it was written: of two readings the later one counts. */
export interface Numbered extends Pinned {
  readonly change: number;
}

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const presenter = z.strictObject({
  id: z.string().refine((id) => parseSpiffeId(id) !== undefined),
  key: hex.optional(),
});
const stored = z.strictObject({
  first: presenter,
  environment: z.string().optional(),
  chain: hex,
  at: z.number(),
  change: z.int().min(0),
  contestedBy: presenter.optional(),
});

export function pinnedText({ first, contestedBy, change }: Numbered): string {
  const { presenter: who, environment, chain, at } = first;
  return JSON.stringify({
    ...{ first: who, chain, at, change },
    ...(environment === null ? {} : { environment }),
    ...(contestedBy === undefined ? {} : { contestedBy }),
  });
}

export function readPinned(text: string): Numbered | undefined {
  const read = stored.safeParse(parsed(text));
  if (!read.success) return undefined;
  const { first, environment = null, chain, at, change, contestedBy } = read.data;
  return {
    first: { presenter: presenterOf(first), environment, chain: chain as Sha256Hex, at },
    contestedBy: contestedBy && presenterOf(contestedBy),
    change,
  };
}

const presenterOf = ({ id, key }: z.output<typeof presenter>): Presenter => ({
  id: id as SpiffeId,
  key: key as Sha256Hex | undefined,
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
