/**
 * What a million live revocations cost: `npm run revocation-cost`. Memory of the tables, a lookup of all the names of a call,
 * and a cached check beside the same one with none, in turns in one run.
 */
import { memoryUsage } from 'node:process';
import { createEngine, createMemory } from '../../src/engine.js';
import type { RevocableNames } from '../../src/model/ports.js';
import { createRevocations } from '../../src/state/revocations.js';
import type { Revocations } from '../../src/state/revocations.js';
import { hash } from 'node:crypto';
import { ok } from '../../src/model/result.js';
import { readRequest } from '../../src/wire/read-request.js';
import { offlineGuard } from './offline.js';

const COUNT = Number(process.argv[2] ?? 1_000_000);
const LATER = Date.now() + 3_600_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
/** What typed arrays leave behind is only gone some turns later. */
const collect = async (): Promise<number> => {
  for (let turn = 0; turn < 5; turn += 1) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
};

function fill(index: Revocations): number {
  const began = performance.now();
  for (let count = 0; count < COUNT; count += 1) {
    const value = hash('sha256', `token ${count}`, 'hex');
    index.revoke({ type: 'token', value, issuer: undefined, until: LATER });
  }
  // Each other type too, so that no lookup is spared.
  for (const type of ['jti', 'subject', 'key', 'serial'] as const)
    index.revoke({ type, value: '0', issuer: 'x', until: LATER });
  for (const type of ['txn', 'issuer', 'trust_domain', 'certificate'] as const)
    index.revoke({ type, value: '0', issuer: undefined, until: LATER });
  for (const value of ['spiffe://elsewhere.example/a/**', 'spiffe://elsewhere.example/ns/*/sa/x'])
    index.revoke({ type: 'identity', value, issuer: undefined, until: LATER });
  return performance.now() - began;
}

const before = await collect();
const many = createRevocations();
const filling = fill(many);
const grown = (await collect()) - before;
say(
  `${COUNT} revocations: ${(grown / 2 ** 20).toFixed(1)} MiB, ${(grown / COUNT).toFixed(1)} bytes each; ${(filling / 1000).toFixed(2)} s to make`,
);

const { settings, snapshot, bytes, names } = await offlineGuard();
function lookups(index: Revocations, asked: RevocableNames): number {
  const rounds = 100_000;
  const now = Date.now();
  const began = process.cpuUsage();
  for (let count = 0; count < rounds; count += 1) if (!index.isRevoked(asked, now).ok) throw new Error('revoked');
  const { user, system } = process.cpuUsage(began);
  return (user + system) / rounds;
}
lookups(many, names);
say(
  `all names of a call: ${lookups(many, names).toFixed(2)} µs among ${COUNT}, ${lookups(createRevocations(), names).toFixed(2)} µs among none`,
);

const engineOf = (revocations: Revocations) =>
  createEngine({
    ...{ settings, snapshot, now: Date.now, memory: createMemory(settings, undefined, revocations) },
    onFault: (fault) => {
      throw fault;
    },
  });
const request = readRequest(bytes);
if (!request.ok) throw new Error(request.detail);
const engines = { none: engineOf(createRevocations()), many: engineOf(many) };
for (const engine of Object.values(engines)) {
  const { verdict } = await engine.check(ok(request.value), undefined);
  if (verdict.kind !== 'allow') throw new Error(verdict.refusal.detail);
}
const spent: Record<keyof typeof engines, number[]> = { none: [], many: [] };
for (let round = 0; round < 30; round += 1)
  for (const which of round % 2 === 0 ? (['none', 'many'] as const) : (['many', 'none'] as const)) {
    const began = process.cpuUsage();
    for (let count = 0; count < 5000; count += 1) {
      const outcome = engines[which].check(ok(request.value), undefined);
      if (outcome instanceof Promise || outcome.cache !== 'hit') throw new Error('not from the cache');
    }
    const { user, system } = process.cpuUsage(began);
    spent[which].push((user + system) / 5000);
  }
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
const [none, with_] = [median(spent.none), median(spent.many)];
say(
  `a cached check: ${none.toFixed(2)} µs with none, ${with_.toFixed(2)} µs among ${COUNT} (${(((with_ - none) / none) * 100).toFixed(1)} %)`,
);
