/**
 * When something that rotates must be trusted, may be, and must not be: from the moments at which the generator itself put it
 * there and took it away, never from what the guard says. Times in ms; between two sure answers lies the allowed overlap.
 */

export interface Life {
  /** From here it may be trusted. */
  readonly first: number;
  /** From here it must be. */
  readonly from: number;
  /** Up to here it must be. */
  readonly last: number;
  /** From here it must not be. */
  readonly until: number;
}

export type Trusted = 'yes' | 'no' | 'either';

/** Of a question that was sent and answered at these moments. */
export function trustedAt({ first, from, last, until }: Life, sent: number, answered: number): Trusted {
  if (answered < first || sent >= until) return 'no';
  return sent >= from && answered <= last ? 'yes' : 'either';
}

/** What is put into a file: a change counts within `grace`. */
export const fileLife = (put: number, taken: number, grace: number): Life => ({
  first: put,
  from: put + grace,
  last: taken,
  until: taken + grace,
});

/** What is served: it counts once it was fetched, and a moment to take it in. `fetches` in their order. */
export function servedLife(put: number, taken: number, fetches: readonly number[], moment: number): Life {
  const after = (time: number): number => (fetches.find((fetch) => fetch >= time) ?? Infinity) + moment;
  return { first: put, from: after(put), last: taken, until: after(taken) };
}
