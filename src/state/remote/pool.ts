/**
 * Sources elsewhere outlive a reload of the configuration: the new settings take over what the old ones had fetched, with
 * its age, so that a reload while a source is down costs no keys. In: a name that says everything about a source. Out: the
 * source, opened once; it ends when the last one who took it closes it.
 */
import type { Source } from '../source.js';

export type Pool<T> = (name: string, open: () => Source<T>) => Source<T>;

export function createPool<T>(): Pool<T> {
  const shared = new Map<string, { readonly source: Source<T>; users: number }>();
  return (name, open) => {
    const entry = shared.get(name) ?? { source: open(), users: 0 };
    shared.set(name, entry);
    entry.users += 1;
    let closed = false;
    return {
      ...entry.source,
      close() {
        if (closed) return;
        closed = true;
        entry.users -= 1;
        if (entry.users > 0) return;
        shared.delete(name);
        entry.source.close?.();
      },
    };
  };
}
