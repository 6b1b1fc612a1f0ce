/** Durations as text: what configurations and scope lines write, and what people read. All numbers are milliseconds. */

/** The smallest first. */
export const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const DURATION = /^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$/;
const LARGEST_FIRST = [...DURATION_UNITS].reverse();

/** An integer and a unit → ms. Refuses signs, fractions and sums of units. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  const unit = DURATION_UNITS.get(match?.[2] ?? '');
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** The shortest spelling with one unit, as `parseDuration` takes it: 90000 → `90s`. */
export function formatDuration(ms: number): string {
  const [unit, size] = LARGEST_FIRST.find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** As a person writes it, exact to the millisecond: 330000 → `5m30s`. */
export const durationText = (ms: number): string => partsOf(Math.ceil(ms)).join('') || '0s';

/** The two largest units, rounded down, and without a sign: 7509000 → `2h 5m`; below a second `0s`. */
export function spanText(ms: number): string {
  const parts = partsOf(Math.floor(Math.abs(ms) / 1000) * 1000, true);
  const [first = '0s', second = ''] = parts;
  return second === '' ? first : `${first} ${second}`;
}

/** `spaced`: with an empty text for a unit between two others that counts nothing. */
function partsOf(ms: number, spaced = false): string[] {
  let left = Math.abs(ms);
  const parts: string[] = [];
  for (const [unit, size] of LARGEST_FIRST) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (spaced && parts.length > 0) parts.push('');
  }
  return parts;
}

/** To the second: `2026-06-01T12:00:00Z`. */
export const dateText = (ms: number): string =>
  Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z') : 'a time that no calendar has';
