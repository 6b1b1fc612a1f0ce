/**
 * Without gRPC, in one process: what one bare ES256 verification costs, and what the handler costs around it. In, by
 * argument: the configuration; by message: files of prepared requests. Out: CPU µs each.
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { createEngine, checkGuardrails, readersFor } from '../../src/engine.js';
import { loadConfig } from '../../src/config/load.js';
import { createHandler } from '../../src/handle.js';
import type { Handle } from '../../src/handle.js';
import { openSources } from '../../src/state/sources.js';
import { readPrepared, reasonBytes } from './prepared.js';
import type { Prepared } from './prepared.js';

export interface InsideOrder {
  readonly draws: string;
  readonly newTokens: string;
  readonly newCertificates: string;
  /** How often the draws are gone through. */
  readonly passes: number;
}

export interface InsideResult {
  readonly verify: number;
  readonly cached: number;
  readonly newToken: number;
  readonly newCertificate: number;
  readonly wrong: number;
}

/** CPU of the whole process: verification may use another thread than the one that waits. */
async function microseconds(count: number, work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const VERIFICATIONS = 3000;

/** What node:crypto takes for one signature of a token, with a key that is ready. */
async function bareVerify(): Promise<number> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const input = Buffer.from('x'.repeat(600));
  const dsaEncoding = 'ieee-p1363';
  const signature = sign('sha256', input, { key: privateKey, dsaEncoding });
  const rounds: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    rounds.push(
      await microseconds(VERIFICATIONS, () => {
        for (let n = 0; n < VERIFICATIONS; n += 1) verify('sha256', input, { key: publicKey, dsaEncoding }, signature);
      }),
    );
  }
  return Math.min(...rounds);
}

async function openHandler(config: string): Promise<Handle> {
  const loaded = loadConfig(config, {}, checkGuardrails);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const { settings } = loaded;
  const onFault = (fault: unknown): void => {
    throw fault;
  };
  const sources = await openSources(settings, readersFor(settings), Date.now(), () => undefined);
  const { check } = createEngine({ settings, snapshot: sources.snapshot, now: Date.now, onFault });
  return createHandler({ check, settings, mayAnswer: () => true, onOutcome: () => undefined, onFault });
}

async function main(config: string, order: InsideOrder): Promise<InsideResult> {
  const handle = await openHandler(config);
  let wrong = 0;
  const goThrough = async (requests: readonly Prepared[]): Promise<void> => {
    for (const { bytes, reason } of requests)
      if (!(await handle(bytes, undefined)).includes(reasonBytes(reason))) wrong += 1;
  };
  const [draws, tokens, certificates] = [order.draws, order.newTokens, order.newCertificates].map(readPrepared);
  if (draws === undefined || tokens === undefined || certificates === undefined) throw new Error('three files');
  await goThrough(draws);
  await goThrough(draws);
  const cached = await microseconds(draws.length * order.passes, async () => {
    for (let pass = 0; pass < order.passes; pass += 1) await goThrough(draws);
  });
  const newToken = await microseconds(tokens.length, () => goThrough(tokens));
  const newCertificate = await microseconds(certificates.length, () => goThrough(certificates));
  return { verify: await bareVerify(), cached, newToken, newCertificate, wrong };
}

process.on('message', (order: InsideOrder) => {
  void main(process.argv[2] ?? '', order).then((result) => process.send?.(result));
});
