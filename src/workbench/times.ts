/** Moments and spans for people: `2026-11-24T00:00:00.000Z (in 2h 5m)`. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units: `3d 4h`, `12m`, `0s`. */
export function spanText(ms: number): string {
  let left = Math.abs(ms);
  const words: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) words.push(`${count}${unit}`);
    if (words.length === 2 || (words.length === 1 && count === 0)) break;
  }
  return words.length === 0 ? '0s' : words.join(' ');
}

export const distanceText = (time: number, now: number): string =>
  time > now ? `in ${spanText(time - now)}` : `${spanText(now - time)} ago`;

/** A time that no calendar has is shown as its number. */
export const momentText = (time: number, now: number): string =>
  Math.abs(time) <= 8.64e15 ? `${new Date(time).toISOString()} (${distanceText(time, now)})` : String(time);
