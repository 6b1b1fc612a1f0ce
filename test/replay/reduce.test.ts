import { beforeAll, describe, expect, it } from 'vitest';
import { keepInto } from '../../src/replay/keep.js';
import { RecordedCheck } from '../../src/replay/recorded.js';
import { attributesOf } from '../../src/replay/stand-in.js';
import { readShape } from '../../src/request/shape.js';
import { callFrom, elementOf } from '../helpers/check-request.js';
import type { CallFacts } from '../helpers/check-request.js';
import { openGuard } from '../helpers/offline-guard.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

const CONFIG = `
workload: spiffe://prod.example/ns/shop/sa/orders
listen: { check: unix:check.sock, admin: off }
trust: { prod.example: { bundle: prod.pem } }
tokens:
  - { issuer: https://idp.prod.example, keys: idp.jwks.json, audiences: [orders], grants: ["**"] }
  - { issuer: https://login.prod.example, keys: idp.jwks.json, audiences: [orders], grants: ["**"], from: header:x-token }
policy: { scopes: lines, ownersMay: [workload, anyone] }
`;

let ca: TestCa;
let issuer: TestIssuer;
let frontend: TestSvid;
beforeAll(async () => {
  [ca, issuer] = await Promise.all([makeCa(), makeIssuer()]);
  frontend = await ca.issue();
});

/** What is kept of a call, as the line that is written. */
async function keptLine(call: Partial<CallFacts>, lines = 'GET /** orders.read'): Promise<string> {
  const guard = await openGuard(CONFIG, {
    'prod.pem': ca.certificate,
    'idp.jwks.json': JSON.stringify(issuer.jwks),
    lines,
  });
  const written: string[] = [];
  const spool = { write: (line: string) => void written.push(line), close: () => Promise.resolve() };
  const { outcome, attributes } = await guard.ask(callFrom({ peer: frontend, path: '/orders/1', ...call }));
  keepInto(spool, 1, () => 0)(outcome, attributes, guard.settings);
  guard.close();
  return written.join('\n');
}

const kept = async (call: Partial<CallFacts>, lines?: string): Promise<RecordedCheck> =>
  RecordedCheck.parse(JSON.parse(await keptLine(call, lines)));

describe('what is kept of a check', () => {
  it('holds the claims of a token, its digest and its name, and nothing that could be used as one', async () => {
    const token = await issuer.sign({ scope: 'orders.read', sub: 'user-1' });
    const line = await keptLine({ token });
    const [header = '', payload = '', signature = ''] = token.split('.');
    for (const part of [header, payload, signature]) expect(line).not.toContain(part);
    const record = RecordedCheck.parse(JSON.parse(line));
    expect(record.tokens[0]).toMatchObject({
      place: 'authorization',
      read: { as: 'token', header: { alg: 'ES256', kid: issuer.kid }, claims: { sub: 'user-1', scope: 'orders.read' } },
    });
    expect(record.verified.token).toBe('verified');
    const [stand] = attributesOf(record).headers.all('authorization');
    expect(stand?.split('.').at(-1)).not.toBe(signature);
  });

  it('holds no value of a header that no decision reads, no query, no other credential', async () => {
    const headers = [
      ['cookie', 'canary-cookie'],
      ['x-api-key', 'canary-key'],
      ['x-http-method-override', 'canary-override'],
      ['upgrade', 'canary-upgrade'],
      ['x-token', 'canary-malformed'],
    ] as const;
    const line = await keptLine({ headers, path: '/orders/1?q=canary-query', host: 'canary-user@orders.example' });
    expect(line).not.toContain('canary');
    expect(await keptLine({ headers: [['authorization', 'Basic canary-basic']] })).not.toContain('canary');
  });

  it.each(['/a%3Fq=canary', '/a%253fq=canary', '/a#canary', 'https://u:canary@h/a', '/a%23canary'])(
    'leaves out what another reader would take for a query, and is as ambiguous as before: %s',
    async (path) => {
      const line = await keptLine({ path });
      expect(line).not.toContain('canary');
      const record = RecordedCheck.parse(JSON.parse(line));
      expect(record.reason).toBe('path_ambiguous');
      const shape = readShape(attributesOf(record), { allowHeaders: [], tokens: [] });
      expect(shape).toMatchObject({ ok: false, reason: 'path_ambiguous' });
    },
  );

  it('leaves out a token where none belongs: in the path, in the forwarded header', async () => {
    const token = await issuer.sign({ sub: 'user-1' });
    const [header = ''] = token.split('.');
    const own = `${elementOf('spiffe://prod.example/ns/shop/sa/orders', frontend)};Subject="${token}"`;
    expect(await keptLine({ path: `/reset/${token}`, own })).not.toContain(header);
  });

  it('says what was verified, and what nobody looked at', async () => {
    const token = await issuer.sign({ scope: 'orders.read' });
    expect((await kept({ token }, 'GET /orders/1 workload')).verified.token).toBe('not looked at');
    expect((await kept({ token: `${token.slice(0, -4)}AAAA` })).verified.token).toBe('bad signature');
    expect((await kept({ token })).verified.certificates).toEqual([frontend.sha256]);
    expect((await kept({ path: '/open' }, 'GET /open anyone')).verified.certificates).toEqual([]);
  });

  it('is only a share, as the dice say', async () => {
    const written: string[] = [];
    const spool = { write: (line: string) => void written.push(line), close: () => Promise.resolve() };
    const guard = await openGuard(CONFIG, { 'prod.pem': ca.certificate, 'idp.jwks.json': '{"keys":[]}', lines: '' });
    const { outcome, attributes } = await guard.ask(callFrom({ peer: frontend, path: '/' }));
    keepInto(spool, 0.01, () => 0.01)(outcome, attributes, guard.settings);
    expect(written).toHaveLength(0);
    keepInto(spool, 0.01, () => 0.009)(outcome, attributes, guard.settings);
    expect(written).toHaveLength(1);
    guard.close();
  });
});
