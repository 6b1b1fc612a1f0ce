/** Durations of the configuration: an integer and a unit → milliseconds. Refuses signs, fractions and sums of units. */
const DURATION = /^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$/;
const UNITS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  const unit = UNITS.get(match?.[2] ?? '');
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** The shortest spelling with one unit: 90000 → `90s`. */
export function formatDuration(ms: number): string {
  const [unit, size] = [...UNITS].reverse().find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}
