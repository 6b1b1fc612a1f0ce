import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer, TEST_ISSUER } from '../helpers/tokens.js';
import { configWith, makeFolder, tokensWith } from './folder.js';
import type { AuditLine, Folder } from './folder.js';
import { startGuard } from './guard.js';
import type { Guard } from './guard.js';
import { CHANGED_FILE_COUNTS, until } from './until.js';

const SECOND = 'https://second.prod.example';

let folder: Folder;
let guard: Guard;
let partner: TestCa;
let cases: readonly Case[];

/** One call that works, and the line that ends it. */
interface Case {
  readonly bytes: Buffer;
  readonly line: { readonly revoke: string; readonly value: string; readonly issuer?: string };
  readonly reason: string;
}

beforeAll(async () => {
  folder = await makeFolder();
  partner = await makeCa({ name: 'Partner Root CA', trustDomain: 'partner.example' });
  const [otherKey, second] = [await makeIssuer({ kid: 'key-2' }), await makeIssuer({ issuer: SECOND })];
  folder.write('partner.pem', partner.certificate);
  folder.write('idp.jwks.json', JSON.stringify({ keys: [folder.issuer.jwk, otherKey.jwk] }));
  folder.write('second.jwks.json', JSON.stringify(second.jwks));
  const config = configWith({
    trust: { 'prod.example': { bundle: 'prod.pem' }, 'partner.example': { bundle: 'partner.pem' } },
    tokens: [tokensWith({ grants: ['**'] }), tokensWith({ issuer: SECOND, keys: 'second.jwks.json', grants: ['**'] })],
    policy: { scopes: 'scopes' },
    revocation: { file: 'revoked.ndjson' },
  });
  folder.write('scopes', 'GET /orders/{id} orders.read from=ns/**,spiffe://partner.example/**\n');
  guard = await startGuard(folder, config);
  const scope = 'orders.read';
  const workload = (name: string, serial?: string): Promise<TestSvid> =>
    folder.ca.issue({ id: `spiffe://prod.example/ns/shop/sa/${name}`, ...(serial !== undefined && { serial }) });
  const [thief, leaked, numbered] = [
    await workload('thief'),
    await workload('leaked'),
    await workload('numbered', '0badcafe01'),
  ];
  const named = createHash('sha256').update(`${TEST_ISSUER}\nnamed`).digest('hex');
  const of = (type: string, value: string, issuer?: string): Case['line'] => ({
    revoke: type,
    value,
    ...(issuer !== undefined && { issuer }),
  });
  const mine = async (claims: object): Promise<Buffer> =>
    folder.call({ token: await folder.token(claims as Record<string, unknown>) });
  cases = [
    { bytes: await mine({ jti: 'named' }), line: of('token', named), reason: 'token_revoked' },
    { bytes: await mine({ jti: 'counted' }), line: of('jti', 'counted', TEST_ISSUER), reason: 'token_revoked' },
    { bytes: await mine({ sub: 'alice' }), line: of('subject', 'alice', TEST_ISSUER), reason: 'token_revoked' },
    { bytes: await mine({ txn: 'order-66' }), line: of('txn', 'order-66', TEST_ISSUER), reason: 'transaction_revoked' },
    {
      bytes: await folder.call({ token: await otherKey.sign({ scope, jti: 'other-key' }) }),
      line: of('key', 'key-2', TEST_ISSUER),
      reason: 'token_revoked',
    },
    {
      bytes: await folder.call({ token: await second.sign({ scope }) }),
      line: of('issuer', SECOND),
      reason: 'token_revoked',
    },
    { bytes: await folder.call({ peer: thief }), line: of('identity', thief.id), reason: 'identity_revoked' },
    {
      bytes: await folder.call({ peer: await partner.issue() }),
      line: of('trust_domain', 'partner.example'),
      reason: 'identity_revoked',
    },
    {
      bytes: await folder.call({ peer: leaked }),
      line: of('certificate', leaked.sha256.toUpperCase()),
      reason: 'certificate_revoked',
    },
    {
      bytes: await folder.call({ peer: numbered }),
      line: of('serial', '0BADCAFE01', 'O=Test,CN=Test Root CA'),
      reason: 'certificate_revoked',
    },
  ];
});
afterAll(async () => {
  await guard.stop();
  folder.remove();
});

const at = (): string => new Date().toISOString();
const append = (...lines: object[]): void =>
  folder.append('revoked.ndjson', lines.map((line) => `${JSON.stringify({ at: at(), ...line })}\n`).join(''));
const turns = (bytes: Buffer, to: string): Promise<void> =>
  until(async () => (await guard.reasonFor(bytes)) === to, CHANGED_FILE_COUNTS);
const events = (name: string): AuditLine[] => folder.audit().filter(({ event }) => event === name);

test('a missing revocation file is an empty one', async () => {
  expect(existsSync(folder.file('revoked.ndjson'))).toBe(false);
  expect(JSON.parse((await guard.page('/readyz')).body)).toMatchObject({ ready: true, problems: {} });
  for (const { bytes, line } of cases)
    expect([line.revoke, await guard.reasonFor(bytes)]).toEqual([line.revoke, 'allowed']);
});

test('every type of revocation counts within 5 s, also against remembered decisions, and touches nobody else', async () => {
  const bystander = await folder.call();
  expect(await guard.reasonFor(bystander)).toBe('allowed');
  append(...cases.map(({ line }) => line));
  await Promise.all(cases.map(({ bytes, reason }) => turns(bytes, reason)));
  expect(await guard.reasonFor(bystander)).toBe('allowed');
  const types = cases.map(({ line }) => line.revoke);
  expect(events('revoked').map(({ type }) => type)).toEqual(types);
  const { body } = await guard.page('/metrics');
  for (const type of types) expect(body).toContain(`firsthand_revocations{type="${type}"} 1`);
});

test('a revocation ends by an unrevoke, and what was told once is not told again', async () => {
  const [first, second] = cases;
  if (first === undefined || second === undefined) throw new Error('there are no cases');
  append({ unrevoke: 'token', value: first.line.value });
  await turns(first.bytes, 'allowed');
  expect(await guard.reasonFor(second.bytes)).toBe('token_revoked');
  append({ revoke: 'subject', value: 'bob', issuer: TEST_ISSUER });
  await until(() => events('revoked').some(({ value }) => value === 'bob'), CHANGED_FILE_COUNTS);
  expect(events('revoked')).toHaveLength(cases.length + 1);
  expect(events('unrevoked')).toHaveLength(1);
  expect(await guard.reasonFor(first.bytes)).toBe('allowed');
});

test('a revocation ends by its time', async () => {
  const bytes = await folder.call({ token: await folder.token({ sub: 'carol' }) });
  const carol = { revoke: 'subject', value: 'carol', issuer: TEST_ISSUER };
  append({ ...carol, until: new Date(Date.now() + 2500).toISOString() });
  await turns(bytes, 'token_revoked');
  await turns(bytes, 'allowed');
});

test('a bad line is told and passed over; those around it count', async () => {
  const [dora, eve] = await Promise.all(
    ['dora', 'eve'].map(async (sub) => folder.call({ token: await folder.token({ sub }) })),
  );
  if (dora === undefined || eve === undefined) throw new Error('two calls were made');
  append({ revoke: 'subject', value: 'dora', issuer: TEST_ISSUER });
  folder.append('revoked.ndjson', '{"at": "half a li\n');
  append({ revoke: 'subject', value: 'eve', issuer: TEST_ISSUER }, { revoke: 'subject', value: 'no issuer' });
  await turns(dora, 'token_revoked');
  await turns(eve, 'token_revoked');
  const { status, body } = await guard.page('/readyz');
  expect(status).toBe(200);
  expect(body).toContain('subject needs an issuer');
  expect(guard.stderr()).toContain('lines of the revocation file are not usable');
});

test('lines and files that vanish end nothing', async () => {
  const [, second] = cases;
  if (second === undefined) throw new Error('there are no cases');
  folder.replace('revoked.ndjson', '');
  append({ revoke: 'subject', value: 'frank', issuer: TEST_ISSUER });
  await until(() => events('revoked').some(({ value }) => value === 'frank'), CHANGED_FILE_COUNTS);
  expect(await guard.reasonFor(second.bytes)).toBe('token_revoked');
  guard.signal('SIGHUP');
  await until(() => guard.stderr().includes('"msg":"reloaded"'), CHANGED_FILE_COUNTS);
  expect(await guard.reasonFor(second.bytes)).toBe('token_revoked');
});
