import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configWith, listenWith, makeFolder } from './folder.js';
import type { AuditLine, Folder } from './folder.js';
import { startGuard } from './guard.js';
import type { Guard } from './guard.js';
import { until } from './until.js';

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const auditedBy = (name: string, audit: object): Promise<Guard> =>
  startGuard(
    folder,
    configWith({
      audit,
      listen: listenWith({ check: [`unix:${name}.sock`], admin: `unix:${name}-admin.sock` }),
    }),
  );
const decisions = (lines: readonly AuditLine[]): AuditLine[] => lines.filter(({ event }) => event === 'decision');

describe.concurrent('records that can not be written', () => {
  const full = (name: string, onFailure: string): Promise<Guard> =>
    auditedBy(name, { to: 'file:/dev/full', onFailure });

  test('deny every check where the operator wants that', async () => {
    const guard = await full('deny', 'deny');
    const answer = await guard.ask(await folder.call());
    expect({ code: answer.code, status: answer.httpStatus, reason: answer.metadata['reason'] }).toEqual({
      code: 14,
      status: 503,
      reason: 'internal_error',
    });
    const { status, body } = await guard.pageAt('deny-admin.sock', '/readyz');
    expect(status).toBe(503);
    expect(body).toContain('records can not be written');
    expect((await guard.stop()).code).toBe(0);
  });

  test('are counted where checks are answered all the same', async () => {
    const guard = await full('allow', 'allow');
    expect(await guard.reasonFor(await folder.call())).toBe('allowed');
    await until(() => guard.stderr().includes('audit records can not be written'), 5000);
    const { status, body } = await guard.pageAt('allow-admin.sock', '/readyz');
    expect(status).toBe(200);
    expect(body).toContain('records can not be written');
    const metrics = await guard.pageAt('allow-admin.sock', '/metrics');
    expect(metrics.body).toContain('firsthand_incidents_total{type="audit_failed"} 1');
    expect((await guard.stop()).code).toBe(0);
  });
});

describe.concurrent('audit.allowed', () => {
  /** Eight allowed calls and one that is denied; the decisions that left a record. */
  async function recordsOf(name: string, audit: object): Promise<AuditLine[]> {
    const guard = await auditedBy(name, { to: `file:${name}.ndjson`, ...audit });
    const bytes = await folder.call();
    for (let n = 0; n < 8; n += 1) expect(await guard.reasonFor(bytes)).toBe('allowed');
    expect(await guard.reasonFor(await folder.call({ path: '/nowhere' }))).toBe('route_undeclared');
    expect((await guard.stop()).code).toBe(0);
    return decisions(folder.audit(`${name}.ndjson`));
  }
  const verdicts = (lines: readonly AuditLine[]): unknown[] => lines.map(({ decision }) => decision);

  test('all: a record for each', async () => {
    const records = await recordsOf('all', {});
    expect(verdicts(records)).toEqual([...Array<string>(8).fill('allow'), 'deny']);
    expect(new Set(records.map(({ id }) => id)).size).toBe(9);
    expect(records.map(({ cache }) => cache)).toEqual(['miss', ...Array<string>(7).fill('hit'), 'miss']);
    expect(records[0]).toMatchObject({ method: 'GET', path: '/orders/1', host: 'orders.example', rule: 1 });
  });

  test('none: denials only', async () => {
    expect(verdicts(await recordsOf('none', { allowed: 'none' }))).toEqual(['deny']);
  });

  test('sampled: the share that was asked for, and every denial', async () => {
    expect(verdicts(await recordsOf('sampled-1', { allowed: 'sampled:1' }))).toHaveLength(9);
    const some = verdicts(await recordsOf('sampled', { allowed: 'sampled:0.000001' }));
    expect(some.filter((verdict) => verdict === 'deny')).toHaveLength(1);
    expect(some.length).toBeLessThan(5);
  });

  test('path: what of it is recorded', async () => {
    expect((await recordsOf('template', { path: 'template' }))[0]).toMatchObject({ path: '/orders/{id}' });
    expect((await recordsOf('no-path', { path: 'none' }))[0]).not.toHaveProperty('path');
  });
});

test('records go to stdout by default, and nothing else does', async () => {
  const guard = await auditedBy('stdout', {});
  const { metadata } = await guard.ask(await folder.call());
  const { stdout, code } = await guard.stop();
  const lines = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditLine);
  expect(decisions(lines).map(({ id }) => id)).toEqual([metadata['id']]);
  expect(code).toBe(0);
});
