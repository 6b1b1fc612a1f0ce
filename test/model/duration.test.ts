import { describe, expect, it } from 'vitest';
import { dateText, durationText, formatDuration, spanText } from '../../src/model/duration.js';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

describe('a span', () => {
  it.each([
    [0, '0s'],
    [999, '0s'],
    [59 * SECOND, '59s'],
    [HOUR, '1h'],
    [HOUR + SECOND, '1h'],
    [2 * HOUR + 5 * MINUTE + 9 * SECOND, '2h 5m'],
    [3 * DAY + 4 * HOUR + MINUTE, '3d 4h'],
    [-90 * SECOND, '1m 30s'],
  ])('of %i ms is %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
});

describe('a duration', () => {
  it.each([
    [0, '0s'],
    [1, '1ms'],
    [1500, '1s500ms'],
    [5 * MINUTE + 30 * SECOND, '5m30s'],
    [HOUR, '1h'],
    [DAY + SECOND, '1d1s'],
    [0.5, '1ms'],
  ])('of %d ms reads %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('is configured with one unit', () => {
    expect([HOUR, 90 * SECOND, 1500].map(formatDuration)).toEqual(['1h', '90s', '1500ms']);
  });
});

describe('a date', () => {
  it('has no fractions, and says so where no calendar has it', () => {
    expect(dateText(0)).toBe('1970-01-01T00:00:00Z');
    expect(dateText(Number.NaN)).toContain('no calendar');
  });
});
