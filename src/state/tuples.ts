/**
 * Values by a few numbers, for example those of `interned.ts`. Bounded: each place holds four values, and a new one takes the
 * place of one of them. Nothing is waited for and nothing is swept.
 */
export interface Tuples<V> {
  /** `key` holds as many numbers as each other key. */
  find(key: Int32Array): V | undefined;
  store(key: Int32Array, value: V): void;
  clear(): void;
}

const WAYS = 4;

/** `places` is a power of two. */
export function createTuples<V>(width: number, places: number): Tuples<V> {
  const keys = new Int32Array(places * width);
  const values: (V | undefined)[] = new Array<V | undefined>(places).fill(undefined);
  const mask = places / WAYS - 1;
  let turn = 0;
  const isAt = (place: number, key: Int32Array): boolean => {
    for (let index = 0; index < width; index += 1) if (keys[place * width + index] !== key[index]) return false;
    return true;
  };
  const firstOf = (key: Int32Array): number => {
    let hash = 0x811c9dc5;
    for (let index = 0; index < width; index += 1) hash = Math.imul(hash ^ (key[index] as number), 0x01000193);
    return ((hash ^ (hash >>> 15)) & mask) * WAYS;
  };
  const free = (key: Int32Array): number => {
    const first = firstOf(key);
    for (let place = first; place < first + WAYS; place += 1)
      if (values[place] === undefined || isAt(place, key)) return place;
    return first + (turn++ % WAYS);
  };
  return {
    find(key) {
      const first = firstOf(key);
      for (let place = first; place < first + WAYS; place += 1)
        if (values[place] !== undefined && isAt(place, key)) return values[place];
      return undefined;
    },
    store(key, value) {
      const place = free(key);
      keys.set(key, place * width);
      values[place] = value;
    },
    clear: () => void values.fill(undefined),
  };
}
