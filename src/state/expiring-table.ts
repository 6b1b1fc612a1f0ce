/**
 * A bounded table whose live entries are never pushed out: it says that it is full instead. Expired entries are swept
 * when the room is needed, at most once a second, so that a flood against a full table stays cheap.
 */
export interface ExpiringTable<V> {
  get(key: string, now: number): V | undefined;
  /** False where the table is full of live entries. `until` (ms) is exclusive. */
  put(key: string, value: V, until: number, now: number): boolean;
  remove(key: string): void;
  /** Live entries. What is put or removed meanwhile may be left out. */
  entries(now: number): Iterable<readonly [key: string, value: V, until: number]>;
  size(): number;
  sweep(now: number): void;
}

const SWEEP_EVERY = 1000;

export function createExpiringTable<V>(max: number): ExpiringTable<V> {
  const entries = new Map<string, { readonly value: V; readonly until: number }>();
  let swept = -Infinity;
  const sweep = (now: number): void => {
    swept = now;
    for (const [key, entry] of entries) if (entry.until <= now) entries.delete(key);
  };
  return {
    get(key, now) {
      const entry = entries.get(key);
      return entry !== undefined && entry.until > now ? entry.value : undefined;
    },
    put(key, value, until, now) {
      if (entries.size >= max && !entries.has(key) && Math.abs(now - swept) >= SWEEP_EVERY) sweep(now);
      if (entries.size >= max && !entries.has(key)) return false;
      entries.set(key, { value, until });
      return true;
    },
    remove: (key) => void entries.delete(key),
    *entries(now) {
      for (const [key, { value, until }] of entries) if (until > now) yield [key, value, until];
    },
    size: () => entries.size,
    sweep,
  };
}
