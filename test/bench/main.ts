/**
 * The benchmark: makes the corpus, goes through its parts, prints the table, and writes it to docs/performance.md unless it was
 * a quick or a partial one. Exit 1 where a verdict was wrong, 2 where it could not run.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCorpus } from './corpus.js';
import { throughEnvoy } from './envoy.js';
import type { EnvoyOrder } from './envoy-load.js';
import type { Order, Tally } from './load.js';
import type { Bench } from './measure.js';
import { flood, memoryOf } from './memory.js';
import { readOptions } from './options.js';
import type { Options } from './options.js';
import type { Plan } from './plan.js';
import { LOAD_CORES, pinned, PINS, SERVER_CORE, startWorker } from './processes.js';
import { report } from './report.js';
import type { Results } from './results.js';
import { goRounds } from './rounds.js';
import { startsOf } from './starting.js';
import type { Starts } from './starting.js';
import { subjectsIn } from './subjects.js';
import type { Name, Places, Subject } from './subjects.js';

const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function main([root = '', mainJs = '', envoy = '', ...words]: readonly string[]): Promise<number> {
  const options = readOptions(words);
  if (typeof options === 'string' || process.platform !== 'linux') {
    say(typeof options === 'string' ? options : 'CPU time is read from /proc: this runs on Linux only');
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-bench-'));
  try {
    const results = await bench(options, { root, main: mainJs, folder }, envoy);
    const text = report(results);
    process.stdout.write(text);
    if (options.whole) writeFileSync(join(root, 'docs', 'performance.md'), text);
    else say('docs/performance.md is written by a full run only');
    return results.wrong === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of whom memory and start are read. */
const HELD: readonly Name[] = [
  'no-op grpc-js',
  'no-op grpc-go',
  'no-op lean',
  'grpc-js, all records',
  'lean, all records',
];

async function bench({ plan, parts }: Options, places: Places, envoy: string): Promise<Results> {
  const { size } = plan;
  say(`making requests of ${size.workloads} workloads × ${size.tokens} tokens × ${size.paths} paths`);
  const corpus = await makeCorpus(size, places.folder);
  const subjects = subjectsIn(places, say);
  const guard = subjects.find(({ name }) => name === 'lean, all records') as Subject;
  const held = plan.isBesideOthers ? subjects.filter(({ name }) => HELD.includes(name)) : [guard];
  const [first] = corpus.allows;
  const pool = await Promise.all(LOAD_CORES.map((core) => startWorker<Order, Tally>(here('load.ts'), core)));
  const counted = { answers: 0, wrong: 0, turnedAway: 0, lost: 0 };
  const note = ({ answers, wrong, turnedAway, lost, example }: Tally, who: string): void => {
    counted.answers += answers;
    counted.wrong += wrong;
    counted.turnedAway += turnedAway;
    counted.lost += lost;
    if (example !== undefined) say(`a wrong answer of ${who}: ${example}`);
  };
  const bench: Bench = { pool, note };
  const bare = [bareVerify()];
  const during = async <T>(part: Options['parts'][number], work: () => Promise<T>): Promise<T | undefined> => {
    if (!parts.includes(part)) return undefined;
    say(part);
    return work();
  };
  const rounds = await during('rounds', () => goRounds(bench, subjects, corpus, plan, places.folder, say));
  bare.push(bareVerify());
  const memory = await during('memory', () => inTurn(held, (one) => memoryOf(bench, one, corpus, plan, places.folder)));
  const starts = await during('start', () =>
    inTurn(held, (one): Promise<Starts> => {
      if (first === undefined) throw new Error('there is no request');
      return startsOf(one, first, plan.starts);
    }),
  );
  const flooded = await during('flood', () => flood(bench, guard, corpus, plan, places.folder));
  for (const worker of pool) worker.stop();
  const proxied =
    envoy === ''
      ? undefined
      : await during('envoy', async () => {
          const worker = await startWorker<EnvoyOrder, Tally>(here('envoy-load.ts'), LOAD_CORES.at(-1) ?? SERVER_CORE);
          try {
            return await throughEnvoy(envoy, guard, corpus, worker, note, plan, places.folder);
          } finally {
            worker.stop();
          }
        });
  return {
    names: subjects.map(({ name }) => name),
    ...{ rounds, bare, memory: memory ?? [], starts: starts ?? [], flood: flooded, envoy: proxied },
    ...counted,
    work: workOf(plan, rounds?.costs(guard.name, 'draws').length ?? 0),
    load: `${LOAD_CORES.length} processes of our own client, ${PINS ? 'servers and load on cores of their own' : 'nothing pinned to cores'}`,
  };
}

async function inTurn<T, Out>(items: readonly T[], work: (item: T) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = [];
  for (const item of items) done.push(await work(item));
  return done;
}

function bareVerify(): number {
  const [file = '', ...args] = pinned(SERVER_CORE, [process.execPath, here('bare.mjs')]);
  return Number(spawnSync(file, args, { encoding: 'utf8' }).stdout);
}

const workOf = ({ size, saturated, cold }: Plan, rounds: number): string =>
  `${size.workloads} workloads × ${size.tokens} tokens × ${size.paths} paths, ${size.draws} requests drawn by Zipf’s law, ` +
  `one in ten an attack; ${rounds} rounds, ${saturated / 1000} s at saturation and ${cold} cold checks of each kind in each`;

process.exitCode = await main(process.argv.slice(2));
