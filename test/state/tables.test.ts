import { describe, expect, it } from 'vitest';
import { createInterned } from '../../src/state/interned.js';
import type { Interned } from '../../src/state/interned.js';
import { createShelf } from '../../src/state/shelf.js';
import { createTuples } from '../../src/state/tuples.js';
import { watchClock } from '../../src/state/clock.js';
import { createRevocations } from '../../src/state/revocations.js';
import { seeded } from '../helpers/random.js';

function interned(places = 64, maxBytes = 64 * 1024): Interned {
  let last = 1;
  return createInterned({ places, maxBytes, next: () => (last += 1), seed: 12345 });
}
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const add = (texts: Interned, text: string): number => texts.add(bytes(text), 0, text.length);
const find = (texts: Interned, text: string): number => texts.find(bytes(text), 0, text.length);

describe('texts by their exact bytes', () => {
  it('have one number each, wherever in a buffer they lie', () => {
    const texts = interned();
    const number = add(texts, 'abc');
    expect(number).toBeGreaterThan(1);
    expect(add(texts, 'abc')).toBe(number);
    expect(texts.find(bytes('xxabcxx'), 2, 5)).toBe(number);
    expect([find(texts, 'abd'), find(texts, 'ab'), find(texts, 'abcd'), find(texts, '')]).toEqual([0, 0, 0, 0]);
  });

  it('are told apart by any one byte, however long they are', () => {
    const random = seeded(3);
    for (const length of [1, 8, 40, 48, 49, 56, 57, 100, 1000, 5000]) {
      const texts = interned(1024, 1024 * 1024);
      const text = Buffer.from(Array.from({ length }, () => 32 + random.below(90)));
      const number = texts.add(text, 0, length);
      for (let at = 0; at < length; at += Math.ceil(length / 200)) {
        const other = Buffer.from(text);
        other[at] = (other[at] ?? 0) ^ 1;
        expect(texts.find(other, 0, length), `${length} ${at}`).toBe(0);
      }
      expect(texts.find(text, 0, length)).toBe(number);
    }
  });

  it('that fall on one place displace each other, and are never taken for one another', () => {
    const texts = interned(4);
    const given = new Map<string, number>();
    for (let n = 0; n < 500; n += 1) given.set(`text ${n}`, add(texts, `text ${n}`));
    expect(new Set(given.values()).size).toBe(500);
    const known = [...given].filter(([text, number]) => {
      const found = find(texts, text);
      expect([0, number]).toContain(found);
      return found === number;
    });
    expect(known.length).toBeLessThanOrEqual(8);
    expect(texts.size()).toBeLessThanOrEqual(8);
  });

  it('that are asked for stay, through a flood of others that is larger than the room', () => {
    const texts = interned(1024, 64 * 1024);
    const regular = 'r'.repeat(700);
    const number = add(texts, regular);
    add(texts, 'once, and never again');
    for (let n = 0; n < 2000; n += 1) {
      add(texts, `${n} `.padEnd(700, 'f'));
      if (n % 20 === 0) expect(find(texts, regular), String(n)).toBe(number);
    }
    expect(find(texts, 'once, and never again')).toBe(0);
  });

  it('are not kept where they are too long, and all gone when they are forgotten', () => {
    const texts = interned();
    expect(add(texts, 'x'.repeat(32 * 1024 + 1))).toBe(0);
    expect(add(texts, 'x'.repeat(32 * 1024))).toBeGreaterThan(0);
    add(texts, 'abc');
    texts.clear();
    expect([find(texts, 'abc'), texts.size()]).toEqual([0, 0]);
  });
});

describe('values by a few numbers', () => {
  const key = (...numbers: number[]): Int32Array => Int32Array.from(numbers);

  it('are found by all of them, and by no others', () => {
    const tuples = createTuples<string>(3, 64);
    tuples.store(key(1, 2, 3), 'a');
    expect(tuples.find(key(1, 2, 3))).toBe('a');
    for (const other of [key(0, 2, 3), key(1, 0, 3), key(1, 2, 0), key(3, 2, 1)])
      expect(tuples.find(other)).toBeUndefined();
    tuples.store(key(1, 2, 3), 'b');
    expect(tuples.find(key(1, 2, 3))).toBe('b');
    tuples.clear();
    expect(tuples.find(key(1, 2, 3))).toBeUndefined();
  });

  it('displace each other where there is no room, and are never taken for one another', () => {
    const tuples = createTuples<number>(2, 16);
    for (let n = 0; n < 1000; n += 1) {
      tuples.store(key(n, n * 7), n);
      expect(tuples.find(key(n, n * 7))).toBe(n);
    }
    const left = Array.from({ length: 1000 }, (_, n) => tuples.find(key(n, n * 7))).filter(
      (value) => value !== undefined,
    );
    expect(left.length).toBeLessThanOrEqual(16);
  });
});

describe('a shelf', () => {
  const thing = (): { used: boolean; dropped: boolean; drop(): void } => ({
    used: false,
    dropped: false,
    drop() {
      this.dropped = true;
    },
  });

  it('holds no more than it should, and keeps what is used', () => {
    const shelf = createShelf<ReturnType<typeof thing>>(10);
    const all = Array.from({ length: 10 }, thing);
    for (const each of all) expect(shelf.admit(each)).toBe(true);
    const [regular] = all;
    const others = Array.from({ length: 1000 }, thing);
    const admitted = others.filter((each) => {
      if (regular !== undefined) regular.used = true;
      return shelf.admit(each);
    });
    expect(admitted.length).toBeLessThanOrEqual(1000 / 8);
    expect(admitted.length).toBeGreaterThan(50);
    expect([...all, ...admitted].filter(({ dropped }) => !dropped).length).toBe(10);
    expect(regular?.dropped).toBe(false);
    shelf.clear();
    expect([...all, ...admitted].every(({ dropped }) => dropped)).toBe(true);
  });
});

describe('a watched clock', () => {
  it('tells of a step back by more than five seconds, once', () => {
    let [now, steps] = [100_000, 0];
    const read = watchClock(
      () => now,
      () => (steps += 1),
    );
    for (const next of [100_000, 95_000, 100_000, 94_999, 94_999, 200_000]) {
      now = next;
      expect(read()).toBe(next);
    }
    expect(steps).toBe(1);
  });
});

describe('the standing of revocations', () => {
  it('is another one with each that is news, and with no other', () => {
    const revocations = createRevocations();
    const revocation = { type: 'txn', value: 't', issuer: undefined, until: 10 } as const;
    const seen = [revocations.standing(0)];
    const note = (): void => void seen.push(revocations.standing(0));
    revocations.revoke(revocation);
    note();
    revocations.revoke({ ...revocation, until: 5 });
    note();
    revocations.unrevoke(revocation);
    note();
    revocations.revoke(revocation);
    note();
    const [first, added, shorter, ended, again] = seen;
    expect([added === first, shorter === added, ended === added, again === ended]).toEqual([false, true, true, false]);
  });
});
