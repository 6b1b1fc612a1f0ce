/**
 * A value that somebody else brings when it changes, as a source. In: something to read, bad news, or that there is nothing
 * (any more). Out: what `Source` says. What came last counts, and is read by `poll`, so that a check never sees half of it.
 * What cannot be read keeps the last good value, for at most `maxStale`; so does a bringer that is gone. Does NOT ask
 * anybody for anything, and keeps nothing of what was brought but what was made of it.
 */
import type { Reading } from '../../x509/der.js';
import type { Source } from '../source.js';

export type News<T> =
  /** What has the same `id` as the last good one is not read again. */
  | { readonly kind: 'new'; readonly id: string; readonly read: () => Reading<T> | Promise<Reading<T>> }
  /** Nobody vouches for the last good value, nor against it. */
  | { readonly kind: 'lost'; readonly problem: string }
  /** What was said before is taken back; `instead` where that is a value too, and not only a lack. */
  | { readonly kind: 'gone'; readonly problem: string; readonly instead: T | undefined };

type Said<T> = Exclude<News<T>, { readonly kind: 'lost' }>;

export interface Brought<T> {
  readonly source: Source<T>;
  bring(news: News<T>): void;
}

export interface BroughtOptions {
  readonly from: string;
  /** ms. */
  readonly maxStale: number;
  /** Before anything was brought. */
  readonly waiting: string;
  /** SIGHUP: ask anew. */
  readonly again: () => void;
  readonly close: () => void;
}

/** What is wrong; `since` where the value ages by it. */
interface Bad {
  readonly problem: string;
  readonly since: number | undefined;
}

export function createBrought<T>(options: BroughtOptions): Brought<T> {
  const { from, maxStale, waiting, again, close } = options;
  const wakes = new Set<() => void>();
  const first = settling();
  // Apart: that the bringer is gone must not hide what it said last, which may have taken something back.
  let said: Said<T> | undefined;
  let lost: string | undefined;
  let value: T | undefined;
  let id: string | undefined;
  let bad: Bad | undefined = { problem: waiting, since: undefined };
  let loadedAt = -Infinity;

  const worse = (problem: string, now: number): void => void (bad = { problem, since: bad?.since ?? now });

  const takeIn = async (taken: Said<T>, now: number): Promise<void> => {
    switch (taken.kind) {
      case 'gone':
        [value, id, bad] = [taken.instead, undefined, { problem: taken.problem, since: undefined }];
        return;
      case 'new': {
        if (id !== taken.id) {
          const reading = await taken.read();
          if (!reading.ok) return worse(reading.problem, now);
          [value, id] = [reading.value, taken.id];
        }
        bad = undefined;
      }
    }
  };

  const source: Source<T> = {
    kind: 'remote',
    from,
    current: (now) => (bad?.since !== undefined && now - bad.since > maxStale ? undefined : value),
    problem: () => bad?.problem,
    loadedAt: () => loadedAt,
    async poll(now, force = false) {
      if (force) again();
      const [taken, gone] = [said, lost];
      [said, lost] = [undefined, undefined];
      if (taken !== undefined) await takeIn(taken, now);
      if (gone !== undefined) worse(gone, now);
      // Who brings changes vouches for what it said last for as long as it is there.
      if (value !== undefined && bad?.since === undefined) loadedAt = now;
    },
    onChange(wake) {
      wakes.add(wake);
      return () => void wakes.delete(wake);
    },
    settled: () => first.settled,
    close,
  };
  const bring = (brought: News<T>): void => {
    if (brought.kind === 'lost') lost = brought.problem;
    else [said, lost] = [brought, undefined];
    first.settle();
    for (const wake of wakes) wake();
  };
  return { source, bring };
}

function settling(): { readonly settled: Promise<void>; readonly settle: () => void } {
  let settle = (): void => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  return { settled, settle };
}
