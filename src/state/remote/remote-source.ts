/**
 * A source elsewhere that is asked again and again in the background. In: how to load it, and its pace. Out: a Source.
 *
 *   waiting ──due, missed, SIGHUP──▶ asking ──answer──▶ landed ──poll──▶ waiting
 *
 * One attempt at a time; what it brought is taken in by `poll`, so that a value changes at one place. The last good value
 * goes on while the source is down, for `maxStale` since it last answered, and then there is none. That something was missed
 * is remembered as one bit, and answered by one attempt in each cool-down, however many ask for however many kids.
 */
import type { Source } from '../source.js';
import { nextRefresh, nextRetry } from './freshness.js';
import type { Pace } from './freshness.js';
import type { Loaded } from './loaders.js';

export interface RemoteOptions<T, Authorities> {
  /** URL, for people. */
  readonly from: string;
  readonly load: (authorities: Authorities | undefined, ended: AbortSignal, now: number) => Promise<Loaded<T>>;
  /** Who may have signed the server's certificate: a watched file; undefined where there is none. */
  readonly authorities: Source<Authorities> | undefined;
  /** ms. */
  readonly maxStale: number;
  readonly pace: Pace;
  /** From 0 to 1. */
  readonly chance: () => number;
}

export function followRemote<T, Authorities>({
  from,
  load,
  authorities,
  maxStale,
  pace,
  chance,
}: RemoteOptions<T, Authorities>): Source<T> {
  const ending = new AbortController();
  const wakes = new Set<() => void>();
  const first = firstTime();
  let [value, loadedAt]: [T | undefined, number] = [undefined, -Infinity];
  let problem: string | undefined = 'it has not answered yet';
  let [askedAt, dueAt, failures] = [-Infinity, -Infinity, 0];
  let asking = false;
  let missed = false;
  /** SIGHUP came while an attempt was under way, which may have been answered before it. */
  let again = false;
  let landed: Loaded<T> | undefined;
  let trusted: Authorities | undefined;

  const ask = (now: number, trusted: Authorities | undefined): void => {
    [asking, missed, askedAt] = [true, false, now];
    void load(trusted, ending.signal, now)
      .catch((error: unknown): Loaded<T> => ({ kind: 'failed', problem: String(error) }))
      .then((loaded) => {
        asking = false;
        landed = loaded;
        first.done();
        for (const wake of wakes) wake();
      });
  };

  const take = (loaded: Loaded<T>, now: number): void => {
    landed = undefined;
    if (loaded.kind === 'failed') {
      failures += 1;
      problem = loaded.problem;
      dueAt = again ? now : now + nextRetry(failures, pace, chance());
      again = false;
      return;
    }
    if (loaded.kind === 'value') value = loaded.value;
    [loadedAt, failures, problem] = [now, 0, undefined];
    dueAt = again ? now : now + nextRefresh(loaded.refreshAfter, pace, maxStale, chance());
    again = false;
  };

  const badAuthorities = (): string | undefined => {
    const bad = authorities?.problem();
    return bad === undefined ? undefined : `${authorities?.from ?? ''}: ${bad}`;
  };

  /** A clock that stepped back must not put the next attempt off. */
  const isDue = (now: number): boolean => now >= dueAt || now < askedAt || (missed && now - askedAt >= pace.coolDown);

  return {
    kind: 'remote',
    from,
    current: (now) => (now - loadedAt > maxStale ? undefined : value),
    problem: () => badAuthorities() ?? problem,
    startProblem: badAuthorities,
    loadedAt: () => loadedAt,
    async poll(now, force = false) {
      if (landed !== undefined) take(landed, now);
      await authorities?.poll(now, force);
      const nowTrusted = authorities?.current(now);
      if (force || nowTrusted !== trusted) dueAt = now;
      if (force && asking) again = true;
      trusted = nowTrusted;
      // A clock that stepped back must not make what we have look young.
      loadedAt = Math.min(loadedAt, now);
      const may = authorities === undefined || trusted !== undefined;
      if (!may) first.done();
      if (may && !asking && !ending.signal.aborted && isDue(now)) ask(now, trusted);
    },
    onChange(wake) {
      wakes.add(wake);
      return () => void wakes.delete(wake);
    },
    settled: () => first.time,
    missed() {
      if (missed) return;
      missed = true;
      for (const wake of wakes) wake();
    },
    close() {
      ending.abort();
      authorities?.close?.();
    },
  };
}

function firstTime(): { readonly time: Promise<void>; readonly done: () => void } {
  let done: () => void = () => undefined;
  const time = new Promise<void>((resolve) => (done = resolve));
  return { time, done };
}
