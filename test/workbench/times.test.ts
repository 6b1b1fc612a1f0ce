import { describe, expect, it } from 'vitest';
import { momentText } from '../../src/workbench/times.js';

const HOUR = 3_600_000;

describe('a moment', () => {
  it('says how far away it is, on which side', () => {
    expect(momentText(0, HOUR)).toBe('1970-01-01T00:00:00.000Z (1h ago)');
    expect(momentText(HOUR, 0)).toBe('1970-01-01T01:00:00.000Z (in 1h)');
  });

  it('is a number where no calendar has it', () => {
    expect(momentText(1e20, 0)).toBe('100000000000000000000');
  });
});
