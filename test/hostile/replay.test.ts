/**
 * Records of refusals that only a guardrail asked for: an owner's line that looks at no token, or at nobody, over a rule of
 * the operator's that does. The reason of record is then `guardrail`, whatever failed; replay must never make an allow of it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../../src/cli/replay.js';
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

const root = mkdtempSync(join(tmpdir(), 'firsthand-hostile-replay-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
const CONFIG = `
workload: spiffe://prod.example/ns/shop/sa/orders
listen: { check: unix:check.sock, admin: off }
trust: { prod.example: { bundle: prod.pem } }
tokens: [{ issuer: https://idp.prod.example, keys: idp.json, audiences: [orders] }]
policy:
  scopes: lines
  ownersMay: [workload, anyone]
  guardrails: |
    GET /** token
    POST /** token once
    PUT /** workload
revocation: { file: revoked }
`;
const LINES = 'GET,POST /** workload\nPUT /** anyone\n';

let ca: TestCa;
let issuer: TestIssuer;
let frontend: TestSvid;
let thief: TestSvid;
beforeAll(async () => {
  [ca, issuer] = await Promise.all([makeCa(), makeIssuer()]);
  [frontend, thief] = await Promise.all([
    ca.issue({ id: FRONTEND }),
    ca.issue({ id: 'spiffe://prod.example/ns/ops/sa/a' }),
  ]);
});

interface Row {
  /** What stands behind `guardrail`. */
  readonly behind: string;
  /** Each is answered in turn; the last one is refused. */
  readonly calls: () => Promise<readonly Partial<CallFacts>[]>;
  readonly revoked?: () => object;
  readonly config?: string;
  readonly lines?: string;
}

const signed = (claims: object = {}): Promise<string> => issuer.sign({ scope: 'orders.read', ...claims });
const FOREIGN = { cnf: { 'x5t#S256': Buffer.alloc(32).toString('base64url') } };

const rows: readonly Row[] = [
  { behind: 'binding_mismatch', calls: async () => [{ token: await signed(FOREIGN) }] },
  { behind: 'token_expired', calls: async () => [{ token: await signed({ iat: 1, exp: 2 }) }] },
  {
    behind: 'token_presenter_changed',
    calls: async () => {
      const token = await signed();
      return [{ token }, { token, peer: thief }];
    },
  },
  {
    behind: 'token_replayed',
    calls: async () => {
      const token = await signed();
      return [
        { token, method: 'POST' },
        { token, method: 'POST' },
      ];
    },
  },
  {
    behind: 'token_revoked',
    calls: async () => [{ token: await signed({ jti: 'lost' }) }],
    revoked: () => ({ revoke: 'jti', value: 'lost', issuer: 'https://idp.prod.example' }),
  },
  {
    behind: 'identity_revoked',
    calls: () => Promise.resolve([{ method: 'PUT' }]),
    revoked: () => ({ revoke: 'identity', value: FRONTEND }),
  },
  {
    behind: 'certificate_revoked',
    calls: () => Promise.resolve([{ method: 'PUT' }]),
    revoked: () => ({ revoke: 'certificate', value: frontend.sha256 }),
  },
];

interface Records {
  readonly folder: string;
  readonly lines: readonly string[];
}

/** The last call's record, as an audit record and as `serve --record` keeps it. */
async function recorded({ behind, calls, revoked, config = CONFIG, lines = LINES }: Row): Promise<Records> {
  const folder = join(root, behind);
  mkdirSync(folder, { recursive: true });
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  put('firsthand.yaml', config);
  put('lines', lines);
  put('prod.pem', ca.certificate);
  put('idp.json', JSON.stringify(issuer.jwks));
  put('revoked', revoked === undefined ? '' : `${JSON.stringify({ at: '2026-01-01T00:00:00Z', ...revoked() })}\n`);
  const guard = await served(join(folder, 'firsthand.yaml'));
  const kept: string[] = [];
  for (const call of await calls()) {
    const check = await guard.check(callFrom({ peer: frontend, path: '/x', ...call }));
    kept.push(recordedLine(check, guard.settings));
  }
  const audited = await guard.close();
  return { folder, lines: [audited.at(-1) ?? '', kept.at(-1) ?? ''] };
}

async function replayed({ folder }: Records, line: string, lines = LINES): Promise<Summary> {
  writeFileSync(join(folder, 'lines'), lines);
  writeFileSync(join(folder, 'one.ndjson'), `${line}\n`);
  const io = testIo();
  await replay({ config: join(folder, 'firsthand.yaml'), records: [join(folder, 'one.ndjson')], json: true }, io);
  expect(io.err()).toBe('');
  return JSON.parse(io.out()) as Summary;
}

const OTHER = `# another revision of the same lines\n${LINES}`;

/** Without what says which reason a guardrail stands for, as an older guard wrote them. */
function mute(line: string): string {
  const { detail, cause, ...rest } = JSON.parse(line) as Record<string, unknown>;
  expect(detail ?? cause).toEqual(expect.any(String));
  return JSON.stringify(rest);
}

describe('a refusal that only a guardrail asked for', () => {
  it.each(rows)('is refused again, by the same lines and by others: $behind', async (row) => {
    const records = await recorded(row);
    for (const line of records.lines) {
      expect(JSON.parse(line)).toMatchObject({ decision: 'deny', reason: 'guardrail' });
      expect(await replayed(records, line)).toMatchObject({ unchanged: 1, undecidable: 0 });
      expect(await replayed(records, line, OTHER)).toMatchObject({ unchanged: 1, undecidable: 0 });
    }
  });

  it.each(rows)('is not known to be allowed where the record does not say what failed: $behind', async (row) => {
    const records = await recorded(row);
    for (const line of records.lines.map(mute)) {
      const { unchanged, changed, undecidable } = await replayed(records, line, OTHER);
      expect({ changed, known: unchanged + undecidable }).toEqual({ changed: 0, known: 1 });
    }
  });

  it('is refused for its own reason where the line itself asks now', async () => {
    const records = await recorded(rows[0] as Row);
    for (const line of records.lines)
      expect((await replayed(records, line, 'GET /** token\n')).changes).toMatchObject([
        { before: 'deny guardrail', now: 'deny binding_mismatch' },
      ]);
  });
});

describe('a presenter that was not listed', () => {
  it('is not known to be allowed when it is: nobody had looked at what its token is bound to', async () => {
    const records = await recorded({
      behind: 'presenter_not_allowed',
      calls: async () => [{ token: await signed(FOREIGN) }],
      config: CONFIG.replace(
        'audiences: [orders]',
        'audiences: [orders], presenters: [spiffe://prod.example/ns/ops/**]',
      ),
      lines: 'GET /** token\n',
    });
    writeFileSync(join(records.folder, 'firsthand.yaml'), CONFIG);
    const [audited = '', kept = ''] = records.lines;
    expect(await replayed(records, audited, 'GET /** token\n')).toMatchObject({ changed: 0, undecidable: 1 });
    expect((await replayed(records, kept, 'GET /** token\n')).changes).toMatchObject([
      { now: 'deny binding_mismatch' },
    ]);
  });
});
