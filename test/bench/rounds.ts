/** One round: the same work for each server, and what it cost by the server's own account. */
import type { Order, Tally } from './load.js';
import type { Server, Worker } from './processes.js';

export interface Cost {
  /** CPU µs of the server for one check. */
  readonly cpu: number;
  readonly perSecond: number;
  /** Share of one core that the server used. */
  readonly busy: number;
  readonly wrong: number;
  readonly example: string | undefined;
}

export type Pool = readonly Worker<Order, Tally>[];

/** Checks that wait for an answer at any time, over all load processes. */
const CONCURRENCY = 64;

export async function measure(
  server: Server,
  pool: Pool,
  file: string,
  until: Order['until'],
  checkVerdicts: boolean,
): Promise<Cost> {
  const orders = pool.map((_, first): Order => {
    const concurrency = Math.max(1, Math.floor(CONCURRENCY / pool.length));
    return { socket: server.socket, file, concurrency, first, step: pool.length, until, checkVerdicts };
  });
  const [cpuBefore, before] = [server.cpu(), performance.now()];
  const tallies = await Promise.all(pool.map((worker, n) => worker.ask(orders[n] as Order)));
  const [cpu, ms] = [server.cpu() - cpuBefore, performance.now() - before];
  const answers = tallies.reduce((sum, tally) => sum + tally.answers, 0);
  return {
    cpu: cpu / answers,
    perSecond: (answers / ms) * 1000,
    busy: cpu / 1000 / ms,
    wrong: tallies.reduce((sum, tally) => sum + tally.wrong, 0),
    example: tallies.find(({ example }) => example !== undefined)?.example,
  };
}

/** Another one begins each time, so that none always meets a warm or a tired machine. */
export const rotated = <T>(items: readonly T[], by: number): T[] => [
  ...items.slice(by % items.length),
  ...items.slice(0, by % items.length),
];
