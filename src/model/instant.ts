/**
 * The one moment at which a request is decided. Every comparison with a time goes through it, so that it knows for
 * which neighbouring moments the same decision would have been made: [from, until). That interval is the expiry of a
 * cached decision, and nobody can forget to add a part to it. Kept true by test/properties/cache.test.ts.
 */
export interface Instant {
  /** Milliseconds since 1970, read once for each request. */
  readonly now: number;
  /** Whether `time` (ms) lies at or before now. `part` names what the time belongs to, for records and tests. */
  reached(time: number, part: HorizonPart): boolean;
  /** The interval of moments in which every comparison made so far has the same outcome. */
  horizon(): Horizon;
}

export interface Horizon {
  /** Inclusive, ms. */
  readonly from: number;
  /** Exclusive, ms. */
  readonly until: number;
}

export const HORIZON_PARTS = [
  'certificate.notBefore',
  'certificate.notAfter',
  'issuer.notBefore',
  'issuer.notAfter',
  'token.exp',
  'token.nbf',
  'token.iat',
  'token.age',
] as const;
export type HorizonPart = (typeof HORIZON_PARTS)[number];

/** `deaf` leaves one part out of the horizon: for the tests that prove that each part is needed. */
export function instantAt(now: number, deaf?: HorizonPart): Instant {
  let from = -Infinity;
  let until = Infinity;
  return {
    now,
    reached(time, part) {
      const reached = time <= now;
      if (part === deaf || Number.isNaN(time)) return reached;
      if (reached) from = Math.max(from, time);
      else until = Math.min(until, time);
      return reached;
    },
    horizon: () => ({ from, until }),
  };
}
