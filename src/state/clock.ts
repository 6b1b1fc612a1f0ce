/**
 * A clock that is watched: the caches are emptied when it steps back (contract section 9). In: the clock, what to do then.
 * Out: the same clock. Whoever reads it, the step is noticed before the moment is used.
 */
import { CLOCK_STEP } from './decision-cache.js';

/** Both in ms since 1970. */
export function watchClock(now: () => number, onStep: () => void): () => number {
  let latest = -Infinity;
  return () => {
    const read = now();
    if (read < latest - CLOCK_STEP) onStep();
    latest = read;
    return read;
  };
}
