/**
 * One verification in each turn of the event loop: between any two of them sockets are read and written, so that nobody waits
 * for longer than one. In: questions of those who are about to verify. Out: nothing where this turn is still free, else a
 * promise of one that is, first come first served; `full` where so many wait that one more would wait for too long.
 */
export interface Turns {
  readonly wait: () => undefined | Promise<void> | 'full';
  /** To be called by whoever verifies, just before. */
  readonly taken: () => void;
}

/** At 70 µs for ES256 the last one waits for 0.07 s. The filter of Envoy gives up after 0.2 s: what comes later is in vain. */
const MAX_WAITING = 1024;

/**
 * Whether somebody verified since the sockets were looked at, and whether all of them are being looked at now: who verifies in
 * an immediate is done before that begins, who does so for one socket may have others behind it.
 */
type State = 'free' | 'busy' | 'looking';

export function createTurns(limit = MAX_WAITING): Turns {
  const waiting: (() => void)[] = [];
  let state: State = 'free';
  let ticking = false;
  /** While those go on whose turn it is. */
  let given = false;

  const start = (): void => {
    if (ticking) return;
    ticking = true;
    setImmediate(tick);
    // Behind what was promised in the tick: microtasks run between two immediates.
    setImmediate(() => (given = false));
  };
  /** Immediates run after the sockets; what one of them schedules runs after the sockets were looked at once more. */
  const tick = (): void => {
    ticking = false;
    state = state === 'busy' ? 'looking' : 'free';
    if (state === 'free' && waiting.length > 0) {
      given = true;
      waiting.shift()?.();
    }
    if (state === 'looking' || waiting.length > 0) start();
  };
  return {
    wait() {
      if (state === 'free') return undefined;
      return waiting.length >= limit ? 'full' : new Promise((resolve) => waiting.push(resolve));
    },
    taken() {
      state = given ? 'looking' : 'busy';
      start();
    },
  };
}

/** For those who ask one thing only, and may hold up whatever they like. */
export const noTurns: Turns = { wait: () => undefined, taken: () => undefined };
