import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { replay } from '../../src/cli/replay.js';
import type { ReplayOptions } from '../../src/cli/replay.js';
import type { Summary } from '../../src/replay/tally.js';
import { recordedLine } from '../cases/agree.js';
import { callFrom } from '../helpers/check-request.js';
import type { CallFacts } from '../helpers/check-request.js';
import { testIo } from '../helpers/io.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { served } from '../helpers/served.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

const root = mkdtempSync(join(tmpdir(), 'firsthand-replay-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const LINES = `GET /orders/{id} orders.read
GET /young token age<=5m
GET /stats workload
GET /open anyone
`;
const CONFIG = `
workload: spiffe://prod.example/ns/shop/sa/orders
listen: { check: unix:check.sock, admin: off }
trust: { prod.example: { bundle: prod.pem } }
tokens: [{ issuer: https://idp.prod.example, keys: idp.jwks.json, audiences: [orders] }]
policy: { scopes: lines, ownersMay: [workload, anyone] }
`;

let ca: TestCa;
let issuer: TestIssuer;
let frontend: TestSvid;
let other: TestSvid;
beforeAll(async () => {
  [ca, issuer] = await Promise.all([makeCa(), makeIssuer()]);
  [frontend, other] = await Promise.all([ca.issue(), ca.issue({ id: 'spiffe://prod.example/ns/ops/sa/other' })]);
});

let folder: string;
let count = 0;
const file = (name: string): string => join(folder, name);
beforeEach(() => {
  count += 1;
  folder = join(root, String(count));
  mkdirSync(folder);
  writeFileSync(file('firsthand.yaml'), CONFIG);
  writeFileSync(file('lines'), LINES);
  writeFileSync(file('prod.pem'), ca.certificate);
  writeFileSync(file('idp.jwks.json'), JSON.stringify(issuer.jwks));
});

const call = async (path: string, more: Partial<CallFacts> = {}, claims = {}): Promise<Buffer> =>
  callFrom({ peer: frontend, path, token: await issuer.sign({ scope: 'orders.read', ...claims }), ...more });

/** Lets a guard answer, and keeps what it records: `checks.ndjson` and `audit.ndjson`. */
async function record(...requests: readonly Buffer[]): Promise<void> {
  const guard = await served(file('firsthand.yaml'));
  for (const bytes of requests)
    appendFileSync(file('checks.ndjson'), `${recordedLine(await guard.check(bytes), guard.settings)}\n`);
  appendFileSync(file('audit.ndjson'), `{"event":"policy_loaded"}\n${(await guard.close()).join('\n')}\n`);
}

async function run(records: readonly string[], more: Partial<ReplayOptions> = {}, bar?: (text: string) => void) {
  const io = testIo();
  const exit = await replay({ config: file('firsthand.yaml'), records: records.map(file), ...more }, io, bar);
  return { exit, out: io.out(), err: io.err() };
}

const summaryOf = async (
  records: readonly string[],
  more: Partial<ReplayOptions> = {},
): Promise<Summary & { exit: number }> => {
  const { exit, out } = await run(records, { json: true, ...more });
  return { exit, ...(JSON.parse(out) as Summary) };
};

const BOTH = ['checks.ndjson', 'audit.ndjson'] as const;

describe('replay of records', () => {
  it.each(BOTH)('says that nothing changes where nothing does: %s', async (name) => {
    await record(
      await call('/orders/1'),
      await call('/stats'),
      await call('/nowhere'),
      await call('/open'),
      await call('/young'),
    );
    const { exit, out, err } = await run([name]);
    expect({ exit, out, err }).toEqual({ exit: 0, out: '5 records: 5 unchanged, 0 changed, 0 undecidable\n', err: '' });
  });

  it.each(BOTH)('groups what changes by line and reason, with at most three examples: %s', async (name) => {
    await record(
      ...(await Promise.all([1, 2, 3, 4].map((id) => call(`/orders/${id}`)))),
      await call('/stats', { peer: other }),
    );
    writeFileSync(file('lines'), '# stricter\nGET /orders/{id} orders.admin\nGET /stats workload from=ns/shop/sa/*\n');
    const { exit, changes, changed, unchanged } = await summaryOf([name]);
    expect({ exit, changed, unchanged }).toEqual({ exit: 1, changed: 5, unchanged: 0 });
    expect(changes).toMatchObject([
      { line: { number: 2, text: 'GET /orders/{id}' }, before: 'allow allowed', now: 'deny scope_missing', count: 4 },
      {
        line: { number: 3, text: 'GET /stats' },
        before: 'allow allowed_workload',
        now: 'deny caller_not_allowed',
        count: 1,
      },
    ]);
    expect(changes[0]?.examples).toHaveLength(3);
    expect(changes[0]?.examples[0]).toMatchObject({ method: 'GET', path: '/orders/1' });
    const { out } = await run([name]);
    expect(out).toMatch(
      /^5 records: 0 unchanged, 5 changed, 0 undecidable\n\nchanged\n {2}line 2 {2}GET \/orders\/\{id\}\n {4}allow allowed -> deny scope_missing {2}4 x\n/,
    );
  });

  it.each(BOTH)('finds what would be allowed: %s', async (name) => {
    await record(await call('/orders/1', {}, { scope: 'other' }), await call('/orders/1', { token: undefined }));
    writeFileSync(file('lines'), 'GET /orders/{id} workload\n');
    const { changes } = await summaryOf([name]);
    expect(changes.map(({ before, now }) => `${before} -> ${now}`).sort()).toEqual([
      'deny scope_missing -> allow allowed_workload',
      'deny token_missing -> allow allowed_workload',
    ]);
  });

  it.each(BOTH)('does not guess about a token that nobody verified: %s', async (name) => {
    await record(await call('/stats'), await call('/nowhere'));
    writeFileSync(file('lines'), 'GET /stats orders.read\nGET /nowhere token\n');
    const { exit, undecidable, undecided } = await summaryOf([name]);
    expect({ exit, undecidable }).toEqual({ exit: 1, undecidable: 2 });
    for (const { why } of undecided) expect(why).toBe('its token was not verified when this was recorded');
  });

  it.each(BOTH)('does not guess about an origin that nobody verified: %s', async (name) => {
    await record(await call('/open'));
    writeFileSync(file('lines'), 'GET /open workload\n');
    const { undecided } = await summaryOf([name]);
    expect(undecided).toMatchObject([
      { before: 'allow allowed_anyone', why: expect.stringMatching(/was not verified when/) },
    ]);
  });

  it('knows the age of a token from a recorded check, not from an audit record', async () => {
    await record(await call('/young', {}, { iat: Math.floor(Date.now() / 1000) - 120 }));
    writeFileSync(file('lines'), 'GET /young token age<=1m\n');
    expect((await summaryOf(['checks.ndjson'])).changes).toMatchObject([{ now: 'deny token_too_old' }]);
    expect((await summaryOf(['audit.ndjson'])).undecided).toMatchObject([{ why: expect.stringContaining('age') }]);
  });

  it('still refuses a token whose signature was bad', async () => {
    const token = await issuer.sign({ scope: 'orders.read' });
    await record(await call('/orders/1', { token: `${token.slice(0, -4)}AAAA` }));
    writeFileSync(file('lines'), 'GET /orders/{id} token\n');
    for (const name of BOTH) expect(await summaryOf([name])).toMatchObject({ exit: 0, unchanged: 1 });
  });

  it('sees what the config does to origins, not only what its lines do', async () => {
    await record(await call('/orders/1'));
    writeFileSync(file('firsthand.yaml'), CONFIG.replace('audiences: [orders]', 'audiences: [payments]'));
    expect((await summaryOf(['checks.ndjson'])).changes).toMatchObject([{ now: 'deny token_audience' }]);
  });

  it('tells a shadow from a refusal', async () => {
    writeFileSync(file('firsthand.yaml'), CONFIG.replace('policy: {', 'policy: { mode: shadow,'));
    await record(await call('/orders/1', {}, { scope: 'other' }));
    for (const name of BOTH) expect(await summaryOf([name])).toMatchObject({ exit: 0, unchanged: 1 });
    writeFileSync(file('firsthand.yaml'), CONFIG);
    for (const name of BOTH)
      expect((await summaryOf([name])).changes).toMatchObject([
        { before: 'allow scope_missing (in shadow)', now: 'deny scope_missing' },
      ]);
  });

  it('needs neither keys nor bundles', async () => {
    await record(await call('/orders/1'));
    rmSync(file('prod.pem'));
    rmSync(file('idp.jwks.json'));
    for (const name of BOTH) expect((await run([name])).exit).toBe(0);
  });

  it('reads a folder, and stdin', async () => {
    await record(await call('/orders/1'));
    // checks.ndjson, audit.ndjson, and what the guard itself wrote.
    expect(await summaryOf(['.'])).toMatchObject({ exit: 0, records: 3 });
    const io = testIo({ input: readFileSync(file('checks.ndjson')) });
    expect(await replay({ config: file('firsthand.yaml'), records: ['-'] }, io)).toBe(0);
    expect(io.out()).toMatch(/^1 record: 1 unchanged/);
  });

  it('does not take a template for a path', async () => {
    writeFileSync(file('firsthand.yaml'), `${CONFIG}audit: { path: template }\n`);
    await record(await call('/orders/1'));
    expect((await summaryOf(['audit.ndjson'])).undecided).toMatchObject([{ why: expect.stringContaining('template') }]);
  });
});

describe('replay of whole CheckRequests', () => {
  it('compares with another config', async () => {
    writeFileSync(file('one.bin'), await call('/orders/1'));
    writeFileSync(file('next.yaml'), CONFIG.replace('scopes: lines', 'scopes: next'));
    writeFileSync(file('next'), 'GET /orders/{id} orders.admin\n');
    const against = file('firsthand.yaml');
    expect(await summaryOf(['one.bin'], { against })).toMatchObject({ exit: 0, unchanged: 1 });
    expect((await summaryOf(['one.bin'], { config: file('next.yaml'), against })).changes).toMatchObject([
      { before: 'allow allowed', now: 'deny scope_missing', line: { number: 1 } },
    ]);
  });

  it('says that nothing was recorded where there is nothing to compare with', async () => {
    writeFileSync(file('one.bin'), await call('/orders/1'));
    const { exit, undecided } = await summaryOf(['one.bin']);
    expect(exit).toBe(1);
    expect(undecided).toMatchObject([{ now: 'allow allowed', why: expect.stringContaining('--against') }]);
  });

  it('decides at another time', async () => {
    writeFileSync(file('one.bin'), await call('/orders/1'));
    const at = new Date(Date.now() + 10 * 60_000).toISOString();
    expect((await summaryOf(['one.bin'], { at })).undecided).toMatchObject([{ now: 'deny token_expired' }]);
    expect((await run(['one.bin'], { at: 'noon' })).err).toMatch(/^firsthand: --at: expected a time/);
  });
});

describe('replay', () => {
  it('names what it can not read, with its place, and exits 2', async () => {
    await record(await call('/orders/1'));
    appendFileSync(file('checks.ndjson'), 'nonsense\n{"event":"decision","id":"x"}\n');
    const { exit, err, out } = await run(['checks.ndjson']);
    expect(exit).toBe(2);
    expect(err).toMatch(/checks\.ndjson:2: expected an audit record or a recorded check/);
    expect(err).toMatch(/checks\.ndjson:3: the record's field \w+ is not usable/);
    expect(out).toContain('1 record: 1 unchanged, 0 changed, 0 undecidable, 2 not readable');
  });

  it.each([
    ['records', { records: ['none.ndjson'] }, /none\.ndjson: no such file or directory/],
    ['config', { config: 'none.yaml' }, /none\.yaml:1:1: error/],
    ['capture', { records: ['none.bin'] }, /none\.bin: no such file or directory/],
  ])('says in one line that %s are not there', async (_what, more, message) => {
    writeFileSync(file('audit.ndjson'), '');
    const options = { records: (more as { records?: string[] }).records ?? ['audit.ndjson'] };
    const { exit, err } = await run(options.records, 'config' in more ? { config: file(more.config) } : {});
    expect(exit).toBe(2);
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('refuses lines that are wrong: nothing could be compared with them', async () => {
    await record(await call('/orders/1'));
    writeFileSync(file('lines'), 'GET nonsense\n');
    const { exit, err } = await run(['audit.ndjson']);
    expect(exit).toBe(2);
    expect(err).toMatch(/lines: 1:5: /);
  });

  it('does not say of nothing that nothing changes', async () => {
    writeFileSync(file('audit.ndjson'), '{"event":"policy_loaded"}\n');
    mkdirSync(file('folder'));
    for (const name of ['audit.ndjson', 'folder']) {
      const { exit, out, err } = await run([name]);
      expect({ exit, out, err }).toEqual({ exit: 2, out: '', err: expect.stringContaining('no record') as string });
    }
  });

  it('draws a bar where it is given a terminal, and takes it away', async () => {
    await record(await call('/orders/1'));
    const drawn: string[] = [];
    await run(['checks.ndjson'], {}, (text) => void drawn.push(text));
    expect(drawn[0]).toMatch(/^\r\[#*\.*\] +\d+ %$/);
    expect(drawn.at(-1)).toMatch(/^\r +\r$/);
  });
});
