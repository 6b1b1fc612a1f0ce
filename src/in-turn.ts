/** Work that must not overlap, and work that is done again and again. */

/** Each piece of work begins when the one before it ended: an older reading of a file must not replace a newer one. */
export function oneAtATime(): (work: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** Runs `work` every `ms`, never twice at once; returns how to end it. */
export function every(ms: number, work: () => Promise<void>, onFault: (fault: unknown) => void): () => void {
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    void work()
      .catch(onFault)
      .finally(() => (running = false));
  }, ms);
  return () => clearInterval(timer);
}
