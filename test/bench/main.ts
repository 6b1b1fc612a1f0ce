/**
 * The benchmark: makes the corpus, starts the servers and the load, goes through the rounds, prints the table, and writes it to
 * docs/performance.md unless it was a quick one. Exit 1 where a verdict was wrong, 2 where it could not run.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configFor, makeCorpus } from './corpus.js';
import type { Corpus, Size } from './corpus.js';
import type { InsideOrder, InsideResult } from './inside.js';
import type { Order, Tally } from './load.js';
import { writePrepared } from './prepared.js';
import { LOAD_CORES, PINS, SERVER_CORE, startServer, startWorker } from './processes.js';
import type { Server } from './processes.js';
import { report } from './report.js';
import { measure, rotated } from './rounds.js';
import type { Cost, Pool } from './rounds.js';

interface Plan {
  readonly size: Size;
  readonly rounds: number;
  /** Of the cached checks in one round, ms. */
  readonly cached: number;
  /** Requests of each cold kind in one round. */
  readonly cold: number;
  readonly passes: number;
}

const FULL: Plan = {
  size: { workloads: 64, tokens: 16, paths: 50, draws: 8192 },
  rounds: 4,
  cached: 2500,
  cold: 4000,
  passes: 12,
};
const QUICK: Plan = { ...FULL, size: { ...FULL.size, draws: 2048 }, rounds: 3, cached: 600, cold: 500, passes: 4 };

const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function main([root = '', mainJs = '', ...options]: readonly string[]): Promise<number> {
  const unknown = options.find((option) => option !== '--quick');
  if (unknown !== undefined) {
    say(`unknown option ${unknown}; there is --quick`);
    return 2;
  }
  if (process.platform !== 'linux') {
    say('CPU time is read from /proc: this runs on Linux only');
    return 2;
  }
  const quick = options.length > 0;
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-bench-'));
  try {
    const { text, wrong } = await bench(quick ? QUICK : FULL, folder, mainJs);
    process.stdout.write(text);
    if (quick) say('docs/performance.md is written by a full run only');
    else writeFileSync(join(root, 'docs', 'performance.md'), text);
    return wrong === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Kind = 'draws' | 'newTokens' | 'newCertificates';

async function bench(plan: Plan, folder: string, mainJs: string): Promise<{ text: string; wrong: number }> {
  say(`making requests of ${plan.size.workloads} workloads × ${plan.size.tokens} tokens × ${plan.size.paths} paths`);
  const file = (name: string): string => join(folder, name);
  const corpus = await makeCorpus(plan.size, folder);
  const fileOf = (kind: Kind, round: number): string => file(`${kind}-${kind === 'draws' ? 0 : round}.bin`);
  writeRequests(corpus, plan, fileOf);

  const servers = await startServers(folder, mainJs);
  const pool: Pool = LOAD_CORES.map((core) => startWorker<Order, Tally>(here('load.ts'), core));
  const tables = new Map<string, Cost[]>();
  const note = (server: Server, kind: Kind, cost: Cost): void => {
    const key = `${server.name} ${kind}`;
    tables.set(key, [...(tables.get(key) ?? []), cost]);
  };
  for (const server of servers) {
    say(`warming ${server.name}`);
    const decides = server.name !== 'noop';
    for (let n = 0; n < 2; n += 1)
      note(server, 'draws', await measure(server, pool, fileOf('draws', 0), 'once', decides));
    await measure(server, pool, fileOf('draws', 0), plan.cached / 2, decides);
  }
  const warming = [...tables.values()].flat();
  tables.clear();
  for (let round = 0; round < plan.rounds; round += 1) {
    say(`round ${round + 1} of ${plan.rounds}`);
    for (const server of rotated(servers, round)) {
      const decides = server.name !== 'noop';
      note(server, 'draws', await measure(server, pool, fileOf('draws', 0), plan.cached, decides));
      if (!decides) continue;
      for (const kind of ['newTokens', 'newCertificates'] as const)
        note(server, kind, await measure(server, pool, fileOf(kind, round), 'once', true));
    }
  }
  const rss = Object.fromEntries(servers.map((server) => [server.name, server.rss()]));
  for (const worker of pool) worker.stop();
  await Promise.all(servers.map((server) => server.stop()));

  say('inside one process');
  const inside = startWorker<InsideOrder, InsideResult>(here('inside.ts'), SERVER_CORE, [file('inside.yaml')]);
  writeFileSync(file('inside.yaml'), configFor('inside', 'all'));
  const result = await inside.ask({
    draws: fileOf('draws', 0),
    newTokens: fileOf('newTokens', 0),
    newCertificates: fileOf('newCertificates', 0),
    passes: plan.passes,
  });
  inside.stop();

  const costs = (name: string, kind: Kind): readonly Cost[] => tables.get(`${name} ${kind}`) ?? [];
  const both = (kind: Kind) => ({ all: costs('all', kind), none: costs('none', kind) });
  const all = [...warming, ...[...tables.values()].flat()];
  for (const { example } of all) if (example !== undefined) say(`a wrong answer: ${example}`);
  const wrong = all.reduce((sum, cost) => sum + cost.wrong, 0) + result.wrong;
  const text = report({
    noop: costs('noop', 'draws'),
    cached: both('draws'),
    newToken: both('newTokens'),
    newCertificate: both('newCertificates'),
    rss: { noop: rss['noop'] ?? NaN, all: rss['all'] ?? NaN, none: rss['none'] ?? NaN },
    inside: result,
    wrong,
    checks: workOf(plan),
    load: `${LOAD_CORES.length} grpc-js client process${LOAD_CORES.length === 1 ? '' : 'es'}, ${
      PINS ? 'servers and load pinned to cores of their own' : 'nothing pinned to cores'
    }`,
  });
  return { text, wrong };
}

const workOf = ({ size, rounds, cached, cold }: Plan): string =>
  `${size.workloads} workloads × ${size.tokens} tokens × ${size.paths} paths, ${size.draws} requests drawn by Zipf’s law, ` +
  `one in ten an attack; ${rounds} rounds of ${cached / 1000} s cached and ${cold} cold checks of each kind`;

function writeRequests(corpus: Corpus, plan: Plan, fileOf: (kind: Kind, round: number) => string): void {
  writePrepared(fileOf('draws', 0), corpus.draws);
  for (let round = 0; round < plan.rounds; round += 1) {
    writePrepared(fileOf('newTokens', round), corpus.newTokens(plan.cold));
    writePrepared(fileOf('newCertificates', round), corpus.newCertificates(plan.cold));
  }
}

async function startServers(folder: string, mainJs: string): Promise<Server[]> {
  const socket = (name: string): string => join(folder, `${name}.sock`);
  const guards = (['all', 'none'] as const).map((allowed) => {
    const config = join(folder, `${allowed}.yaml`);
    writeFileSync(config, configFor(allowed, allowed));
    return startServer(allowed, socket(allowed), [mainJs, 'serve', '--config', config]);
  });
  return Promise.all([startServer('noop', socket('noop'), [here('noop.mjs'), socket('noop')]), ...guards]);
}

process.exitCode = await main(process.argv.slice(2));
