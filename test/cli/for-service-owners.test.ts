/**
 * docs/for-service-owners.md does what it says: every command is run, in the order of the document and with the files of the
 * document, and gives the output that stands there; the records and the answer in it are those that a guard gives.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { callFrom } from '../helpers/check-request.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { served } from '../helpers/served.js';
import type { ServedCheck } from '../helpers/served.js';
import { makeIssuer } from '../helpers/tokens.js';
import { buildCommand } from './build.js';
import { matches, shown, stepsOf } from './document.js';

const markdown = readFileSync(new URL('../../docs/for-service-owners.md', import.meta.url), 'utf8');
const steps = stepsOf(markdown);
const MAIN = await buildCommand();

const folder = mkdtempSync(join(tmpdir(), 'firsthand-document-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `firsthand` as the document calls it. */
const bin = join(folder, '.bin');
mkdirSync(bin);
writeFileSync(join(bin, 'firsthand'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
chmodSync(join(bin, 'firsthand'), 0o755);

const runShell = (command: string): { readonly output: string; readonly exit: number | null } => {
  const { stdout, status } = spawnSync('sh', ['-c', `{ ${command}\n} 2>&1`], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
  });
  return { output: stdout, exit: status };
};

/** As the document says of lint; a test that passes ends with 0, and every story in it is about a denial. */
function exitOf(command: string, output: string): number {
  if (command.includes('firsthand lint')) return output === '' ? 0 : 1;
  return command.startsWith('firsthand explain') ? 1 : 0;
}

/** The text of a file as it stands where it comes last. */
function fileOf(name: string): string {
  const last = steps.findLast((step) => step.kind === 'file' && step.name === name);
  if (last?.kind !== 'file') throw new Error(`the document has no file ${name}`);
  return last.text;
}

describe('the commands of the document', () => {
  it('are there: lint, test, explain by short form and by record', () => {
    const commands = steps.flatMap((step) => (step.kind === 'command' ? [step.command] : []));
    expect(commands.length).toBeGreaterThanOrEqual(10);
    for (const word of ['firsthand lint', 'firsthand test', 'GET /stats --as', '--audit'])
      expect(commands.filter((command) => command.includes(word)).length).toBeGreaterThan(0);
  });

  it('give the output that stands under them', () => {
    for (const step of steps) {
      if (step.kind === 'file') {
        writeFileSync(join(folder, step.name), step.text);
        continue;
      }
      const { output, exit } = runShell(step.command);
      const what = `line ${step.line}: ${step.command}`;
      if (!matches(step.output, output)) expect(output, what).toBe(step.output);
      expect(exit, what).toBe(exitOf(step.command, output));
    }
  }, 120_000);

  it('would not pass with another output', () => {
    expect(matches('a … b\n', 'a 1 b\n')).toBe(true);
    expect(matches('a … b\n', 'a 1 c\n')).toBe(false);
    expect(matches('a … b\n', 'a 1\n2 b\n')).toBe(false);
    expect(matches('a.b\n', 'a-b\n')).toBe(false);
    expect(matches('', 'a\n')).toBe(false);
  });
});

type Annotations = Readonly<Record<string, string>>;

interface Manifest {
  readonly spec: { readonly template: { readonly metadata: { readonly annotations: Annotations } } };
}

const MODE = 'firsthand.dev/mode';
const SCOPES = 'firsthand.dev/scopes';

/** As the kubelet writes them for the guard. */
const podinfo = (annotations: Annotations): string =>
  Object.entries(annotations)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}\n`)
    .join('');

/** What changes from guard to guard, and from call to call. */
const VOLATILE = new Set([
  'time',
  'id',
  'certificate',
  'peer_certificate',
  'token',
  'serial',
  'not_after',
  'latency_us',
  'jti',
]);

const lasting = (record: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(JSON.parse(record) as object).map(([key, value]) => [key, VOLATILE.has(key) ? '…' : value]),
  );

describe('the guard of the document', () => {
  let ca: TestCa;
  const annotations = (parse(fileOf('deployment.yaml')) as Manifest).spec.template.metadata.annotations;
  const { [MODE]: mode, ...withoutMode } = annotations;
  const enforced = { ...withoutMode, [SCOPES]: fileOf('scopes.txt') };
  beforeAll(async () => {
    ca = await makeCa();
  });

  const workload = (name: string): Promise<TestSvid> => ca.issue({ id: `spiffe://prod.example/ns/shop/sa/${name}` });

  /** With the configuration of the document, but for where the lines come from; gives the answer and its record. */
  async function asked(
    lines: Annotations,
    claims: object | undefined,
    call: Omit<Parameters<typeof callFrom>[0], 'token'>,
  ): Promise<{ check: ServedCheck; record: string }> {
    const issuer = await makeIssuer();
    const config = parse(fileOf('firsthand.yaml')) as { policy: { scopes?: string } };
    const { scopes, ...policy } = config.policy;
    expect(scopes).toBe('scopes.txt');
    const place = mkdtempSync(join(folder, 'guard-'));
    const write = (name: string, text: string): void => writeFileSync(join(place, name), text);
    write('firsthand.yaml', stringify({ ...config, policy: { ...policy, annotations: 'annotations' } }));
    write('annotations', podinfo(lines));
    write('prod.example.pem', ca.certificate);
    write('idp.jwks.json', JSON.stringify(issuer.jwks));
    const guard = await served(join(place, 'firsthand.yaml'));
    const token = claims === undefined ? undefined : await issuer.sign({ ...claims });
    const check = await guard.check(callFrom({ ...call, token }));
    const [record = ''] = await guard.close();
    return { check, record };
  }

  it('leaves the shadow record that the document reads', async () => {
    expect(mode).toBe('shadow');
    const { check, record } = await asked(annotations, undefined, {
      peer: await workload('dashboard'),
      path: '/stats',
    });
    expect(check.answer.httpStatus).toBeUndefined();
    expect(lasting(fileOf('audit.ndjson'))).toEqual(lasting(record));
  });

  it('refuses and records as the document shows, once the mode is gone', async () => {
    const { check, record } = await asked(
      enforced,
      { scope: 'orders.read', sub: 'alice' },
      { peer: await workload('frontend'), method: 'POST', path: '/orders' },
    );
    expect(lasting(fileOf('denied.ndjson'))).toEqual(lasting(record));
    const { httpStatus, headers, body } = check.answer;
    const head = [`HTTP/1.1 ${String(httpStatus)} Forbidden`, ...headers.map(([name, value]) => `${name}: ${value}`)];
    const [response = ''] = shown(markdown, 'http');
    expect(matches(response, `${head.join('\n')}\n\n${body}\n`)).toBe(true);
  });

  it('lets the dashboard in with the line that the document ends with', async () => {
    const { check } = await asked(enforced, undefined, { peer: await workload('dashboard'), path: '/stats' });
    expect(check.answer.metadata['reason']).toBe('allowed_workload');
  });
});
