/**
 * Invariant 9: one audit record for each check, whatever the bytes, whatever breaks, whether or not anybody still waits; and
 * no secret in any of them. Random calls full of canaries, through the real recorder into a real file. Killed by: a record
 * that is written only on the way back, two on a fault, a field that is copied instead of chosen.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CheckDependencies } from '../../src/ask.js';
import type { AuditRecord } from '../../src/audit/record.js';
import { createHandler } from '../../src/handle.js';
import type { Handle } from '../../src/handle.js';
import { createRecorder } from '../../src/recorder.js';
import type { Recorder } from '../../src/recorder.js';
import { startGrpcListener } from '../../src/wire/grpc-server.js';
import { CHECK_PATH } from '../../src/wire/proto.js';
import { callFrom, elementOf, GUARD } from '../helpers/check-request.js';
import { twin } from '../helpers/tokens.js';
import { targetOf } from '../wire/client.js';
import { decodeAnswer } from '../wire/answers.js';
import { boundTo, houseOf, makeCast, NOW, SETTINGS } from './house.js';
import type { Cast } from './house.js';

const LINES = `GET /orders/{id} orders.read
POST /orders/{id} orders.read once
GET /stats workload
GET /healthz anyone`;
const CANARY = 'canary7Qx9';

let cast: Cast;
let tokens: readonly string[];
beforeAll(async () => {
  cast = await makeCast();
  const claims = { scope: 'orders.read', secret: CANARY, nested: { secret: CANARY } };
  const good = await cast.idp.sign({ ...claims, ...boundTo(cast.frontend) });
  tokens = [
    ...[good, twin(good), `${good.slice(0, -4)}AAAA`, good.slice(20), `${good}.${CANARY}`, CANARY],
    await cast.idp.sign({ ...claims, exp: NOW / 1000 - 999 }, { kid: 'unknown' }),
    await cast.second.sign({ ...claims, iss: `https://${'x'.repeat(2000)}` }),
  ];
});

let folder: string;
let recorder: Recorder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firsthand-'));
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent, fatal: silent };
  const settings = {
    ...SETTINGS,
    audit: { ...SETTINGS.audit, to: { kind: 'file' as const, path: join(folder, 'audit') } },
  };
  recorder = createRecorder(settings, log, () => NOW);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What was written, once everything is. */
async function written(): Promise<{ readonly text: string; readonly records: readonly AuditRecord[] }> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  await recorder.close();
  const text = readFileSync(join(folder, 'audit'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  const records = lines.map((line) => JSON.parse(line) as AuditRecord).filter(({ event }) => event === 'decision');
  return { text, records };
}

const handlerWith = (parts: Partial<CheckDependencies>): Handle =>
  createHandler({
    check: houseOf(cast, { lines: LINES, parts }).check,
    settings: SETTINGS,
    mayAnswer: recorder.mayAnswer,
    onOutcome: recorder.onOutcome,
    onFault: () => undefined,
  });

const fault = (): never => {
  throw new Error(`a fault that quotes ${CANARY} and ${tokens[0] ?? ''}`);
};
const late = <T>(): Promise<T> => new Promise(() => undefined);
const WAYS: readonly Partial<CheckDependencies>[] = [
  {},
  {},
  {},
  { verifyCertificate: fault },
  { verifyTokenSignature: () => () => Promise.reject(new Error(CANARY)) },
  { verifyTokenSignature: () => late },
  { isRevoked: fault },
  { uses: { unused: fault }, writeClaims: fault },
];

const secretLines: fc.Arbitrary<readonly (readonly [string, string])[]> = fc.subarray([
  ['cookie', `session=${CANARY}`],
  ['x-api-key', CANARY],
  ['proxy-authorization', `Basic ${CANARY}`],
  ['x-token', CANARY],
  ['x-forwarded-client-cert', `Hash=${CANARY}`],
  ['x-http-method-override', CANARY],
  ['upgrade', CANARY],
] as const);
const call = fc.record({
  who: fc.constantFrom('frontend', 'frontend', 'thief', 'rogue'),
  token: fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 5, 6, 7, undefined),
  scheme: fc.constantFrom('Bearer', 'Bearer', 'bearer', 'Basic'),
  method: fc.constantFrom('GET', 'GET', 'POST', 'get'),
  path: fc.constantFrom('/orders/1', '/orders/1', '/stats', '/healthz', '/nowhere', '//', '/orders/%2f'),
  query: fc.constantFrom('', `?key=${CANARY}`, `?a=${CANARY}&b=%20${CANARY}`, `#${CANARY}`, `%3fkey=${CANARY}`),
  forged: fc.constantFrom(false, false, false, true),
  lines: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, secretLines),
  way: fc.nat({ max: WAYS.length - 1 }),
  patience: fc.constantFrom(undefined, undefined, -5, 20),
  garbage: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.uint8Array({ maxLength: 60 })),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

function bytesOf({ who, token, scheme, method, path, query, forged, lines, garbage }: Call): Uint8Array {
  if (garbage !== undefined) return garbage;
  const peer = cast[who as 'frontend'];
  const credential = token === undefined ? [] : [['authorization', `${scheme} ${tokens[token] ?? ''}`] as const];
  return callFrom({
    peer,
    method,
    path: `${path}${query}`,
    host: 'orders.example',
    own: forged ? `${elementOf(GUARD, peer)};Cert="${CANARY}"` : elementOf(GUARD, peer),
    headers: [...lines, ...credential],
  });
}

/** Asked in every run, whatever is drawn: what must be among the answers. */
const plain: Call = {
  ...{ who: 'frontend', token: 0, scheme: 'Bearer', method: 'GET', path: '/orders/1', query: '', forged: false },
  ...{ lines: [], way: 0, patience: undefined, garbage: undefined },
};
const EXAMPLES: [Call][] = [
  [plain],
  [{ ...plain, way: 3 }],
  [{ ...plain, patience: -5 }],
  [{ ...plain, method: 'get' }],
];

/** The parts of a token that say more than a record may. */
const secretsIn = (): readonly string[] => [
  CANARY,
  ...tokens.flatMap((token) => token.split('.')).filter((part) => part.length > 20),
];

describe('each check', () => {
  it('leaves one record of what was answered, and no secret in it', async () => {
    const answered: unknown[] = [];
    const reasons = new Set<string>();
    await fc.assert(
      fc.asyncProperty(call, async (given) => {
        const way = WAYS[given.way] ?? {};
        // Who never gets an answer must not wait for it here either.
        const patience = given.patience ?? (given.way === 5 ? 10 : undefined);
        const answer = decodeAnswer(
          await handlerWith(way)(bytesOf(given), patience === undefined ? undefined : NOW + patience),
        );
        answered.push([answer.metadata['id'], answer.metadata['reason']]);
        for (const secret of secretsIn()) expect(JSON.stringify(answer)).not.toContain(secret);
      }),
      { numRuns: 700, examples: EXAMPLES },
    );
    const { text, records } = await written();
    expect(records.map(({ id, reason }) => [id, reason])).toEqual(answered);
    for (const { reason } of records) reasons.add(reason);
    expect(reasons.size).toBeGreaterThan(11);
    expect([...reasons]).toEqual(
      expect.arrayContaining(['allowed', 'internal_error', 'deadline_exceeded', 'request_malformed']),
    );
    const leaks = text.split('\n').filter((line) => secretsIn().some((secret) => line.includes(secret)));
    expect(leaks).toEqual([]);
  });

  it('leaves one also where the caller hung up, at any moment', async () => {
    const handle = handlerWith({});
    let handled = 0;
    const slowly: Handle = async (bytes, deadline) => {
      handled += 1;
      await new Promise((resolve) => setTimeout(resolve, handled % 4));
      return handle(bytes, deadline);
    };
    const address = { kind: 'unix' as const, path: join(folder, 's') };
    const log = (): void => undefined;
    const listener = await startGrpcListener({ address, socketMode: 0o600, reflection: false, handle: slowly, log });
    const client = new Client(targetOf(address), credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    const bytes = callFrom({ peer: cast.frontend, path: '/orders/1', token: tokens[0] });
    const asIs = (given: Buffer): Buffer => given;
    let hungUp = 0;
    const hangUp = (after: number): Promise<void> =>
      new Promise((resolve) => {
        const running = client.makeUnaryRequest(CHECK_PATH, asIs, asIs, bytes, new Metadata(), (error) => {
          if (error !== null) hungUp += 1;
          resolve();
        });
        setTimeout(() => running.cancel(), after);
      });
    // The connection stands before anybody hangs up.
    await hangUp(5000);
    for (let round = 0; round < 12; round += 1)
      await Promise.all(Array.from({ length: 12 }, (_, index) => hangUp(index + round)));
    client.close();
    await listener.close(2000);
    const { records } = await written();
    expect(hungUp).toBeGreaterThan(20);
    expect(handled).toBeGreaterThan(20);
    expect(new Set(records.map(({ id }) => id)).size).toBe(handled);
    expect(records.length).toBe(handled);
  });
});
