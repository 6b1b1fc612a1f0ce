/**
 * What was answered → whoever records it, once for each check, after the answers of this turn of the event loop were handed
 * over. Nothing that goes wrong here reaches a caller: nobody above would catch it, and it would end the process.
 */
import type { HandlerDependencies, OnOutcome } from './handle.js';

/** The arguments of `onOutcome`; those of a check that was found are only made when they are looked at. */
export interface Told {
  readonly outcome: Parameters<OnOutcome>[0];
  readonly attributes: Parameters<OnOutcome>[1];
  readonly microseconds: number;
  readonly line?: () => string | undefined;
}

/** Checks of one turn that are told together; beyond, what waits is told at once, so that it has a bound. */
const MAX_WAITING = 1024;

export function tellLater({ onOutcome, onFault }: Pick<HandlerDependencies, 'onOutcome' | 'onFault'>) {
  let waiting: Told[] = [];
  const tellAll = (): void => {
    const now = waiting;
    waiting = [];
    for (const told of now) {
      try {
        onOutcome(told.outcome, told.attributes, told.microseconds, told.line);
      } catch (fault) {
        onFault(fault);
      }
    }
  };
  return (told: Told): void => {
    waiting.push(told);
    if (waiting.length === 1) setImmediate(tellAll);
    else if (waiting.length === MAX_WAITING) tellAll();
  };
}
