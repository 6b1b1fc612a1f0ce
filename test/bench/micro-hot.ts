/**
 * What the handler costs for callers that it knows, without any listener: CPU µs for each check, of the whole process, in
 * turns of 32 checks. In, by arguments: how many rounds, and of how many different requests. `npx tsx test/bench/micro-hot.ts`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../src/audit/log.js';
import { loadConfig } from '../../src/config/load.js';
import { openCore } from '../../src/core.js';
import { checkGuardrails, createMemory } from '../../src/engine.js';
import type { Handle } from '../../src/handle.js';
import { createRemotes } from '../../src/state/remote/remotes.js';
import { openRevocationDesk } from '../../src/revocation-desk.js';
import { createRecorder } from '../../src/recorder.js';
import type { Recorder } from '../../src/recorder.js';
import { configFor, makeCorpus } from './corpus.js';
import type { Prepared } from './prepared.js';

const TURN = 32;
const CHECKS = 200_000;
const quiet = (): void => undefined;
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, fatal: quiet };

interface Guard {
  readonly name: string;
  readonly handle: Handle;
  readonly recorder: Recorder;
}

async function open(folder: string, allowed: 'all' | 'none'): Promise<Guard> {
  const file = join(folder, `${allowed}.yaml`);
  writeFileSync(file, configFor(allowed, { transport: 'grpc-js', allowed, lines: 10 }));
  const loaded = loadConfig(file, {}, checkGuardrails);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const { settings } = loaded;
  const recorder = createRecorder(settings, log, Date.now);
  const fault = (error: unknown): void => {
    throw error;
  };
  const memory = createMemory(settings);
  const told = { onRevocation: recorder.onRevocation, onProblems: recorder.onRevocationProblems };
  const around = { log, now: Date.now, onFault: fault };
  const desk = openRevocationDesk({ ...memory, store: { revocations: undefined }, ...told, ...around });
  const core = await openCore(settings, 'start', { memory, desk, remotes: createRemotes(), recorder, ...around });
  recorder.observe(core);
  return { name: `audit ${allowed}`, handle: core.handle, recorder };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function pass(handle: Handle, requests: readonly Prepared[]): Promise<void> {
  for (let at = 0; at < requests.length; at += TURN) {
    const answers = requests.slice(at, at + TURN).map(({ bytes }) => handle(bytes, undefined));
    for (const answer of answers) if (answer instanceof Promise) await answer;
    await turn();
  }
}

async function cost(handle: Handle, requests: readonly Prepared[]): Promise<number> {
  const before = process.cpuUsage();
  const passes = Math.ceil(CHECKS / requests.length);
  for (let n = 0; n < passes; n += 1) await pass(handle, requests);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (passes * requests.length);
}

async function main(rounds: number, draws: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-micro-'));
  const corpus = await makeCorpus({ workloads: 64, tokens: 16, paths: 50, draws }, folder);
  const kinds: [string, Prepared[]][] = [
    ['allows', corpus.draws.filter(({ reason }) => reason === 'allowed')],
    ['denials', corpus.draws.filter(({ reason }) => reason !== 'allowed')],
  ];
  const guards = [await open(folder, 'none'), await open(folder, 'all')];
  for (const { handle } of guards) for (let n = 0; n < 6; n += 1) for (const [, of] of kinds) await pass(handle, of);
  for (let round = 0; round < rounds; round += 1)
    for (const { name, handle } of guards)
      for (const [kind, requests] of kinds)
        console.log(`${name}, ${kind}: ${(await cost(handle, requests)).toFixed(2)} µs`);
  const memory = process.memoryUsage();
  console.log(`RSS ${(memory.rss / 2 ** 20).toFixed(0)} MiB, heap ${(memory.heapUsed / 2 ** 20).toFixed(0)} MiB`);
  for (const { recorder } of guards) await recorder.close();
  rmSync(folder, { recursive: true, force: true });
}

await main(Number(process.argv[2] ?? 3), Number(process.argv[3] ?? 4096));
