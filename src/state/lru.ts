/** Entries by key, of which the ones that were not asked for longest make room. Takes memory as entries come, not in advance. */
import { LRUCache } from 'lru-cache';

export type Lru<K extends object | string, V extends object | string> = LRUCache<K, V>;

export const createLru = <K extends object | string, V extends object | string>(entries: number): Lru<K, V> =>
  // With `max` it would make lists of that length at once: megabytes in a guard that nobody asks.
  new LRUCache<K, V>({ maxSize: Math.max(1, entries), sizeCalculation: () => 1 });
