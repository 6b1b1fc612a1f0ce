/**
 * When a source is asked again. In: what its answer says about its age (RFC 9111 §5.2.2), or how often it failed. Out: ms.
 * Chance comes in as a number from 0 to 1, so that a fleet that started together does not ask together.
 */

/** ms. */
export interface Pace {
  /** Least and most that an answer can ask for. The most is also how long a removed key can still count. */
  readonly least: number;
  readonly most: number;
  /** Where an answer says nothing, or that it may not be kept: many servers say that of everything. */
  readonly usual: number;
  /** After a failure; doubles with each further one. */
  readonly retry: number;
  readonly retryMost: number;
  /** Between two attempts, whatever is missed. */
  readonly coolDown: number;
}

export const PACE: Pace = {
  least: 1_000,
  most: 900_000,
  usual: 300_000,
  retry: 1_000,
  retryMost: 30_000,
  coolDown: 30_000,
};

/** ms that the answer itself asks for; undefined where it does not say. */
export function lifetimeOf(cacheControl = '', age = ''): number | undefined {
  const directives = cacheControl
    .toLowerCase()
    .split(',')
    .map((part) => part.trim());
  if (directives.includes('no-store') || directives.includes('no-cache')) return undefined;
  const seconds = directives.flatMap((directive) => /^max-age="?(\d{1,10})"?$/.exec(directive)?.[1] ?? [])[0];
  if (seconds === undefined || Number(seconds) === 0) return undefined;
  const spent = /^\d{1,10}$/.test(age) ? Number(age) : 0;
  return Math.max(0, Number(seconds) - spent) * 1000;
}

/** Never later than asked for, and up to a tenth earlier. */
export function nextRefresh(asked: number | undefined, pace: Pace, maxStale: number, chance: number): number {
  const wanted = Math.min(pace.most, Math.max(pace.least, asked ?? pace.usual));
  // What is not refreshed in time would be too old without any failure.
  const due = Math.min(wanted, maxStale / 2);
  return due - (due * chance) / 10;
}

/** Half of it is fixed, half of it chance. */
export function nextRetry(failures: number, { retry, retryMost }: Pace, chance: number): number {
  const full = Math.min(retryMost, retry * 2 ** Math.min(failures - 1, 20));
  return full / 2 + (full * chance) / 2;
}
