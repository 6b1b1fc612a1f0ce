import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/test.js';
import type { TestOptions } from '../../src/cli/test.js';
import { cleanUp, configOf, folderWith, LINES } from '../workbench/forged.js';
import type { Parts } from '../workbench/forged.js';

afterEach(cleanUp);

const captures = fileURLToPath(new URL('../captures/', import.meta.url));

interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

async function ran(
  cases: string | Readonly<Record<string, string>>,
  parts: Parts & { readonly files?: Readonly<Record<string, string>> } = {},
  options: Partial<TestOptions> = {},
  stdin = '',
): Promise<Ran> {
  const files = typeof cases === 'string' ? { 'cases.yaml': cases } : cases;
  const folder = folderWith({
    'firsthand.yaml': configOf(parts),
    scopes: parts.lines ?? LINES,
    ...files,
    ...parts.files,
  });
  let out = '';
  let err = '';
  const io = {
    stdout: (text: string) => void (out += text),
    stderr: (text: string) => void (err += text),
    stdin: async () => stdin,
    env: {},
    isTerminal: false,
    now: Date.now,
  };
  const named = Object.keys(files).map((file) => join(folder, file));
  const exit = await run({ config: join(folder, 'firsthand.yaml'), cases: named, ...options }, io);
  return { exit, out: out.replaceAll(folder, '.'), err: err.replaceAll(folder, '.') };
}

const PASSING = `
cases:
  - name: frontend reads an order
    request: GET /orders/1 --as frontend --via gateway --scopes orders.read
    expect: { decision: allow, reason: allowed, origin: frontend, peer: gateway, rule: 1, status: 200,
              headers: { x-firsthand-origin: spiffe://prod.example/ns/shop/sa/frontend } }
  - name: not without the scope
    request: GET /orders/1 --as frontend
    expect: { decision: deny, reason: scope_missing, status: 403, headers: { cache-control: no-store, x-firsthand-origin: null } }
`;
const TWO_LINES = 'GET /orders/{id} orders.read\nDELETE /orders/{id} orders.admin from=ns/ops/**\n';

describe('firsthand test', () => {
  it('says one line for each case, then what no case tried', async () => {
    expect(await ran(PASSING, { lines: TWO_LINES })).toEqual({
      exit: 0,
      err: '',
      out: `pass  frontend reads an order
pass  not without the scope

not tried:
  line 2 (DELETE /orders/{id}): no case is allowed
  line 2 (DELETE /orders/{id}): no case is denied
2 passed, 0 failed
`,
    });
  });

  it('says where a case fails, in what, and what would help', async () => {
    const cases = `cases:
  - request: GET /orders/1 --as frontend
    expect: allow
  - name: wrong in many ways
    request: GET /orders/1 --as frontend --scopes orders.read
    expect: { reason: scope_missing, origin: outside, rule: 2, headers: { x-firsthand-peer: null } }
`;
    const { exit, out } = await ran(cases, { lines: TWO_LINES });
    expect(exit).toBe(1);
    const [first, second] = out.split('\n');
    expect(first).toMatch(
      /^fail {2}\.\/cases\.yaml:2:5: GET \/orders\/1 --as frontend: decision is deny, expected allow: scope_missing \(.*orders\.read.*\)$/,
    );
    expect(second).toBe(
      'fail  ./cases.yaml:4:5: wrong in many ways: reason is allowed, expected scope_missing; rule is 1, expected 2; ' +
        'origin is spiffe://prod.example/ns/shop/sa/frontend, expected outside; ' +
        'header x-firsthand-peer is spiffe://prod.example/ns/shop/sa/frontend, expected none',
    );
    expect(out).toMatch(/0 passed, 2 failed\n$/);
  });

  it('says that all lines were tried both ways, an anyone line in one', async () => {
    const lines = 'GET /orders/{id} orders.read\nGET /healthz anyone\n';
    const health = '  - { request: GET /healthz, expect: allowed_anyone }\n';
    expect((await ran(PASSING + health, { lines })).out).toContain('\nall 2 lines were tried both ways\n3 passed');
  });

  it('gives the same for programs', async () => {
    const { exit, out } = await ran(PASSING, { lines: TWO_LINES }, { json: true });
    const report = JSON.parse(out) as Record<string, unknown>;
    expect(exit).toBe(0);
    expect(report).toMatchObject({
      passed: 2,
      failed: 0,
      cases: [
        { name: 'frontend reads an order', line: 3, passed: true, keys: 'throw-away', decision: 'allow', rule: 1 },
        { name: 'not without the scope', passed: true, reason: 'scope_missing', differences: [] },
      ],
      lines: [
        { line: 1, allowed: 1, denied: 1, neverAllowed: false, neverDenied: false },
        { line: 2, allowed: 0, denied: 0, neverAllowed: true, neverDenied: true },
      ],
    });
  });

  it('takes several files, and standard input', async () => {
    const other = 'cases: [{ request: GET /nowhere --as frontend, expect: route_undeclared }]';
    expect((await ran({ 'a.yaml': PASSING, 'b.yaml': other })).out).toMatch(/3 passed, 0 failed\n$/);
    expect((await ran(PASSING, {}, { cases: ['-'] }, other)).out).toMatch(/1 passed, 0 failed\n$/);
  });

  it('judges each case as if there were no other', async () => {
    const once = `  - { request: GET /once --as frontend --claim jti=same, expect: allow }\n`;
    expect(await ran(`cases:\n${once}${once}`)).toMatchObject({ exit: 0 });
  });

  it('is about the verdict, whatever a shadow mode answers', async () => {
    const cases = `cases:
  - { request: GET /orders/1 --as frontend --scopes orders.read, expect: allow }
  - { request: GET /orders/1 --as frontend, expect: { decision: deny, reason: scope_missing } }
`;
    const shadowed = await ran(cases, { lines: TWO_LINES, policy: { mode: 'shadow' } });
    expect(shadowed).toEqual(await ran(cases, { lines: TWO_LINES }));
    expect(shadowed.exit).toBe(0);
  });

  it('judges captures with the configured keys and bundles, at their own time', async () => {
    const files = {
      'prod.pem': readFileSync(join(captures, 'pki/root-ca.crt'), 'utf8'),
      'idp.json': readFileSync(join(captures, 'pki/jwks.json'), 'utf8'),
    };
    const capture = join(captures, 'direct-mtls-append.bin');
    const cases = `cases:
  - { name: recorded, capture: "${capture}", at: 2026-11-23T10:00:00Z, expect: { origin: frontend, reason: allowed_workload } }
  - { name: in another time, capture: "${capture}", at: 2020-01-01T00:00:00Z, expect: peer_expired }
  - { name: forged, request: GET /v1/charges --as frontend, expect: allow }
`;
    const lines = '* /** workload\n';
    const more = { workload: 'spiffe://prod.example/ns/shop/sa/payments' };
    const { exit, out, err } = await ran(cases, { lines, more, files });
    expect(err).toBe('');
    expect(out).toContain('pass  recorded (a capture: judged with the configured keys and bundles)\n');
    expect(out).toContain('pass  forged\n');
    expect(exit).toBe(0);
  });

  it('is exit 2 where a capture or its keys cannot be read, and says at which case', async () => {
    const cases = 'cases:\n  - { capture: none.bin, expect: deny }\n  - { capture: cases.yaml, expect: deny }\n';
    const { exit, out, err } = await ran(cases);
    expect(exit).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/\.\/cases\.yaml:2:16: error: the capture \.\/none\.bin: ENOENT/);
    expect(err).toMatch(
      /\.\/cases\.yaml:3:16: error: a capture needs the configured keys: \.\/prod\.pem: the file does not exist/,
    );
  });

  it.each([
    [
      'a bad case file',
      {},
      { 'cases.yaml': 'cases:\n  - { request: GET /, expct: allow }' },
      /^\.\/cases\.yaml:2:23: error: unknown key "expct"/,
    ],
    [
      'a bad configuration',
      { more: { trusst: {} } },
      { 'cases.yaml': PASSING },
      /firsthand\.yaml:1:\d+: error: unknown key "trusst"/,
    ],
    ['bad scope lines', { lines: 'GETT /orders' }, { 'cases.yaml': PASSING }, /scopes: 1:1: /],
  ] as const)('with %s is exit 2 and says so on stderr alone', async (_, parts, files, message) => {
    const { exit, out, err } = await ran(files, parts);
    expect(exit).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(message);
  });

  it('with a case file that is not there is exit 2', async () => {
    const { exit, err } = await ran(PASSING, {}, { cases: ['nowhere.yaml'] });
    expect(exit).toBe(2);
    expect(err).toBe('firsthand: nowhere.yaml: no such file or directory\n');
  });

  it('with a case file that is no text is exit 2', async () => {
    const binary = fileURLToPath(new URL('../captures/direct-mtls-append.bin', import.meta.url));
    const bytes = await ran(PASSING, {}, { cases: [binary] });
    expect(bytes.exit).toBe(2);
  });

  it('never shows a token or a key', async () => {
    const cases = 'cases: [{ request: GET /orders/1 --as frontend --claim email=jane@example.com, expect: allow }]';
    const { out, err } = await ran(cases);
    expect(out + err).not.toMatch(/eyJ|BEGIN|jane@example\.com\b.*hint/);
  });
});
