/** One measurement: a load, a server, and what the server paid for it by the kernel's account. */
import type { Order, Tally } from './load.js';
import type { Server, Worker } from './processes.js';

export type Pool = readonly Worker<Order, Tally>[];

/** The load, and where its verdicts are counted. */
export interface Bench {
  readonly pool: Pool;
  readonly note: (tally: Tally, server: string) => void;
}

/** What is sent, in one word. */
export interface Load {
  readonly file: string;
  readonly until: Order['until'];
  readonly source?: Order['source'];
  /** Of a source without end. */
  readonly slice?: number;
}

export interface Cost {
  /** CPU µs of the server for one check. */
  readonly cpu: number;
  readonly perSecond: number;
  /** Share of one core that the server used. */
  readonly busy: number;
}

/** Checks that wait for an answer at any time, over all load processes. */
const CONCURRENCY = 96;

export interface Target {
  readonly server: Server;
  readonly decides: boolean;
}

/** A closed loop of all load processes: as much as the server can take. */
export async function saturate(bench: Bench, { server, decides }: Target, load: Load): Promise<Cost> {
  const { pool } = bench;
  const concurrency = Math.max(1, Math.floor(CONCURRENCY / pool.length));
  const orders = pool.map((_, first): Order => {
    const loop = { kind: 'closed', concurrency } as const;
    return { ...orderOf(server, decides, load), first, step: pool.length, loop };
  });
  const [cpuBefore, before] = [server.cpu(), performance.now()];
  const tallies = await Promise.all(pool.map((worker, n) => worker.ask(orders[n] as Order)));
  const [cpu, ms] = [server.cpu() - cpuBefore, performance.now() - before];
  for (const tally of tallies) bench.note(tally, server.name);
  const answers = tallies.reduce((sum, tally) => sum + tally.answers, 0);
  return { cpu: cpu / answers, perSecond: (answers / ms) * 1000, busy: cpu / 1000 / ms };
}

export interface Lateness extends NonNullable<Tally['latency']> {
  readonly answers: number;
  readonly unsent: number;
  readonly turnedAway: number;
  readonly lost: number;
}

/** An open loop of one process: so many checks a second, each late by as much as it was due before. */
export async function atRate(bench: Bench, { server, decides }: Target, load: Load, rate: number): Promise<Lateness> {
  const [worker] = bench.pool;
  if (worker === undefined) throw new Error('there is no load');
  const loop = { kind: 'open', rate } as const;
  const tally = await worker.ask({ ...orderOf(server, decides, load), first: load.slice ?? 0, step: 1, loop });
  bench.note(tally, server.name);
  const nothing = { p50: NaN, p99: NaN, p999: NaN, max: NaN };
  const { answers, unsent, turnedAway, lost } = tally;
  return { ...(tally.latency ?? nothing), answers, unsent, turnedAway, lost };
}

const orderOf = (server: Server, decides: boolean, { file, until, source = 'prepared' }: Load) => ({
  socket: server.socket,
  file,
  source,
  until,
  checkVerdicts: decides,
});

/** Another one begins each time, so that none always meets a warm or a tired machine. */
export const rotated = <T>(items: readonly T[], by: number): T[] => [
  ...items.slice(by % items.length),
  ...items.slice(0, by % items.length),
];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}
