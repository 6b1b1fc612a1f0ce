/** What equal texts share, and that sharing never gives one text for another. */
import { describe, expect, it } from 'vitest';
import { createLru } from '../../src/state/lru.js';
import { rememberTexts } from '../../src/state/remembered.js';
import { createSharedTexts } from '../../src/state/shared-texts.js';

describe('shared texts', () => {
  it('gives the first list for an equal one, and never for another', () => {
    const { list } = createSharedTexts();
    const first = ['orders.read', 'orders.write'];
    expect(list(first)).toBe(first);
    expect(list(['orders.read', 'orders.write'])).toBe(first);
    for (const other of [
      ['orders.read,orders.write'],
      ['orders.readorders.write'],
      ['orders.write', 'orders.read'],
      [],
    ])
      expect(list(other)).toEqual(other);
  });

  it('tells lists apart that hold what stands before a text', () => {
    const { list } = createSharedTexts();
    expect(list(['a1:b'])).toEqual(['a1:b']);
    expect(list(['a', 'b'])).toEqual(['a', 'b']);
    expect(list(['1:a', 'b'])).toEqual(['1:a', 'b']);
    expect(list(['1', 'a', 'b'])).toEqual(['1', 'a', 'b']);
  });

  it('begins anew when it is full, and says the same as before', () => {
    const { text, list } = createSharedTexts();
    for (let n = 0; n < 5000; n += 1) {
      expect(text(`subject ${n}`)).toBe(`subject ${n}`);
      expect(list([`scope.${n}`])).toEqual([`scope.${n}`]);
    }
  });

  it('leaves long lists as they are', () => {
    const { list } = createSharedTexts();
    const [one, two] = [['x'.repeat(2000)], ['x'.repeat(2000)]];
    expect(list(one)).toBe(one);
    expect(list(two)).toBe(two);
  });
});

describe('a function of a text that is remembered', () => {
  const counted = (): { readonly make: (text: string) => { readonly text: string }; readonly made: string[] } => {
    const made: string[] = [];
    return { made, make: rememberTexts((text) => (made.push(text), { text })) };
  };

  it('is asked once for each text', () => {
    const { make, made } = counted();
    expect(make('a')).toBe(make('a'));
    expect(make('b').text).toBe('b');
    expect(made).toEqual(['a', 'b']);
  });

  it('keeps what is asked for again through a flood of new texts, and forgets those', () => {
    const { make, made } = counted();
    for (let n = 0; n < 3000; n += 1) {
      make('regular');
      make(`new ${n}`);
    }
    expect(made.filter((text) => text === 'regular').length).toBeLessThan(10);
    make('new 0');
    expect(made.filter((text) => text === 'new 0')).toHaveLength(2);
  });

  it('does not keep long texts', () => {
    const { make, made } = counted();
    make('x'.repeat(5000));
    make('x'.repeat(5000));
    expect(made).toHaveLength(2);
  });
});

describe('entries by key', () => {
  it('drops the one that was not asked for longest', () => {
    const lru = createLru<string, string>(3);
    for (const key of ['a', 'b', 'c']) lru.set(key, key);
    lru.get('a');
    lru.set('d', 'd');
    expect([...lru.keys()].sort()).toEqual(['a', 'c', 'd']);
    expect(lru.size).toBe(3);
    expect(lru.pop()).toBe('c');
  });

  it('holds one entry where none is asked for', () => {
    const lru = createLru<string, string>(0);
    lru.set('a', 'a');
    lru.set('b', 'b');
    expect(lru.size).toBe(1);
  });
});
