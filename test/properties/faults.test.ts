/**
 * Invariant 11: whatever fails denies, with a reason of its own. Any of the things that a check asks, failing in any way,
 * over random calls: never an OK where the call got as far as the failure, and never one that the healthy house would not
 * have given. Killed by: a catch that goes on, a race that forgets the deadline, an empty list that passes `every`, a
 * full table that lets through.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CheckDependencies } from '../../src/ask.js';
import { reasonOf } from '../../src/audit/record.js';
import { isAllow } from '../../src/model/reasons.js';
import type { Reason } from '../../src/model/reasons.js';
import { ok, refuse } from '../../src/model/result.js';
import type { Refusal } from '../../src/model/result.js';
import { createPresented } from '../../src/state/pins.js';
import { readRequest } from '../../src/wire/read-request.js';
import { callFrom } from '../helpers/check-request.js';
import { boundTo, elementsThrough, houseOf, makeCast, NOW } from './house.js';
import type { Cast, HouseOptions } from './house.js';

const LINES = `GET /orders/{id} orders.read
GET /once orders.read once
GET /stats workload
GET /healthz anyone`;

let cast: Cast;
let bound: string;
let pinned: readonly string[];
beforeAll(async () => {
  cast = await makeCast();
  bound = await cast.idp.sign({ scope: 'orders.read', ...boundTo(cast.frontend) });
  pinned = await Promise.all([1, 2].map(() => cast.second.sign({ scope: 'orders.read' })));
});

const call = fc.record({
  path: fc.constantFrom('/orders/1', '/once', '/stats', '/healthz', '/nowhere'),
  proxied: fc.boolean(),
  token: fc.constantFrom('bound', 'bound', 'pinned', 'none'),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

function bytesOf({ path, proxied, token }: Call, which = 0): Buffer {
  return callFrom({
    peer: proxied ? cast.gateway : cast.frontend,
    behind: proxied ? elementsThrough([cast.frontend, cast.gateway]) : [],
    path,
    token: token === 'bound' ? bound : undefined,
    headers: token === 'pinned' ? [['x-token', pinned[which] ?? '']] : [],
  });
}

const FAULT = new Error('broken on purpose');
const broken = (): never => {
  throw FAULT;
};
const fine = () => ok(undefined);
const full: Refusal = refuse('store_unavailable', 'broken on purpose');
const noKeys: Refusal = refuse('keys_unavailable', 'broken on purpose');
const never = <T>(): Promise<T> => new Promise(() => undefined);
const noCache = { find: () => undefined, store: () => undefined, clear: () => undefined, size: () => 0 };

interface Failure {
  readonly name: string;
  readonly parts: Partial<CheckDependencies>;
  readonly reason: Reason;
  /** Whether the call gets as far, in a house where everything else is well. */
  readonly reached: (call: Call) => boolean;
}

const asksOrigin = ({ path }: Call): boolean => path !== '/healthz';
const hasToken = ({ path, token }: Call): boolean => (path === '/orders/1' || path === '/once') && token !== 'none';
const hasPin = (given: Call): boolean => hasToken(given) && given.token === 'pinned';
const isOnce = (given: Call): boolean => hasToken(given) && given.path === '/once';
const isVerified = (given: Call): boolean => hasToken(given) || given.path === '/stats';
const isKept = ({ path }: Call): boolean => path !== '/healthz' && path !== '/once';

/** Between them they reach everything that can fail. */
const ASKING_MOST: readonly Call[] = [
  { path: '/once', proxied: false, token: 'pinned' },
  { path: '/orders/1', proxied: true, token: 'pinned' },
];

const failure = (
  name: string,
  reason: Reason,
  reached: Failure['reached'],
  parts: Partial<CheckDependencies>,
): Failure => ({ name, reason, reached, parts });

const writes: Failure['reached'] = (given) => hasPin(given) || isOnce(given);
const pins = { peek: (): 'unknown' => 'unknown', compare: fine, pinned: () => undefined };

const FAILURES: readonly Failure[] = [
  failure('certificates throw', 'internal_error', asksOrigin, { verifyCertificate: broken }),
  failure('a certificate throws', 'internal_error', asksOrigin, { verifyCertificate: () => broken }),
  failure('no bundle', 'bundle_unavailable', asksOrigin, {
    verifyCertificate: () => () => refuse('bundle_unavailable', 'broken on purpose'),
  }),
  failure('tokens throw', 'internal_error', hasToken, { verifyTokenSignature: broken }),
  failure('a token rejects', 'internal_error', hasToken, { verifyTokenSignature: () => () => Promise.reject(FAULT) }),
  failure('no keys', 'keys_unavailable', hasToken, { verifyTokenSignature: () => () => Promise.resolve(noKeys) }),
  failure('a token never answers', 'deadline_exceeded', hasToken, { verifyTokenSignature: () => never }),
  failure('pins throw', 'internal_error', hasPin, { pins: { ...pins, compare: broken } }),
  failure('nothing can be written', 'internal_error', writes, { writeClaims: broken }),
  failure('pins are full', 'store_unavailable', hasPin, { pins: { ...pins, compare: () => full } }),
  failure('there is no room at the end', 'store_unavailable', writes, { writeClaims: () => full }),
  failure('uses throw', 'internal_error', isOnce, { uses: { unused: broken } }),
  failure('uses are gone', 'store_unavailable', isOnce, { uses: { unused: () => full } }),
  failure('revocations throw', 'internal_error', isVerified, { isRevoked: broken }),
  failure('revocations are old', 'revocation_stale', isVerified, {
    isRevoked: () => refuse('revocation_stale', 'broken on purpose'),
  }),
  failure('the cache throws', 'internal_error', isKept, { cache: { ...noCache, find: broken } }),
  failure('the cache throws at the end', 'internal_error', isKept, { cache: { ...noCache, store: broken } }),
];

/** A deadline only where it is what ends the call: a busy machine may take longer than that for everything else. */
const patience = (given: Call, failing: readonly string[]): number | undefined =>
  hasToken(given) && failing.includes('a token never answers') ? NOW + 15 : undefined;

const ask = async (given: Call, options: Partial<HouseOptions> = {}, deadline?: number): Promise<Reason> =>
  reasonOf(await houseOf(cast, { lines: LINES, ...options }).check(readRequest(bytesOf(given)), deadline));

describe('what fails', () => {
  it('denies with its own reason where the call gets as far, and changes nothing elsewhere', async () => {
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        call,
        fc.constantFrom(...FAILURES),
        async (given, { name, parts, reason, reached: isReached }) => {
          const said = await ask(given, { parts }, patience(given, [name]));
          if (isReached(given)) {
            reached.add(name);
            expect([name, said]).toEqual([name, reason]);
          } else expect([name, said]).toEqual([name, await ask(given)]);
        },
      ),
      {
        numRuns: 900,
        examples: FAILURES.flatMap((each) => ASKING_MOST.map((given): [Call, Failure] => [given, each])),
      },
    );
    expect([...reached].sort()).toEqual(FAILURES.map(({ name }) => name).sort());
  });

  it('never adds up to an OK, however much fails at once', async () => {
    const some = fc.uniqueArray(fc.nat({ max: FAILURES.length - 1 }), { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(call, some, async (given, which) => {
        const chosen = which.flatMap((index) => FAILURES[index] ?? []);
        const parts = chosen.reduce<Partial<CheckDependencies>>((all, each) => ({ ...all, ...each.parts }), {});
        const said = await ask(
          given,
          { parts },
          patience(
            given,
            chosen.map(({ name }) => name),
          ),
        );
        // Of two failures of one thing only the last is there.
        const there = chosen.filter((each) =>
          Object.entries(each.parts).every(([key, part]) => parts[key as keyof typeof parts] === part),
        );
        if (there.some(({ reached }) => reached(given))) expect(isAllow(said)).toBe(false);
        else expect(said).toBe(await ask(given));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a deadline that has passed', () => {
  it('denies, whatever the call is', async () => {
    await fc.assert(
      fc.asyncProperty(call, fc.integer({ min: -100_000, max: 0 }), async (given, late) => {
        expect(await ask(given, {}, NOW + late)).toBe('deadline_exceeded');
      }),
      { numRuns: 100 },
    );
  });
});

describe('an empty list, and what is missing', () => {
  const orders: Call = { path: '/orders/1', proxied: false, token: 'bound' };
  const nothing = new Map();
  const empty: readonly (readonly [string, Partial<HouseOptions>, Reason])[] = [
    ['no policy', { snapshot: { policy: undefined } }, 'policy_invalid'],
    ['no lines', { lines: '' }, 'route_undeclared'],
    ['no keys', { snapshot: { findKeys: () => nothing } }, 'token_key_unknown'],
    ['keys that could not be loaded', { snapshot: { findKeys: () => 'unavailable' } }, 'keys_unavailable'],
    ['no anchors', { snapshot: { findBundle: () => ({ anchors: [], intermediates: [] }) } }, 'peer_untrusted'],
    ['a bundle that could not be loaded', { snapshot: { findBundle: () => 'unavailable' } }, 'bundle_unavailable'],
    ['no such domain', { snapshot: { findBundle: () => 'unknown' } }, 'peer_untrusted'],
  ];

  it.each(empty)('%s', async (_what, options, reason) => {
    expect(await ask(orders)).toBe('allowed');
    expect(await ask(orders, options)).toBe(reason);
  });
});

describe('a full table', () => {
  it('of pins refuses the next token, and none that it knows', async () => {
    const house = houseOf(cast, { lines: LINES, parts: createPresented(1) });
    const orders: Call = { path: '/orders/1', proxied: false, token: 'pinned' };
    const said: Reason[] = [];
    for (const which of [0, 1, 0, 1]) said.push((await house.ask(bytesOf(orders, which))).reason);
    expect(said).toEqual(['allowed', 'store_unavailable', 'allowed', 'store_unavailable']);
  });

  it('of used tokens refuses the next one, and still knows the first', async () => {
    const house = houseOf(cast, { lines: LINES, parts: createPresented(1) });
    const once: Call = { path: '/once', proxied: false, token: 'pinned' };
    const said: Reason[] = [];
    for (const which of [0, 1, 0, 1]) said.push((await house.ask(bytesOf(once, which))).reason);
    expect(said).toEqual(['allowed', 'store_unavailable', 'token_replayed', 'store_unavailable']);
  });
});
