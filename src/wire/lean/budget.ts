/**
 * How many frames that ask for nothing a peer may send (limits.ts). In: points spent, calls answered, ticks. Throws
 * ConnectionError(ENHANCE_YOUR_CALM) when nothing is left.
 */
import { ConnectionError, ENHANCE_YOUR_CALM } from './errors.js';
import { BUDGET_PER_TICK } from './limits.js';

export class Budget {
  private left = BUDGET_PER_TICK;

  spend(points: number): void {
    this.left -= points;
    if (this.left < 0) throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many frames that ask for nothing');
  }

  /** A call that was answered; frames that belong to it (RST_STREAM, WINDOW_UPDATE) are no flood. */
  earn(): void {
    if (this.left < BUDGET_PER_TICK) this.left++;
  }

  tick(): void {
    this.left = BUDGET_PER_TICK;
  }
}
