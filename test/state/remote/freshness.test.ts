import { describe, expect, it, test } from 'vitest';
import { lifetimeOf, nextRefresh, nextRetry, PACE } from '../../../src/state/remote/freshness.js';
import { LIMITS } from '../../../src/state/remote/https.js';

const DAY = 86_400_000;

describe('what an answer says about its age', () => {
  it.each([
    ['max-age=60', '', 60_000],
    ['public, MAX-AGE="60", must-revalidate', '', 60_000],
    ['max-age=60', '20', 40_000],
    ['max-age=60', '90', 0],
    ['max-age=60', 'soon', 60_000],
    ['max-age=60, no-store', '', undefined],
    ['no-cache, max-age=60', '', undefined],
    ['max-age=0', '', undefined],
    ['max-age=-5', '', undefined],
    ['s-maxage=60', '', undefined],
    ['max-age=99999999999999999999', '', undefined],
    ['', '', undefined],
  ])('%j with the age %j is %j ms', (cacheControl, age, expected) => {
    expect(lifetimeOf(cacheControl, age)).toBe(expected);
  });
});

describe('the next attempt', () => {
  it.each([
    ['what is asked for', 60_000, 60_000],
    ['never more often than the least', 0, PACE.least],
    ['never later than the most', DAY, PACE.most],
    ['what is usual where nothing is said', undefined, PACE.usual],
  ])('comes after %s', (_, asked, expected) => {
    expect(nextRefresh(asked, PACE, DAY, 0)).toBe(expected);
    expect(nextRefresh(asked, PACE, DAY, 1)).toBe(expected * 0.9);
  });

  it('comes before the value is too old, whatever was asked for', () => {
    expect(nextRefresh(DAY, PACE, 60_000, 0)).toBe(30_000);
  });

  it('comes later after each failure, up to a bound, and at different moments in a fleet', () => {
    const after = [1, 2, 3, 6, 100].map((failures) => nextRetry(failures, PACE, 1));
    expect(after).toEqual([1000, 2000, 4000, 30_000, 30_000]);
    expect(nextRetry(1, PACE, 0)).toBe(500);
  });
});

test('the limits of the product', () => {
  expect(LIMITS).toEqual({ whole: 10_000, idle: 5_000, bytes: 1_048_576 });
  // Contract: a new kid counts within 35 s. The cool-down and one attempt that takes as long as it healthily can.
  expect(PACE.coolDown).toBe(30_000);
  expect(PACE).toMatchObject({ least: 1_000, most: 900_000, usual: 300_000, retryMost: 30_000 });
});
