/** The short way among its neighbours: what it must leave to the whole way, what breaks on it, and what is told of it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../src/engine.js';
import type { Engine } from '../../src/engine.js';
import { createHandler } from '../../src/handle.js';
import type { Handle, HandlerDependencies } from '../../src/handle.js';
import type { Outcome } from '../../src/model/decision.js';
import { reasonOf } from '../../src/audit/record.js';
import { createQuick } from '../../src/quick/quick.js';
import type { Quick } from '../../src/quick/quick.js';
import { callFrom } from '../helpers/check-request.js';
import type { CallFacts } from '../helpers/check-request.js';
import { boundTo, makeCast, NOW, SETTINGS, snapshotOf } from '../properties/house.js';
import type { Cast } from '../properties/house.js';
import { decodeAnswer } from '../wire/answers.js';

const LINES = `GET /orders/{id} orders.read
GET /fresh token fresh
POST /once token once
GET /stats workload
GET /healthz anyone`;

let cast: Cast;
let token: string;
beforeAll(async () => {
  cast = await makeCast();
  token = await cast.idp.sign({ scope: 'orders.read', ...boundTo(cast.frontend) });
});

interface Guarded {
  readonly engine: Engine;
  readonly faults: unknown[];
  readonly told: Outcome[];
  /** Of the last check: by which way it was answered. */
  way(facts?: Partial<CallFacts>): Promise<{ way: 'short' | 'whole'; reason: string; answer: unknown }>;
}

function guarded(
  bend: (quick: Quick) => Quick = (quick) => quick,
  without: Partial<HandlerDependencies> = {},
): Guarded {
  const faults: unknown[] = [];
  const told: Outcome[] = [];
  const snapshot = snapshotOf(cast, LINES);
  const onFault = (fault: unknown): void => void faults.push(fault);
  const engine = createEngine({ settings: SETTINGS, snapshot: () => snapshot, now: () => NOW, onFault });
  const quick = createQuick(engine.parts);
  if (quick === undefined) throw new Error('no short way');
  let way: 'short' | 'whole' = 'whole';
  const handle: Handle = createHandler({
    ...{ check: engine.check, settings: SETTINGS, mayAnswer: () => true, onFault, quick: bend(quick) },
    onOutcome: (outcome) => void ((way = 'whole'), told.push(outcome)),
    onFound: (found) => void ((way = 'short'), told.push(found.outcome)),
    ...without,
  });
  return {
    engine,
    faults,
    told,
    async way(facts = {}) {
      const before = told.length;
      const bytes = callFrom({ peer: cast.frontend, path: '/orders/1', token, ...facts });
      const answer = decodeAnswer(await handle(bytes, undefined));
      await expect.poll(() => told.length, { interval: 1 }).toBe(before + 1);
      const last = told.at(-1);
      if (last === undefined) throw new Error('nothing was told');
      expect(answer.metadata['id']).toBe(last.id);
      return { way, reason: reasonOf(last), answer };
    },
  };
}

async function third(guard: Guarded, facts: Partial<CallFacts> = {}) {
  await guard.way(facts);
  await guard.way(facts);
  return guard.way(facts);
}

describe('what was found twice the whole way', () => {
  it('is found by a glance from then on, also where it is a denial', async () => {
    const guard = guarded();
    expect((await guard.way()).way).toBe('whole');
    expect((await guard.way()).way).toBe('whole');
    expect(await guard.way()).toMatchObject({ way: 'short', reason: 'allowed' });
    // Another path of the same line needs nothing new.
    expect(await guard.way({ path: '/orders/2?x=1' })).toMatchObject({ way: 'short', reason: 'allowed' });
    expect(await third(guard, { peer: cast.thief })).toMatchObject({ way: 'short', reason: 'binding_mismatch' });
    expect(await third(guard, { path: '/nowhere' })).toMatchObject({ way: 'short', reason: 'route_undeclared' });
    expect(new Set(guard.told.map(({ id }) => id)).size).toBe(guard.told.length);
  });

  it('is not where anything else is: one byte of a token, a header in capitals, a name like ours', async () => {
    const guard = guarded();
    expect((await third(guard)).way).toBe('short');
    const bent = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`;
    expect(await guard.way({ token: bent })).toMatchObject({ way: 'whole' });
    expect((await guard.way({ token: bent })).reason).not.toBe('allowed');
    for (const name of ['x_firsthand_origin', 'X-Foo', 'x-http-method-override', 'upgrade'])
      expect((await guard.way({ headers: [[name, 'v']] })).way, name).toBe('whole');
    expect((await guard.way({ encoding: 'map' })).way).toBe('short');
    expect((await guard.way()).way).toBe('short');
  });

  it.each([
    ['a line with fresh', { path: '/fresh' }],
    ['a line with once', { path: '/once', method: 'POST' }],
    ['a line that looks at nobody', { path: '/healthz' }],
    ['a path that can be read in two ways', { path: '/orders/1;x' }],
    ['two hosts', { host: 'a.example,b.example' }],
  ] as const)('is decided the whole way on %s', async (_name, facts) => {
    expect((await third(guarded(), facts)).way).toBe('whole');
  });

  it('on a line that looks at no token is found whatever the token is, but for one that is two', async () => {
    const guard = guarded();
    expect((await third(guard, { path: '/stats', token: 'one' })).way).toBe('short');
    expect(await guard.way({ path: '/stats', token: 'another' })).toMatchObject({
      way: 'short',
      reason: 'allowed_workload',
    });
    expect(await guard.way({ path: '/stats', token: 'a, b' })).toMatchObject({
      way: 'whole',
      reason: 'header_ambiguous',
    });
  });

  it('is asked of the revocations each time there are new ones', async () => {
    const guard = guarded();
    expect((await third(guard)).way).toBe('short');
    const revocation = { type: 'identity', value: cast.frontend.id, issuer: undefined, until: NOW + 1000 } as const;
    guard.engine.revocations.revoke({ ...revocation, value: cast.thief.id });
    expect(await guard.way()).toMatchObject({ way: 'short', reason: 'allowed' });
    guard.engine.revocations.revoke(revocation);
    expect(await guard.way()).toMatchObject({ way: 'whole', reason: 'identity_revoked' });
    guard.engine.revocations.unrevoke(revocation);
    expect(await guard.way()).toMatchObject({ way: 'short', reason: 'allowed' });
  });
});

describe('whatever breaks on the short way', () => {
  const broken = (): never => {
    throw new Error('broken');
  };

  it('is a fault that is told, and the whole way answers, with one record', async () => {
    const guard = guarded(({ learn }) => ({ find: broken, learn }));
    expect(await third(guard)).toMatchObject({ way: 'whole', reason: 'allowed' });
    expect(await third(guard, { peer: cast.thief })).toMatchObject({ way: 'whole', reason: 'binding_mismatch' });
    expect(guard.faults).toHaveLength(6);
  });

  it('while it learns leaves the answer as it is', async () => {
    const guard = guarded(({ find }) => ({ find, learn: broken }));
    expect(await third(guard)).toMatchObject({ way: 'whole', reason: 'allowed' });
    expect(guard.faults).toHaveLength(2);
  });
});

it('nothing is found by a glance while records can not be written', async () => {
  let may = true;
  const guard = guarded(undefined, { mayAnswer: () => may });
  expect((await third(guard)).way).toBe('short');
  may = false;
  expect(await guard.way()).toMatchObject({ way: 'whole', reason: 'internal_error' });
});

it('who wants whole outcomes gets them of what was found too', async () => {
  const told: [Outcome, string | undefined][] = [];
  const guard = guarded(undefined, {
    onOutcome: (outcome, attributes) => void told.push([outcome, attributes?.headers.all('authorization')[0]]),
  });
  const whole: HandlerDependencies['onOutcome'] = (outcome, attributes) =>
    void told.push([outcome, attributes?.headers.all('authorization')[0]]);
  const quick = createQuick(guard.engine.parts);
  const handle = createHandler({
    ...{
      check: guard.engine.check,
      settings: SETTINGS,
      mayAnswer: () => true,
      onFault: () => undefined,
      onOutcome: whole,
    },
    ...(quick && { quick }),
  });
  const bytes = callFrom({ peer: cast.frontend, path: '/orders/1', token });
  for (let n = 0; n < 4; n += 1) await handle(bytes, undefined);
  await expect.poll(() => told.length).toBe(4);
  for (const [outcome, authorization] of told)
    expect([reasonOf(outcome), authorization]).toEqual(['allowed', `Bearer ${token}`]);
  expect(told.map(([{ cache }]) => cache)).toEqual(['miss', 'hit', 'hit', 'hit']);
});
