/** How much of everything: a full run takes about ten minutes, a quick one three to four; on a busy machine a third more. */
import type { Size } from './corpus.js';

export interface Plan {
  readonly size: Size;
  readonly rounds: number;
  /** ms that all rounds may take; on a slow machine there are fewer of them. */
  readonly patience: number;
  /** ms of a closed loop, for each server and round. */
  readonly saturated: number;
  /** ms of an open loop, for each server, rate and round. */
  readonly paced: number;
  /** ms before the first round. */
  readonly warm: number;
  /** Requests of each cold kind in one round. */
  readonly cold: number;
  /** Starts that are timed. */
  readonly starts: number;
  /** Checks over `tokens` tokens before memory is read. */
  readonly memory: { readonly checks: number; readonly tokens: number };
  /** Whether memory and start of the servers beside the lean guard are read too. */
  readonly isBesideOthers: boolean;
  /** ms of new tokens without end, and how many a second: fewer than a guard can verify, as memory is looked at. */
  readonly flood: { readonly ms: number; readonly rate: number };
  /** ms through Envoy, for each way and load. */
  readonly envoy: number;
}

export const FULL: Plan = {
  size: { workloads: 64, tokens: 16, paths: 50, draws: 8192 },
  rounds: 4,
  patience: 480_000,
  saturated: 1500,
  paced: 2500,
  warm: 1500,
  cold: 2000,
  starts: 9,
  memory: { checks: 200_000, tokens: 10_000 },
  isBesideOthers: true,
  flood: { ms: 40_000, rate: 1500 },
  envoy: 4000,
};

export const QUICK: Plan = {
  ...FULL,
  size: { ...FULL.size, draws: 2048 },
  rounds: 2,
  saturated: 600,
  paced: 1000,
  warm: 800,
  cold: 800,
  starts: 5,
  isBesideOthers: false,
  flood: { ms: 15_000, rate: 1500 },
  envoy: 1500,
};
