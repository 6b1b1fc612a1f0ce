/** Two guards and one real Redis: who was first, what was used up, and what is found in the store. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRedis } from '../helpers/redis.js';
import type { TestRedis } from '../helpers/redis.js';
import { until } from '../cli/until.js';
import { claimsOf, id, NOW, openEnd, pinOf, said, tokenName, useOf } from './facts.js';
import type { End, EndOptions } from './facts.js';

let redis: TestRedis;
let ends: End[] = [];
let a: End;
let b: End;

const open = async (options: EndOptions = {}): Promise<End> => {
  const end = await openEnd(redis.settings, options);
  ends.push(end);
  return end;
};
const close = async (end: End): Promise<void> => {
  ends = ends.filter((each) => each !== end);
  await end.close();
};

beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  [a, b] = [await open(), await open()];
});
afterEach(async () => {
  const faults = ends.flatMap((end) => end.faults);
  await Promise.all(ends.map((end) => end.close()));
  ends = [];
  expect(faults).toEqual([]);
});
afterAll(async () => redis.stop());

const write = async ({ presented }: End, ...claims: Parameters<typeof claimsOf>): Promise<unknown> =>
  said(await presented.writeClaims(claimsOf(...claims), NOW));
const compare = async ({ presented }: End, ...pin: Parameters<typeof pinOf>): Promise<unknown> =>
  said(await presented.pins.compare(pinOf(...pin), NOW));
const peek = ({ presented }: End, ...pin: Parameters<typeof pinOf>): string => presented.pins.peek(pinOf(...pin), NOW);

describe('a pin in the store', () => {
  it('is the first presenter’s at every guard', async () => {
    expect(await write(a, pinOf('t', 'frontend'))).toBe('first');
    expect(await write(a, pinOf('t', 'frontend'))).toBe('known');
    expect(await compare(b, 't', 'thief')).toBe('token_presenter_changed');
    expect(await write(b, pinOf('t', 'thief'))).toBe('token_presenter_changed');
    expect(await compare(b, 't', 'frontend')).toBe('ok');
    expect(await write(b, pinOf('t', 'frontend'))).toBe('known');
    expect(await write(b, pinOf('other', 'thief'))).toBe('first');
  });

  it('is told with both names', async () => {
    await write(a, pinOf('t', 'frontend'));
    const refused = await b.presented.writeClaims(claimsOf(pinOf('t', 'thief')), NOW);
    expect(refused).toMatchObject({ ok: false, detail: `first presented by ${id('frontend')}, now by ${id('thief')}` });
    expect(b.presented.pins.pinned(pinOf('t', 'thief').name, NOW)).toMatchObject({
      first: { presenter: { id: id('frontend') }, environment: 'prod', at: NOW },
    });
  });

  it('is known on a cache hit only where this guard has seen it', async () => {
    await write(a, pinOf('t', 'frontend'));
    expect([peek(a, 't', 'frontend'), peek(a, 't', 'thief')]).toEqual(['holds', 'conflict']);
    expect(peek(b, 't', 'frontend')).toBe('unknown');
    await compare(b, 't', 'frontend');
    expect([peek(b, 't', 'frontend'), peek(b, 't', 'thief')]).toEqual(['holds', 'conflict']);
  });

  it('that is not there is remembered for a moment, and never for an allow', async () => {
    expect(await compare(b, 't', 'thief')).toBe('ok');
    expect(peek(b, 't', 'thief')).toBe('free');
    expect(b.presented.pins.peek(pinOf('t', 'thief'), NOW + 1000)).toBe('unknown');
    await write(a, pinOf('t', 'frontend'));
    expect(await write(b, pinOf('t', 'thief'))).toBe('token_presenter_changed');
  });

  it('has one winner where many come at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `w${index}`);
    const results = await Promise.all(names.map((name, index) => write(index % 2 === 0 ? a : b, pinOf('t', name))));
    expect(results.filter((result) => result === 'first')).toHaveLength(1);
    expect(results.filter((result) => result === 'token_presenter_changed')).toHaveLength(19);
  });

  it('is shared by those who may share it, and by no third', async () => {
    const listed = { shares: ['frontend', 'orders'] };
    expect(await write(a, pinOf('t', 'frontend', listed))).toBe('first');
    expect(await write(b, pinOf('t', 'orders', listed))).toBe('known');
    expect(await write(b, pinOf('t', 'thief'))).toBe('token_presenter_changed');
  });

  it('goes by the key of the certificate where that is asked for', async () => {
    expect(await write(a, pinOf('t', 'frontend', { key: 'one' }))).toBe('first');
    expect(await write(b, pinOf('t', 'frontend', { key: 'one' }))).toBe('known');
    expect(await write(b, pinOf('t', 'frontend', { key: 'two' }))).toBe('token_presenter_changed');
    expect(await write(a, pinOf('u', 'frontend'))).toBe('first');
    expect(await write(b, pinOf('u', 'frontend', { key: 'one' }))).toBe('token_presenter_changed');
  });

  it('outlives the guard that wrote it', async () => {
    await write(a, pinOf('t', 'frontend'));
    await close(a);
    const restarted = await open();
    expect(await write(restarted, pinOf('t', 'thief'))).toBe('token_presenter_changed');
    expect(await write(restarted, pinOf('t', 'frontend'))).toBe('known');
  });

  it('ends a minute after its token', async () => {
    await write(a, pinOf('t', 'frontend'), useOf('t'));
    const keys = (await redis.command('KEYS', 'firsthand:1:[pu]*')) as string[];
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      const left = Number(await redis.command('PTTL', key));
      expect(left).toBeGreaterThan(355_000);
      expect(left).toBeLessThanOrEqual(360_000);
    }
  });
});

describe('a token whose time has a fraction of a millisecond', () => {
  it('is pinned and used up like any other', async () => {
    const odd = { until: NOW + 1000.25 };
    expect(await write(a, { ...pinOf('t', 'frontend'), ...odd }, { ...useOf('t'), ...odd })).toBe('first');
    expect(await write(b, { ...pinOf('t', 'thief'), ...odd })).toBe('token_presenter_changed');
    await redis.command('FLUSHALL');
    await until(async () => ((await redis.command('KEYS', 'firsthand:1:[pu]*')) as string[]).length === 2, 10_000);
  });
});

describe('a token that can be used once', () => {
  it('is used once at whichever guard', async () => {
    expect(said(await b.presented.uses.unused(useOf('t'), NOW))).toBe('ok');
    expect(await write(a, undefined, useOf('t'))).toBe('known');
    expect(said(await b.presented.uses.unused(useOf('t'), NOW))).toBe('token_replayed');
    expect(await write(b, undefined, useOf('t'))).toBe('token_replayed');
    expect(await write(b, undefined, useOf('t', 'GET /x'))).toBe('known');
  });

  it('is used by one of many that come at once', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => write(index % 2 === 0 ? a : b, pinOf('t', 'frontend'), useOf('t'))),
    );
    expect(results.filter((result) => result === 'first' || result === 'known')).toHaveLength(1);
    expect(results.filter((result) => result === 'token_replayed')).toHaveLength(19);
  });

  it('is written together with its pin, or neither', async () => {
    await write(a, undefined, useOf('t'));
    expect(await write(b, pinOf('t', 'thief'), useOf('t'))).toBe('token_replayed');
    expect(await write(b, pinOf('t', 'frontend'))).toBe('first');
    expect(await write(a, pinOf('t', 'thief'), useOf('t', 'GET /x'))).toBe('token_presenter_changed');
    expect(await write(b, pinOf('t', 'frontend'), useOf('t', 'GET /x'))).toBe('known');
  });
});

describe('a contest', () => {
  const contest = async (end: End, presenter: string): Promise<unknown> =>
    said(await end.presented.contestPin(pinOf('t', presenter, { onConflict: 'both' }), NOW));

  it('ends the pin for both, at every guard', async () => {
    const other = await open();
    await write(a, pinOf('t', 'frontend'));
    await compare(b, 't', 'thief');
    expect(await contest(b, 'thief')).toBe('ok');
    expect(peek(b, 't', 'frontend')).toBe('conflict');
    expect(await write(other, pinOf('t', 'frontend'))).toBe('token_presenter_changed');
    await until(() => peek(a, 't', 'frontend') === 'conflict', 10_000);
    expect(await write(a, pinOf('t', 'frontend'))).toBe('token_presenter_changed');
    expect(await write(a, pinOf('other', 'frontend'))).toBe('first');
  });

  it('is of no effect for whoever holds the pin', async () => {
    await write(a, pinOf('t', 'frontend'));
    expect(await contest(a, 'frontend')).toBe('ok');
    expect(await write(b, pinOf('t', 'frontend'))).toBe('known');
  });

  it('ends where an operator releases the token, in favour of the first', async () => {
    await write(a, pinOf('t', 'frontend'));
    await compare(b, 't', 'thief');
    await contest(b, 'thief');
    await until(() => peek(a, 't', 'frontend') === 'conflict', 10_000);
    a.presented.release(tokenName('another'), NOW);
    expect(peek(a, 't', 'frontend')).toBe('conflict');
    a.presented.release(tokenName('t'), NOW);
    expect([peek(a, 't', 'frontend'), peek(a, 't', 'thief')]).toEqual(['holds', 'conflict']);
    await until(() => peek(b, 't', 'frontend') === 'holds', 10_000);
    expect(await write(b, pinOf('t', 'thief'))).toBe('token_presenter_changed');
  });
});

describe('what vanishes from the store', () => {
  it('stays with the guard that knows it, and is written again when the store was emptied', async () => {
    await write(a, pinOf('t', 'frontend'), useOf('t'));
    await redis.command('FLUSHALL');
    expect(peek(a, 't', 'frontend')).toBe('holds');
    expect(await write(a, pinOf('t', 'thief'))).toBe('token_presenter_changed');
    await until(async () => ((await redis.command('KEYS', 'firsthand:1:[pu]*')) as string[]).length === 2, 10_000);
    await until(async () => (await write(b, pinOf('t', 'thief'))) === 'token_presenter_changed', 10_000);
    expect(await write(b, pinOf('t', 'frontend'))).toBe('known');
    expect(await write(b, undefined, useOf('t'))).toBe('token_replayed');
  });

  it('is nobody’s new pin until guards had the time to write it again', async () => {
    await Promise.all([close(a), close(b)]);
    await redis.command('FLUSHALL');
    const patient = await open({ settle: 1200 });
    const other = await open({ settle: 1200 });
    await until(async () => (await write(patient, pinOf('t', 'frontend'))) === 'first', 10_000);
    await redis.command('FLUSHALL');
    const seen = new Set<unknown>();
    await until(async () => {
      const result = await write(other, pinOf('t', 'thief'));
      seen.add(result);
      return result === 'token_presenter_changed';
    }, 10_000);
    expect([...seen].sort()).toEqual(['store_unavailable', 'token_presenter_changed']);
    await until(async () => (await write(other, pinOf('u', 'thief'))) === 'first', 10_000);
  });

  it('is refused to both where two came first, one before and one after', async () => {
    await write(a, pinOf('t', 'frontend'));
    const key = ((await redis.command('KEYS', 'firsthand:1:pin:*')) as string[])[0] ?? '';
    await redis.command('DEL', key);
    expect(await write(b, pinOf('t', 'thief'))).toBe('first');
    await redis.command('DEL', 'firsthand:1:epoch');
    await until(() => peek(a, 't', 'frontend') === 'conflict' && peek(b, 't', 'thief') === 'conflict', 10_000);
  });
});

describe('the store itself', () => {
  it('holds no token, no name of one, and no identity', async () => {
    await write(a, pinOf('t', 'frontend', { key: 'k' }), useOf('t'));
    const keys = (await redis.command('KEYS', '*')) as string[];
    const values = await Promise.all(
      keys.filter((key) => !key.endsWith('changed')).map((key) => redis.command('GET', key)),
    );
    const all = JSON.stringify([keys, values]);
    for (const secret of [tokenName('t'), 'frontend', 'spiffe', 'prod', 'orders']) expect(all).not.toContain(secret);
    expect(keys.every((key) => key.startsWith('firsthand:1:'))).toBe(true);
  });

  it('with a pin that somebody else wrote is refused', async () => {
    await write(a, pinOf('t', 'frontend'));
    const [key = ''] = (await redis.command('KEYS', 'firsthand:1:pin:*')) as string[];
    for (const forged of ['x', Buffer.alloc(80).toString('base64url')]) {
      await redis.command('SET', key, forged);
      expect(await compare(b, 't', 'frontend')).toBe('store_unavailable');
      expect(await write(b, pinOf('t', 'thief'))).toBe('store_unavailable');
    }
  });

  it('is asked at once or not at all when it is gone', async () => {
    await write(a, pinOf('t', 'frontend'));
    await redis.kill();
    await until(() => a.problem() !== undefined, 10_000);
    const started = performance.now();
    for (let times = 0; times < 1000; times += 1)
      expect(await write(a, pinOf(`n${times}`, 'frontend'))).toBe('store_unavailable');
    expect(performance.now() - started).toBeLessThan(1000);
    expect(await compare(a, 'u', 'frontend')).toBe('store_unavailable');
    expect(said(await a.presented.uses.unused(useOf('t'), NOW))).toBe('store_unavailable');
    expect(await write(a, pinOf('t', 'frontend'))).toBe('known');
    expect(await compare(a, 't', 'thief')).toBe('token_presenter_changed');
    await redis.start();
    await until(() => a.problem() === undefined, 10_000);
    expect(await write(b, pinOf('t', 'thief'))).not.toBe('first');
  });

  it('that is full refuses', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
    expect(await write(a, pinOf('t', 'frontend'))).toBe('store_unavailable');
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    expect(await write(a, pinOf('t', 'frontend'))).toBe('first');
  });

  it('is not needed to say that a guard is full', async () => {
    const small = await open({ max: 1 });
    expect(await write(small, pinOf('t', 'frontend'))).toBe('first');
    expect(await write(small, pinOf('u', 'frontend'))).toBe('store_unavailable');
    expect(await write(small, pinOf('t', 'frontend'))).toBe('known');
    expect(await write(small, pinOf('t', 'thief'))).toBe('token_presenter_changed');
  });
});
