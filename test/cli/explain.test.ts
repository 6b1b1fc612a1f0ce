import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decisionRecord } from '../../src/audit/record.js';
import { requestFacts } from '../../src/audit/request-facts.js';
import { explain } from '../../src/cli/explain.js';
import type { ExplainOptions } from '../../src/cli/explain.js';
import { openWorkbench } from '../../src/workbench/open.js';
import type { RecordStory } from '../../src/workbench/record-story.js';
import type { Story } from '../../src/workbench/story.js';
import { callFrom, elementOf, GUARD } from '../helpers/check-request.js';
import { testIo } from '../helpers/io.js';
import { makeCa } from '../helpers/pki.js';
import type { TestSvid } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';
const LINES = `# method path scopes
GET  /orders/{id}  orders.read
POST /orders       orders.write  age<=5m from=ns/shop/sa/frontend
GET  /stats        workload
`;
const CONFIG = `
workload: ${GUARD}
listen: { check: [unix:check.sock], admin: off }
trust:
  prod.example: { bundle: prod.pem }
origin:
  forwarders: [{ id: ${GATEWAY}, origins: [spiffe://prod.example/ns/shop/**] }]
tokens:
  - { issuer: https://idp.prod.example, keys: idp.json, audiences: [orders] }
policy: { scopes: scopes }
`;

let folder: string;
let frontend: TestSvid;
let gateway: TestSvid;
let idp: TestIssuer;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firsthand-explain-'));
  const ca = await makeCa({ trustDomain: 'prod.example' });
  [frontend, gateway] = await Promise.all([
    ca.issue({ id: 'spiffe://prod.example/ns/shop/sa/frontend' }),
    ca.issue({ id: GATEWAY }),
  ]);
  idp = await makeIssuer();
  writeFileSync(at('firsthand.yaml'), CONFIG);
  writeFileSync(at('no-keys.yaml'), CONFIG.replace('idp.json', 'absent.json').replace('prod.pem', 'absent.pem'));
  writeFileSync(at('scopes'), LINES);
  writeFileSync(at('prod.pem'), ca.certificate);
  writeFileSync(at('idp.json'), JSON.stringify(idp.jwks));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

async function run(options: Partial<ExplainOptions>, given: Parameters<typeof testIo>[0] = {}): Promise<Ran> {
  const io = testIo(given);
  const exit = await explain({ config: at('firsthand.yaml'), request: [], ...options }, io);
  return { exit, out: io.out(), err: io.err() };
}

const words = (text: string): { readonly request: string[] } => ({ request: text.split(' ') });

describe('explain in the short form', () => {
  it('tells an allow with exit 0, without any configured key or bundle', async () => {
    const { exit, out, err } = await run({
      ...words('GET /orders/1 --as frontend --via gateway --scopes orders.read'),
      config: at('no-keys.yaml'),
    });
    expect([exit, err]).toEqual([0, '']);
    expect(out).toContain('ALLOW  allowed');
    expect(out).toContain('chain ns/shop/sa/frontend → ns/edge/sa/gateway → ns/shop/sa/orders');
    expect(out).toContain('decided by  line 2: GET /orders/{id} orders.read');
    expect(out).toMatch(/versions +policy [0-9a-f]{12} \(.*scopes, changed \d+s ago\)/);
    expect(out).toContain('bundle prod.example made for this question');
  });

  it('tells a deny with exit 1, and the smallest change', async () => {
    const { exit, out } = await run(words('POST /orders --as frontend --scopes orders.read'));
    expect(exit).toBe(1);
    expect(out).toContain('DENY  scope_missing: The token lacks a scope (HTTP 403, at step policy)');
    expect(out).toContain('token has orders.read; line 3 needs orders.write');
    expect(out).toContain('→ token: scopes orders.read orders.write');
  });

  it('tells a line as it should read', async () => {
    const { out } = await run(words('POST /orders --as reports --scopes orders.write'));
    expect(out).toContain(
      '→ line 3 becomes: POST /orders orders.write age<=5m from=ns/shop/sa/frontend,ns/shop/sa/reports',
    );
  });

  it('gives programs the same story', async () => {
    const { exit, out } = await run({ ...words('GET /stats --as outside --via gateway'), json: true });
    const story = JSON.parse(out) as Story;
    expect([exit, story.decision, story.reason, story.failed]).toEqual([1, 'deny', 'origin_unresolved', 'origin']);
    expect(story.steps.map(({ step }) => step)).toEqual([
      'shape',
      'peer',
      'origin',
      'credential',
      'binding',
      'state',
      'policy',
    ]);
  });

  it('says in one line what is wrong with the words', async () => {
    for (const text of [
      'GET --as frontend',
      'GET /orders/1 --az frontend',
      'GET /orders/1 --as frontend --via gatevay',
    ]) {
      const { exit, out, err } = await run(words(text));
      expect([exit, out]).toEqual([2, '']);
      expect(err).toMatch(/^firsthand: [^\n]+\n$/);
    }
  });
});

describe('explain with a CheckRequest', () => {
  const allowed = async (): Promise<Buffer> =>
    callFrom({
      peer: gateway,
      behind: [elementOf(GATEWAY, frontend)],
      path: '/orders/1?q=secret-query',
      token: await idp.sign({ scope: 'orders.read' }),
      headers: [['x-other', 'secret-header']],
    });

  it('decides bytes from a file or stdin with the configured keys and bundles', async () => {
    const bytes = await allowed();
    writeFileSync(at('check.bin'), bytes);
    const file = await run({ request: [at('check.bin')] });
    const stdin = await run({ request: ['-'] }, { input: bytes });
    for (const { exit, out, err } of [file, stdin]) {
      expect([exit, err]).toEqual([0, '']);
      expect(out).toMatch(/bundle prod\.example [0-9a-f]{12} \(1 root\) \(.*prod\.pem, changed/);
      expect(out).toMatch(/keys https:\/\/idp\.prod\.example kid key-1 \(.*idp\.json/);
      expect(out).not.toMatch(/secret|eyJ/);
    }
  });

  it('reads the JSON form of a message, detected by its text', async () => {
    const token = await idp.sign({ scope: 'orders.write' });
    const message = {
      attributes: {
        source: { principal: frontend.id, certificate: frontend.urlEncodedPem },
        destination: { principal: GUARD },
        request: {
          http: {
            method: 'GET',
            path: '/orders/1',
            host: 'orders.example',
            headers: { authorization: `Bearer ${token}`, 'x-forwarded-client-cert': elementOf(GUARD, frontend) },
          },
        },
      },
    };
    const { exit, out } = await run({ request: ['-'] }, { input: JSON.stringify(message, null, 1) });
    expect(exit).toBe(1);
    expect(out).toContain('DENY  scope_missing');
  });

  it('denies bytes that are no CheckRequest, as serve does', async () => {
    const { exit, out } = await run({ request: ['-'] }, { input: Buffer.from([0x0a, 0xff]) });
    expect(exit).toBe(1);
    expect(out).toContain('DENY  request_malformed');
    expect(out).toContain('remedy      none');
  });

  it('tells a story of any bytes, and shows no character that could move the text', { timeout: 60_000 }, async () => {
    const good = await allowed();
    const bent = fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(bent, async (changes) => {
        const bytes = Buffer.from(good);
        for (const [index, value] of changes) bytes[index] = value;
        const { exit, out, err } = await run({ request: ['-'] }, { input: bytes });
        expect([0, 1]).toContain(exit);
        expect(err).toBe('');
        expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
      { numRuns: 60 },
    );
  });

  it('cannot read what is not there, or is no JSON of a CheckRequest', async () => {
    const absent = await run({ request: [at('absent.bin')] });
    expect([absent.exit, absent.err]).toEqual([
      2,
      expect.stringMatching(/^firsthand: .*absent\.bin: no such file[^\n]*\n$/),
    ]);
    const other = await run({ request: ['-'] }, { input: '{"a": 1}' });
    expect([other.exit, other.err]).toEqual([2, expect.stringContaining('no CheckRequest')]);
  });

  it('cannot read a configuration whose keys are missing, and nothing is no request', async () => {
    writeFileSync(at('check.bin'), await allowed());
    const keys = await run({ request: [at('check.bin')], config: at('no-keys.yaml') });
    expect([keys.exit, keys.err]).toEqual([2, expect.stringContaining('absent')]);
    const nothing = await run({});
    expect([nothing.exit, nothing.err]).toEqual([2, expect.stringContaining('GET /orders/1')]);
  });
});

describe('colours', () => {
  const asked = words('GET /orders/1 --as frontend --scopes orders.read');
  it('are for terminals, and not for those who do not want them', async () => {
    const escape = '\u001b[';
    expect((await run(asked, { isTerminal: true })).out).toContain(escape);
    expect((await run(asked, { isTerminal: false })).out).not.toContain(escape);
    expect((await run(asked, { isTerminal: true, env: { NO_COLOR: '1' } })).out).not.toContain(escape);
    expect((await run({ ...asked, json: true }, { isTerminal: true })).out).not.toContain(escape);
  });
});

describe('explain of an audit record', () => {
  /** What the guard recorded, among lines of other things. */
  async function record(id: string, bytes: Buffer): Promise<string> {
    const opened = await openWorkbench(at('firsthand.yaml'), {}, Date.now);
    if (!opened.ok) throw new Error(opened.problems.join());
    const { outcome, attributes } = await opened.bench.check(bytes);
    const facts = attributes && requestFacts(attributes);
    const line = decisionRecord({ ...outcome, id }, facts, { path: 'raw', environment: null }, 12);
    const file = at(`${id}.ndjson`);
    writeFileSync(file, `not json ${id}\n{"event":"policy_loaded","id":"${id}"}\n${JSON.stringify(line)}\n`);
    return file;
  }

  const recorded = async (id: string, path = '/orders/1'): Promise<string> =>
    record(
      id,
      callFrom({
        peer: gateway,
        behind: [elementOf(GATEWAY, frontend)],
        path,
        token: await idp.sign({ scope: 'orders.read' }),
      }),
    );

  const story = async (id: string, audit: string, config = at('firsthand.yaml')): Promise<[number, RecordStory]> => {
    const { exit, out } = await run({ id, audit, config, json: true });
    return [exit, JSON.parse(out) as RecordStory];
  };

  it('rebuilds route, line, scopes, origin and chain, and leaves the rest undecidable', async () => {
    const audit = await recorded('one');
    const [exit, told] = await story('one', audit);
    expect(exit).toBe(1);
    expect(told).toMatchObject({ decision: 'undecidable', rule: 2, line: 'GET /orders/{id} orders.read' });
    expect(told.recorded).toMatchObject({ id: 'one', decision: 'allow', reason: 'allowed', rule: 2 });
    const by = new Map(told.steps.map(({ step, status, saw }) => [step, [status, ...saw].join('\n')]));
    expect(by.get('shape')).toContain('passed\nGET /orders/1 at orders.example\nthen: line 2 of policy');
    expect(by.get('origin')).toContain('chain ns/shop/sa/frontend → ns/edge/sa/gateway → ns/shop/sa/orders');
    expect(by.get('credential')).toContain('scopes held: orders.read');
    expect(by.get('binding')).toBe('undecidable\nundecidable from the record');
    expect(by.get('policy')).toContain('line 2: orders.read holds');
    const { out } = await run({ id: 'one', audit });
    expect(out).toContain('UNDECIDABLE  undecidable from the record');
    expect(out).toMatch(/recorded {4}allow allowed, line 2, policy [0-9a-f]{12}/);
  });

  it('tells what today’s lines refuse for certain', async () => {
    const audit = await recorded('two');
    writeFileSync(at('other'), 'GET /orders/{id} orders.admin\n');
    writeFileSync(at('other.yaml'), CONFIG.replace('scopes: scopes', 'scopes: other'));
    const [exit, told] = await story('two', audit, at('other.yaml'));
    expect([exit, told.decision, told.reason, told.rule]).toEqual([1, 'deny', 'scope_missing', 1]);
    expect(told.remedy?.change).toEqual({ kind: 'token', token: { scopes: ['orders.read', 'orders.admin'] } });
    expect(told.steps.at(-1)).toMatchObject({
      status: 'failed',
      saw: expect.arrayContaining([expect.stringContaining('token has orders.read')]) as string[],
    });
    writeFileSync(at('other'), 'GET /else orders.read\n');
    const [, gone] = await story('two', audit, at('other.yaml'));
    expect([gone.decision, gone.reason]).toEqual(['deny', 'route_undeclared']);
  });

  it('tells a chain that today’s forwarders would not make', async () => {
    const audit = await recorded('three');
    writeFileSync(at('narrow.yaml'), CONFIG.replace('/ns/shop/**', '/ns/ops/**'));
    const [, narrow] = await story('three', audit, at('narrow.yaml'));
    expect([narrow.decision, narrow.reason]).toEqual(['deny', 'forwarder_not_allowed']);
    writeFileSync(at('none.yaml'), CONFIG.replace(/origin:\n.*\n/, ''));
    const [, none] = await story('three', audit, at('none.yaml'));
    expect([none.decision, none.steps[2]?.status]).toEqual(['deny', 'failed']);
    expect(none.detail).toContain(`today the origin would be ${GATEWAY}`);
  });

  it('keeps a refusal that was about the credential as recorded', async () => {
    const audit = await record(
      'four',
      callFrom({ peer: frontend, path: '/orders/1', token: await idp.sign({ aud: 'x' }) }),
    );
    const { exit, out } = await run({ id: 'four', audit });
    expect(exit).toBe(1);
    expect(out).toMatch(/recorded {4}deny token_audience, line 2/);
    expect(out).toContain('as recorded: token_audience');
    expect(out).toMatch(/binding +not reached/);
  });

  it('cannot read what is not there', async () => {
    const audit = await recorded('five');
    expect((await run({ id: 'six', audit })).err).toContain('no decision has the id "six"');
    expect((await run({ id: 'five', audit: at('absent.ndjson') })).err).toContain('no such file');
    const half = await run({ id: 'five' });
    expect([half.exit, half.err]).toEqual([2, 'firsthand: --id and --audit go together: --id ID --audit FILE\n']);
    expect((await run({ id: 'five', audit, request: ['-'] })).exit).toBe(2);
  });
});
