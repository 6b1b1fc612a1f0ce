/**
 * What was answered → whoever records it, once for each check, after the answers of this turn of the event loop were handed
 * over. Nothing that goes wrong here reaches a caller: nobody above would catch it, and it would end the process.
 */

/** Checks of one turn that are told together; beyond, what waits is told at once, so that it has a bound. */
const MAX_WAITING = 1024;

export function tellLater<T>(tell: (told: T) => void, onFault: (fault: unknown) => void): (told: T) => void {
  let waiting: T[] = [];
  const tellAll = (): void => {
    const now = waiting;
    waiting = [];
    for (const told of now) {
      try {
        tell(told);
      } catch (fault) {
        onFault(fault);
      }
    }
  };
  return (told) => {
    waiting.push(told);
    if (waiting.length === 1) setImmediate(tellAll);
    else if (waiting.length === MAX_WAITING) tellAll();
  };
}
