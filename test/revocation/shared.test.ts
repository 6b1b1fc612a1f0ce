/** Revocations that guards share, on a real Redis: what one end says counts at all, and what the store forgets does not end. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sendOrder } from '../../src/state/redis/send-revocation.js';
import { until } from '../cli/until.js';
import { startRedis } from '../helpers/redis.js';
import type { TestRedis } from '../helpers/redis.js';
import { ISSUER, openRevocationEnd, subjectOrder } from './ends.js';
import type { RevocationEnd } from './ends.js';

let redis: TestRedis;
let ends: RevocationEnd[] = [];
const PATIENCE = 10_000;

beforeAll(async () => {
  redis = await startRedis({ config: ['--appendonly', 'yes', '--appendfsync', 'always'] });
});
afterEach(async () => {
  expect(ends.flatMap(({ faults }) => faults)).toEqual([]);
  await Promise.all(ends.map((end) => end.close()));
  ends = [];
  await redis.command('FLUSHALL');
});
afterAll(async () => redis.stop());

const open = async (now?: () => number): Promise<RevocationEnd> => {
  const end = await openRevocationEnd(redis.settings, now);
  ends.push(end);
  return end;
};
const everywhere = (subject: string, revoked: boolean): Promise<void> =>
  until(() => ends.every((end) => end.isRevoked(subject) === revoked), PATIENCE);

describe('a revocation in the store', () => {
  it('counts at every end, also at one that comes later, until it is ended', async () => {
    const [a, b] = [await open(), await open()];
    expect(await a.shared.write(subjectOrder('revoke', 'alice'), 'admin')).toBeUndefined();
    await everywhere('alice', true);
    await open();
    await everywhere('alice', true);
    expect(ends.map((end) => end.isRevoked('bob'))).toEqual([false, false, false]);
    expect(await sendOrder(redis.settings, subjectOrder('unrevoke', 'alice'))).toBeUndefined();
    await everywhere('alice', false);
    expect(b.applied.map(({ kind, source, live }) => [kind, source, live])).toEqual([
      ['revoke', 'store', true],
      ['unrevoke', 'store', true],
    ]);
    expect(ends[2]?.applied.map(({ kind, live }) => [kind, live])).toEqual([
      ['revoke', false],
      ['unrevoke', true],
    ]);
  });

  it('ends by its time, and is never made shorter', async () => {
    let ahead = 0;
    const end = await open(() => Date.now() + ahead);
    const at = Date.now();
    await end.shared.write(subjectOrder('revoke', 'carol', at + 60_000), 'admin');
    await end.shared.write(subjectOrder('revoke', 'carol', at + 1000), 'admin');
    ahead = 30_000;
    expect(end.isRevoked('carol')).toBe(true);
    ahead = 61_000;
    expect(end.isRevoked('carol')).toBe(false);
  });

  it('cannot be read, or found by its name, in the store', async () => {
    const end = await open();
    await end.shared.write(subjectOrder('revoke', 'a-name-to-find'), 'admin');
    const all = JSON.stringify([
      await redis.command('HGETALL', 'firsthand:1:revoked'),
      await redis.command('XRANGE', 'firsthand:1:revoked:changes', '-', '+'),
    ]);
    expect(all.length).toBeGreaterThan(100);
    for (const word of ['a-name-to-find', ISSUER, 'subject', 'test']) expect(all).not.toContain(word);
  });

  it('is no word that the store was heard where it was sealed with another key', async () => {
    const key = join(redis.folder, 'other.key');
    writeFileSync(key, 'k'.repeat(32));
    const end = await open();
    expect(end.shared.silence(Date.now())).toBeLessThan(5000);
    await sendOrder({ ...redis.settings, keyFile: key }, subjectOrder('revoke', 'dora'));
    const heard = end.shared.silence(Date.now());
    await until(() => end.shared.silence(Date.now()) > heard + 1500, PATIENCE);
    await redis.command('DEL', 'firsthand:1:revoked', 'firsthand:1:revoked:changes');
    await until(() => end.shared.silence(Date.now()) < 1000, PATIENCE);
  });
});

describe('a store that forgets', () => {
  it('is told again what a guard knows, and an unrevoke is not undone by who missed it', async () => {
    const a = await open();
    await a.shared.write(subjectOrder('revoke', 'kept'), 'admin');
    await a.shared.write(subjectOrder('revoke', 'ended'), 'admin');
    const b = await open();
    await a.shared.write(subjectOrder('unrevoke', 'ended'), 'admin');
    await redis.command('FLUSHALL');
    await until(async () => (await redis.command('HLEN', 'firsthand:1:revoked')) === 2, PATIENCE);
    await open();
    await everywhere('kept', true);
    await everywhere('ended', false);
    expect(b.isRevoked('kept')).toBe(true);
  });

  it('gets what was revoked while it was away', async () => {
    const a = await open();
    await redis.kill();
    await until(() => a.shared.silence(Date.now()) > 1000, PATIENCE);
    expect(await a.shared.write(subjectOrder('revoke', 'meanwhile'), 'incident')).toEqual(expect.any(String));
    expect(a.isRevoked('meanwhile')).toBe(true);
    await redis.start();
    await until(() => a.shared.silence(Date.now()) < 1000, PATIENCE);
    await open();
    await everywhere('meanwhile', true);
  });
});

type Step =
  | { readonly kind: 'revoke' | 'unrevoke' | 'twice' | 'send'; readonly name: string; readonly by: number }
  | { readonly kind: 'flush' | 'restart' | 'empty' | 'newcomer' | 'freeze' };

describe('a history', () => {
  it('of orders and outages, as a model has it: none lost, none invented, none undone', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const order = fc.record({
      kind: fc.constantFrom(
        'revoke' as const,
        'revoke' as const,
        'unrevoke' as const,
        'twice' as const,
        'send' as const,
      ),
      name: fc.constantFrom(...names),
      by: fc.nat(2),
    });
    const outage = fc.record({
      kind: fc.constantFrom(
        'flush' as const,
        'restart' as const,
        'empty' as const,
        'newcomer' as const,
        'freeze' as const,
      ),
    });
    const history = fc.array(fc.oneof({ weight: 4, arbitrary: order }, { weight: 1, arbitrary: outage }), {
      minLength: 80,
      maxLength: 80,
    });
    const [steps = []] = fc.sample(history, { numRuns: 1, seed: 20_261_124 }) as Step[][];
    for (let count = 0; count < 3; count += 1) await open();
    const model = new Set<string>();
    const seen: Record<string, number> = {};
    for (const step of steps) {
      seen[step.kind] = (seen[step.kind] ?? 0) + 1;
      await play(step, model);
      await until(() => ends.every((end) => names.every((name) => end.isRevoked(name) === model.has(name))), PATIENCE);
    }
    console.log(`history: ${JSON.stringify(seen)}`);
  }, 120_000);

  async function play(step: Step, model: Set<string>): Promise<void> {
    switch (step.kind) {
      case 'revoke':
      case 'unrevoke':
        await written(step.by, subjectOrder(step.kind, step.name));
        return void (step.kind === 'revoke' ? model.add(step.name) : model.delete(step.name));
      case 'twice': {
        const same = subjectOrder('revoke', step.name);
        for (const by of [step.by, (step.by + 1) % 3]) await written(by, same);
        return void model.add(step.name);
      }
      case 'send':
        await until(
          async () => (await sendOrder(redis.settings, subjectOrder('revoke', step.name))) === undefined,
          PATIENCE,
        );
        return void model.add(step.name);
      case 'flush':
        return void (await redis.command('FLUSHALL'));
      case 'restart':
      case 'empty':
        await redis.kill();
        return redis.start(step.kind === 'empty');
      case 'newcomer': {
        const [first] = ends.splice(0, 1);
        await first?.close();
        return void (await open());
      }
      case 'freeze':
        redis.freeze();
        await new Promise((resolve) => setTimeout(resolve, 300));
        return redis.thaw();
    }
  }

  /** By an end that is connected: what only one of them knows would be lost with it. */
  const written = (by: number, order: ReturnType<typeof subjectOrder>): Promise<void> =>
    until(async () => (await ends[by]?.shared.write(order, 'admin')) === undefined, PATIENCE);
});
