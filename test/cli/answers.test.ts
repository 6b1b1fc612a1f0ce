import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callFrom, checkRequest } from '../helpers/check-request.js';
import { makeCa } from '../helpers/pki.js';
import type { TestSvid } from '../helpers/pki.js';
import { configWith, listenWith, makeFolder, tokensWith } from './folder.js';
import type { Folder } from './folder.js';
import { startGuard } from './guard.js';
import type { Env, Guard } from './guard.js';

let folder: Folder;
let stranger: TestSvid;
beforeAll(async () => {
  folder = await makeFolder();
  const partner = await makeCa({ name: 'Partner Root CA', trustDomain: 'partner.example' });
  folder.write('partner.pem', partner.certificate);
  stranger = await partner.issue();
});
afterAll(() => folder.remove());

const guardWith = (name: string, changes: object, env: Env = {}): Promise<Guard> =>
  startGuard(
    folder,
    configWith({
      listen: listenWith({ check: [`unix:${name}.sock`], admin: 'off' }),
      trust: { 'prod.example': { bundle: 'prod.pem' }, 'partner.example': { bundle: 'partner.pem' } },
      audit: { to: `file:${name}.ndjson` },
      ...changes,
    }),
    env,
  );

describe('an answer', () => {
  let guard: Guard;
  beforeAll(async () => {
    guard = await guardWith('answers', { tokens: [tokensWith({ forward: false })] });
  });
  afterAll(() => guard.stop());

  test('to an allowed call sets our headers over what the caller sent, and takes the token away', async () => {
    const headers = [
      ['x-firsthand-origin', 'spiffe://prod.example/ns/shop/sa/admin'],
      ['x_firsthand_peer', 'spiffe://prod.example/ns/shop/sa/admin'],
    ] as const;
    const answer = await guard.ask(await folder.call({ headers }));
    expect(answer.metadata).toMatchObject({ decision: 'allow', reason: 'allowed' });
    expect(Object.fromEntries(answer.headers)).toEqual({
      'x-firsthand-origin': folder.frontend.id,
      'x-firsthand-peer': folder.frontend.id,
      'x-firsthand-decision': answer.metadata['id'],
    });
    expect(answer.appends.every((append) => append !== true)).toBe(true);
    expect([...answer.removed].sort()).toEqual(['authorization', 'x_firsthand_peer']);
  });

  test('to a denied call sets nothing upstream and says no-store', async () => {
    const answer = await guard.ask(await folder.call({ path: '/orders/1', token: undefined }));
    expect(answer.metadata).toMatchObject({ decision: 'deny', reason: 'token_missing' });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'www-authenticate': 'Bearer',
    });
  });

  test('on an anyone line asks for nobody, and vouches for nobody', async () => {
    const answer = await guard.ask(checkRequest({ path: '/healthz', headers: [['x-firsthand-origin', 'me']] }));
    expect(answer.metadata).toMatchObject({ decision: 'allow', reason: 'allowed_anyone' });
    expect(answer.headers.map(([name]) => name)).toEqual(['x-firsthand-decision']);
    expect([...answer.removed].sort()).toEqual(['authorization', 'x-firsthand-origin', 'x-firsthand-peer']);
    expect(await guard.reasonFor(checkRequest({ path: '/stats' }))).toBe('peer_unauthenticated');
  });

  test('on a workload line asks for the origin, not for a token', async () => {
    expect(await guard.reasonFor(await folder.call({ path: '/stats', token: undefined }))).toBe('allowed_workload');
  });

  test('on a once line is an allow for the first use of a token only', async () => {
    const facts = { method: 'POST', path: '/orders' };
    const token = await folder.token();
    const bytes = callFrom({ peer: folder.frontend, token, ...facts });
    const answers = await Promise.all(Array.from({ length: 8 }, () => guard.reasonFor(bytes)));
    expect(answers.sort()).toEqual(['allowed', ...Array<string>(7).fill('token_replayed')]);
    expect(await guard.reasonFor(await folder.call(facts))).toBe('allowed');
    expect(await guard.reasonFor(callFrom({ peer: folder.frontend, token, path: '/orders/1' }))).toBe('allowed');
  });

  test('to bytes that are no CheckRequest is a denial, not a gRPC error', async () => {
    expect(await guard.reasonFor(Buffer.from('no protobuf'))).toBe('request_malformed');
  });
});

describe.concurrent('denials.detail', () => {
  /** What a verified caller of our own trust domain, another verified one, and an unverified one get to read. */
  async function bodies(detail: string): Promise<(readonly string[])[]> {
    const guard = await guardWith(`detail-${detail}`, { denials: { detail } });
    const calls = [
      await folder.call({ token: undefined }),
      await folder.call({ token: undefined, peer: stranger, path: '/nowhere' }),
      checkRequest({ path: '/orders/1' }),
    ];
    const answers = await Promise.all(calls.map((bytes) => guard.ask(bytes)));
    expect((await guard.stop()).code).toBe(0);
    return answers.map(({ body }) => Object.keys(JSON.parse(body) as object).sort());
  }
  const NONE = ['status', 'title'];
  const REASON = ['id', 'reason', 'status', 'title'];
  const HINT = ['hint', 'id', 'reason', 'status', 'title'];

  test.each([
    ['none', [NONE, NONE, NONE]],
    ['reason', [REASON, REASON, REASON]],
    ['auto', [REASON, NONE, NONE]],
  ])('%s', async (detail, expected) => {
    expect(await bodies(detail)).toEqual(expected);
  });

  test('hint', async () => {
    const [own] = await bodies('hint');
    expect(own).toEqual(HINT);
  });
});

describe.concurrent('${NAME} in the configuration', () => {
  const tokens = [tokensWith({ audiences: ['${SERVICE}'], issuer: 'https://${IDP:-idp.prod.example}' })];

  test('is taken from the environment, or from its default', async () => {
    const guard = await guardWith('named', { tokens }, { SERVICE: 'orders' });
    expect(await guard.reasonFor(await folder.call())).toBe('allowed');
    expect((await guard.stop()).code).toBe(0);
  });

  test('makes one configuration two guards', async () => {
    const guard = await guardWith('renamed', { tokens }, { SERVICE: 'payments' });
    expect(await guard.reasonFor(await folder.call())).toBe('token_audience');
    expect((await guard.stop()).code).toBe(0);
  });
});
