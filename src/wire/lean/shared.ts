/** What all connections of one listener share. */
import type { HandleCheck, Log } from '../listener.js';
import type { DemandedSecret } from '../secret.js';
import type { Use } from './body.js';
import type { Health } from './health.js';

export interface Shared {
  /** Always answers: answering.ts. */
  readonly ask: HandleCheck;
  readonly secret: DemandedSecret | undefined;
  readonly health: Health;
  readonly use: Use;
  /** ms since 1970. */
  readonly now: () => number;
  readonly log: Log;
}
