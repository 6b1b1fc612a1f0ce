import { describe, expect, it } from 'vitest';
import { createDecisionCache, decisionKey, KEY_PARTS } from '../../src/state/decision-cache.js';
import type { CachedDecision, DecisionCache, KeyInputs } from '../../src/state/decision-cache.js';
import { refuse } from '../../src/model/result.js';

const MADE = 1_000_000;
const entry = (changes: Partial<CachedDecision> = {}): CachedDecision => ({
  decision: { verdict: { kind: 'deny', refusal: refuse('scope_missing', '') }, findings: {} },
  horizon: { from: -Infinity, until: Infinity },
  madeAt: MADE,
  names: undefined,
  beside: undefined,
  ...changes,
});
const holding = (changes: Partial<CachedDecision> = {}, maxAge = 60_000): DecisionCache => {
  const cache = createDecisionCache(10, maxAge);
  cache.store('key', entry(changes));
  return cache;
};
const isFound = (cache: DecisionCache, now: number): boolean => cache.find('key', now) !== undefined;

describe('a decision that was kept', () => {
  it('is found by its key alone', () => {
    const cache = holding();
    expect(cache.find('key', MADE)).toEqual(entry());
    expect(cache.find('other', MADE)).toBeUndefined();
    expect(cache.size()).toBe(1);
  });

  it('counts for maxAge, and not a millisecond longer', () => {
    expect([MADE + 59_999, MADE + 60_000].map((now) => isFound(holding(), now))).toEqual([true, false]);
  });

  it('counts within its horizon: from its first moment to before its last', () => {
    const cache = holding({ horizon: { from: MADE - 10, until: MADE + 10 } });
    const found = [-11, -10, 9, 10].map((after) => isFound(cache, MADE + after));
    expect(found).toEqual([false, true, true, false]);
  });

  it('counts a little before it was made, because clocks are set back, but by 5 s at most', () => {
    expect([-5000, -5001].map((after) => isFound(holding(), MADE + after))).toEqual([true, false]);
  });

  it('is gone once everything is forgotten', () => {
    const cache = holding();
    cache.clear();
    expect([isFound(cache, MADE), cache.size()]).toEqual([false, 0]);
  });

  it('makes room for newer ones where there are too many', () => {
    const cache = createDecisionCache(2, 60_000);
    for (const key of ['a', 'b', 'c']) cache.store(key, entry());
    expect(cache.size()).toBe(2);
    expect(['a', 'b', 'c'].map((key) => cache.find(key, MADE) !== undefined)).toEqual([false, true, true]);
  });
});

describe('the key of a decision', () => {
  const inputs = Object.fromEntries(KEY_PARTS.map((part) => [part, part])) as unknown as KeyInputs;

  it('is another one wherever any part is another one', () => {
    const keys = KEY_PARTS.map((part) => decisionKey({ ...inputs, [part]: 'changed' }));
    expect(new Set([decisionKey(inputs), ...keys]).size).toBe(KEY_PARTS.length + 1);
    expect(decisionKey({ ...inputs })).toBe(decisionKey(inputs));
  });

  it('cannot be met by moving text from one part to the next', () => {
    KEY_PARTS.slice(1).forEach((second, index) => {
      const first = KEY_PARTS[index] ?? second;
      const pairs = [
        ['ab', 'c'],
        ['a', 'bc'],
        ['', 'abc'],
        ['abc', ''],
        ['a1:b', 'c'],
        ['a', '1:bc'],
        ['1:a', '1:b'],
        ['', '3:1:a1:b'],
      ];
      const keys = pairs.map(([a = '', b = '']) => decisionKey({ ...inputs, [first]: a, [second]: b }));
      expect(new Set(keys).size).toBe(pairs.length);
    });
  });

  it('holds only the parts that it is asked for', () => {
    const without = KEY_PARTS.filter((part) => part !== 'host');
    expect(decisionKey({ ...inputs, host: 'other' }, without)).toBe(decisionKey(inputs, without));
    expect(decisionKey(inputs, without)).not.toBe(decisionKey(inputs));
  });
});
