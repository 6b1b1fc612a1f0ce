/**
 * `npm run long-run -- [--over handle|lean|grpc-js] [--steps 200000] [--processes N] [--seed S]`: cached = uncached for as long as
 * it takes, over each way that is named (comma-separated; all three when left out), in several processes with a seed each. Out: the mix
 * and the counts on stdout. Exit 1 where two engines differed or too little happened to mean something, 2 where it could not run.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WAYS } from './carried.js';
import type { Way } from './carried.js';
import type { Played } from './long-run.js';
import { EVENTS } from './play.js';
import type { Event } from './play.js';

const WORKER = fileURLToPath(new URL('long-run-worker.ts', import.meta.url));

/** What makes a run of so many steps mean something: each event so often, hits and allows in such shares of the requests. */
const GOALS = { eventsPerStep: 1000 / 200_000, hits: 0.3, allows: 0.3 } as const;

interface Order {
  readonly over: readonly Way[];
  readonly steps: number;
  readonly processes: number;
  readonly seed: number;
}

function orderOf(args: readonly string[]): Order | string {
  const options = {
    over: { type: 'string', default: WAYS.join() },
    steps: { type: 'string', default: '200000' },
    processes: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string', default: '20261124' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const over = WAYS.filter((way) => values.over.split(',').includes(way));
  if (over.length !== values.over.split(',').length) return `--over takes some of ${WAYS.join(', ')}, comma-separated`;
  const [steps, processes, seed] = [Number(values.steps), Number(values.processes), Number(values.seed)];
  const right = Number.isInteger(seed) && [steps, processes].every((count) => Number.isInteger(count) && count > 0);
  return right ? { over, steps, processes, seed } : '--steps, --processes and --seed take whole numbers';
}

type Message = { readonly played: Played } | { readonly error: string };

/** Rejects where the process ends without a word. */
function inProcess(way: Way, seed: number, steps: number): Promise<Played> {
  const child = fork(WORKER, [way, String(seed), String(steps)], { execArgv: ['--import', 'tsx'] });
  return new Promise((resolve, reject) => {
    child.once('message', (message: Message) =>
      'played' in message ? resolve(message.played) : reject(new Error(message.error)),
    );
    child.once('exit', (code) => reject(new Error(`a process of the long run ended with ${code}`)));
  });
}

interface Sum extends Omit<Played, 'difference'> {
  readonly differences: readonly string[];
}

function sumOf(all: readonly Played[]): Sum {
  const sum = (of: (played: Played) => number): number => all.reduce((total, each) => total + of(each), 0);
  const events = Object.fromEntries(EVENTS.map((event) => [event, sum((each) => each.events[event])]));
  return {
    events: events as Record<Event, number>,
    requests: sum(({ requests }) => requests),
    hits: sum(({ hits }) => hits),
    allows: sum(({ allows }) => allows),
    quick: { found: sum(({ quick }) => quick.found), joined: sum(({ quick }) => quick.joined) },
    differences: all.flatMap(({ difference }) => (difference === undefined ? [] : [difference])),
  };
}

/** What is wrong with a run. */
function faultsOf({ events, requests, hits, allows, differences }: Sum, steps: number): string[] {
  const least = Math.floor(GOALS.eventsPerStep * steps);
  return [
    ...differences.map((difference) => `a difference at ${difference}`),
    ...EVENTS.filter((event) => events[event] < least).map((event) => `fewer than ${least} times: ${event}`),
    ...(hits / requests < GOALS.hits ? ['too few hits'] : []),
    ...(allows / requests < GOALS.allows ? ['too few allows'] : []),
  ];
}

async function run(way: Way, { steps, processes, seed }: Order): Promise<boolean> {
  const began = performance.now();
  const share = Math.ceil(steps / processes);
  const all = await Promise.all(Array.from({ length: processes }, (_, n) => inProcess(way, seed + n, share)));
  const sum = sumOf(all);
  const played = EVENTS.reduce((total, event) => total + sum.events[event], 0);
  const faults = faultsOf(sum, played);
  const of = (count: number): string => `${((100 * count) / sum.requests).toFixed(1)} %`;
  process.stdout.write(
    `${way}: ${played} steps in ${processes} processes, ${((performance.now() - began) / 1000).toFixed(0)} s; ` +
      `${sum.requests} requests, ${of(sum.hits)} hits, ${of(sum.allows)} allows, ${of(sum.quick.found)} found by a glance, ` +
      `${sum.quick.joined} records joined; ${sum.differences.length} differences\n` +
      `${way}: ${EVENTS.map((event) => `${event} ${sum.events[event]}`).join(', ')}\n` +
      faults.map((fault) => `${way}: ${fault}\n`).join(''),
  );
  return faults.length === 0;
}

async function main(args: readonly string[]): Promise<number> {
  const order = orderOf(args);
  if (typeof order === 'string') {
    process.stderr.write(`${order}\n`);
    return 2;
  }
  let isRight = true;
  for (const way of order.over) isRight = (await run(way, order)) && isRight;
  return isRight ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  return 2;
});
