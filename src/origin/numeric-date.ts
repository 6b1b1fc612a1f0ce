/** RFC 7519 §2 NumericDate. In: a claim. Out: ms since 1970, or undefined where it is none. Knows nothing of now. */

/** The end of the year 9999: later ones have no ISO 8601 date of four digits, and no issuer means them. */
const MAX_SECONDS = 253_402_300_799;

/**
 * Seconds, maybe with a fraction. Microseconds are whole numbers here, so that a fraction of milliseconds is exact:
 * 1.001 s is 1001 ms and not 1000.9999999999999.
 */
export function milliseconds(seconds: unknown): number | undefined {
  if (typeof seconds !== 'number' || !(Math.abs(seconds) <= MAX_SECONDS)) return undefined;
  return Math.round(seconds * 1e6) / 1e3;
}
