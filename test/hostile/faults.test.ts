/**
 * A broken guard denies: a fault in each thing that a check asks, one that never answers, a deadline that passes. Each
 * leaves its one record, and the next check is answered as if nothing had been.
 */
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CheckDependencies } from '../../src/ask.js';
import type { Check } from '../../src/check.js';
import { readRequest } from '../../src/wire/read-request.js';
import type { Guard } from '../helpers/guard.js';
import { theOnly } from '../helpers/guard.js';
import { serveBroken } from '../helpers/parts.js';
import type { Breaks } from '../helpers/parts.js';
import { expectAllowed, expectDenied, expectRecorded } from '../helpers/verdicts.js';
import { callThrough, CONFIG, guardOf, makeWorld, movableClock } from '../helpers/world.js';
import type { CaseOptions, World } from '../helpers/world.js';

const LINES = `
GET  /orders/{id}  orders.read
GET  /once         orders.read  once
GET  /healthz      anyone
`;

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

async function guardWith(breaks: Breaks, options: CaseOptions = {}): Promise<Guard> {
  const guard = await guardOf(world, { lines: LINES, ...options, serve: serveBroken(breaks) });
  onTestFinished(() => guard.stop());
  return guard;
}
const call = async (path = '/orders/1'): Promise<Buffer> =>
  callThrough({ hops: [world.frontend], path, token: await world.token() });

const broken = (): never => {
  throw new Error('broken on purpose');
};

/** Fails the first time, and works from then on. */
function once<A extends unknown[], R>(work: (...args: A) => R, fail: () => R = broken): (...args: A) => R {
  let failed = false;
  return (...args) => {
    if (failed) return work(...args);
    failed = true;
    return fail();
  };
}

type Break = (whole: CheckDependencies) => Partial<CheckDependencies>;

/** Where it breaks → how, and which path leads there. */
const STAGES: readonly (readonly [stage: string, how: Break, path?: string])[] = [
  [
    'finding the line',
    ({ snapshot }) => ({ snapshot: once(snapshot, () => ({ ...snapshot(), policy: { ...brokenPolicy(snapshot) } })) }),
  ],
  [
    'the settings',
    ({ settings }) => ({
      settings: {
        ...settings,
        get allowHeaders() {
          return pop(settings.allowHeaders);
        },
      },
    }),
  ],
  ['asking for certificates', ({ verifyCertificate }) => ({ verifyCertificate: once(verifyCertificate) })],
  [
    'verifying a certificate',
    ({ verifyCertificate }) => ({ verifyCertificate: once(verifyCertificate, () => broken) }),
  ],
  ['asking for tokens', ({ verifyTokenSignature }) => ({ verifyTokenSignature: once(verifyTokenSignature) })],
  [
    'verifying a token',
    ({ verifyTokenSignature }) => ({ verifyTokenSignature: once(verifyTokenSignature, () => broken) }),
  ],
  [
    'verifying a token, later',
    ({ verifyTokenSignature }) => ({
      verifyTokenSignature: once(verifyTokenSignature, () => () => Promise.reject(new Error('late'))),
    }),
  ],
  ['comparing a pin', ({ pins }) => ({ pins: { ...pins, compare: once(pins.compare) } })],
  ['claiming a pin', ({ writeClaims }) => ({ writeClaims: once(writeClaims) })],
  ['asking whether a token was used', ({ uses }) => ({ uses: { unused: once(uses.unused) } }), '/once'],
  ['recording a use', ({ writeClaims }) => ({ writeClaims: once(writeClaims) }), '/once'],
  ['asking for revocations', ({ isRevoked }) => ({ isRevoked: once(isRevoked) })],
  ['finding a decision', ({ cache }) => ({ cache: { ...cache, find: once(cache.find) } })],
  ['keeping a decision', ({ cache }) => ({ cache: { ...cache, store: once(cache.store) } })],
];

function brokenPolicy(snapshot: CheckDependencies['snapshot']) {
  const { policy } = snapshot();
  if (policy === undefined) throw new Error('no policy is loaded');
  return { ...policy, route: broken };
}

let popped = 0;
const pop = <T>(value: T): T => ((popped += 1) === 1 ? broken() : value);

describe('a fault', () => {
  const stages = STAGES.map(([stage, how, path]) => ({ stage, how, path }));
  test.each(stages)('in $stage denies, is recorded, and is over', async ({ how, path }) => {
    const guard = await guardWith({ check: how });
    const denied = await guard.check(await call(path));
    expectDenied(denied, 'internal_error');
    await expectRecorded(guard, denied);
    expect(guard.logged.join()).toMatch(/broken on purpose|late/);
    const allowed = await guard.check(await call(path));
    expectAllowed(allowed);
    await expectRecorded(guard, allowed);
  });

  test('in looking whether records can be written denies', async () => {
    const guard = await guardWith({ handler: () => ({ mayAnswer: () => false }) });
    expectDenied(await guard.check(await call()), 'internal_error');
    expectDenied(await guard.check(await call('/healthz')), 'internal_error');
  });

  test('in telling what happened ends nothing', async () => {
    const guard = await guardWith({
      handler: ({ onOutcome }) => ({
        onOutcome: (...facts) => {
          onOutcome(...facts);
          broken();
        },
      }),
    });
    expectAllowed(await guard.check(await call()));
    expectAllowed(await guard.check(await call()));
    await expect.poll(() => guard.logged.join()).toContain('broken on purpose');
  });

  test('that would be an OK without a permit is a denial', async () => {
    const forge: Breaks['handler'] = ({ check }) => ({
      check: async (...args) => {
        const outcome = await check(...args);
        return { ...outcome, verdict: { kind: 'deny', refusal: { ok: false, reason: 'allowed', detail: 'x' } } };
      },
    });
    const guard = await guardWith({ handler: forge });
    expectDenied(await guard.check(await call()), 'internal_error');
  });

  test('is no fault of the line that asks nobody', async () => {
    const guard = await guardWith({
      check: () => ({ verifyCertificate: broken, verifyTokenSignature: broken, isRevoked: broken }),
    });
    expectAllowed(await guard.check(await call('/healthz')), 'allowed_anyone');
    expectDenied(await guard.check(await call()), 'internal_error');
  });
});

const never: Breaks['check'] = () => ({ verifyTokenSignature: () => () => new Promise(() => undefined) });

describe('a deadline', () => {
  test('that passes while a token is verified: the caller gets no OK, and there is one record', async () => {
    const guard = await guardWith({ check: never });
    const answer = guard.check(await call(), { deadline: Date.now() + 200 });
    await expect(answer.then(({ code }) => code)).rejects.toMatchObject({ code: 4 });
    const record = await theOnly(() => guard.records(), 'the call');
    expect(record).toMatchObject({ decision: 'deny', reason: 'deadline_exceeded' });
  });

  test('that passes here before it passes there is answered in time', async () => {
    const clock = movableClock();
    const guard = await guardWith({ check: never }, { now: clock.now });
    clock.advance(60_000);
    const started = performance.now();
    const answer = await guard.check(await call(), { deadline: Date.now() + 60_200 });
    expectDenied(answer, 'deadline_exceeded');
    expect(performance.now() - started).toBeLessThan(5000);
    await expectRecorded(guard, answer);
  });

  test('that passed while the thread was held makes no late OK, and writes no pin', async () => {
    const clock = movableClock();
    let held = false;
    const holding: Breaks['check'] = ({ verifyTokenSignature }) => ({
      verifyTokenSignature: (snapshot) => (token, issuers) => {
        if (!held) clock.advance(60_000);
        held = true;
        return verifyTokenSignature(snapshot)(token, issuers);
      },
    });
    const guard = await guardWith({ check: holding }, { now: clock.now });
    const token = await world.token();
    const by = (who: typeof world.frontend) => guard.check(callThrough({ hops: [who], token }));
    expectDenied(await by(world.frontend), 'deadline_exceeded');
    expectAllowed(await by(world.batch));
    expectDenied(await by(world.frontend), 'token_presenter_changed');
  });

  test('in two months is not one that has passed', async () => {
    const slow: Breaks['check'] = ({ verifyTokenSignature }) => ({
      verifyTokenSignature: (snapshot) => async (token, issuers) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return verifyTokenSignature(snapshot)(token, issuers);
      },
    });
    // grpc-js itself sends no deadline that is so far away; others do.
    const far: Breaks['handler'] = ({ check }) => ({
      check: (request) => check(request, Date.now() + 60 * 86_400_000),
    });
    const guard = await guardWith({ check: slow, handler: far });
    expectAllowed(await guard.check(await call()));
  });

  test('is what an overloaded guard answers with, instead of queueing', async () => {
    let check: Check | undefined;
    const guard = await guardWith({ check: never, handler: (whole) => ((check = whole.check), {}) });
    const request = readRequest(await call());
    for (let index = 0; index < 10_000; index += 1) void check?.(request, undefined);
    const answer = await guard.check(await call());
    expectDenied(answer, 'deadline_exceeded');
    await expectRecorded(guard, answer);
  });
});

describe.skipIf(!existsSync('/dev/full'))('the real app', () => {
  test('denies where it must not answer without a record, and none can be written', async () => {
    const audit = { to: 'file:/dev/full', onFailure: 'deny' };
    const guard = await guardOf(world, { config: { ...CONFIG, audit }, lines: LINES, files: { 'audit.ndjson': '' } });
    const bytes = await call();
    await expect.poll(async () => (await guard.check(bytes)).metadata['reason']).toBe('internal_error');
    await expect(guard.stop()).rejects.toThrow('0 records');
  });

  test('answers on where records get lost and the operator said so', async () => {
    const audit = { to: 'file:/dev/full' };
    const guard = await guardOf(world, { config: { ...CONFIG, audit }, lines: LINES, files: { 'audit.ndjson': '' } });
    const bytes = await call();
    for (let index = 0; index < 5; index += 1) {
      expectAllowed(await guard.check(bytes));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(guard.logged.join()).toContain('audit records can not be written');
    await expect(guard.stop()).rejects.toThrow('0 records');
  });
});
