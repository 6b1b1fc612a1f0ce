import { describe, expect, it } from 'vitest';
import { momentText, spanText } from '../../src/workbench/times.js';

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

describe('a moment', () => {
  it('says how far away it is, on which side', () => {
    expect(momentText(0, HOUR)).toBe('1970-01-01T00:00:00.000Z (1h ago)');
    expect(momentText(HOUR, 0)).toBe('1970-01-01T01:00:00.000Z (in 1h)');
  });

  it('is a number where no calendar has it', () => {
    expect(momentText(1e20, 0)).toBe('100000000000000000000');
  });
});
