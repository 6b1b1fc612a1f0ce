/** A bar on stderr for work that takes long, redrawn in place; nothing where stderr is no terminal. */
export interface Progress {
  /** How much is done; redrawn at most ten times a second. */
  at(done: number): void;
  /** Takes the bar away. */
  end(): void;
}

const WIDTH = 30;
const EVERY = 100;

export function progressOn(write: ((text: string) => void) | undefined, total: number, now: () => number): Progress {
  if (write === undefined || total <= 0) return { at: () => undefined, end: () => undefined };
  let drawn = -Infinity;
  return {
    at(done) {
      if (now() - drawn < EVERY) return;
      drawn = now();
      const share = Math.min(1, done / total);
      const full = Math.round(share * WIDTH);
      write(`\r[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`);
    },
    end: () => {
      if (drawn > -Infinity) write(`\r${' '.repeat(WIDTH + 8)}\r`);
    },
  };
}
