import type { EnvoyResult } from './envoy.js';
import type { Flood, Memory } from './memory.js';
import type { Rounds } from './rounds.js';
import type { Starts } from './starting.js';
import type { Name } from './subjects.js';

/** What a run found; what was left out of it is not there. */
export interface Results {
  readonly names: readonly Name[];
  readonly rounds: Rounds | undefined;
  /** CPU µs of one bare ES256 verification, before and after the rounds. */
  readonly bare: readonly number[];
  readonly memory: readonly Memory[];
  readonly starts: readonly Starts[];
  readonly flood: Flood | undefined;
  readonly envoy: EnvoyResult | undefined;
  readonly answers: number;
  readonly wrong: number;
  readonly turnedAway: number;
  readonly lost: number;
  readonly work: string;
  readonly load: string;
}
