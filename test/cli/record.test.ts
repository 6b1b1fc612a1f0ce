import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configWith, LINES, makeFolder } from './folder.js';
import type { Folder } from './folder.js';
import { run, startGuard } from './guard.js';
import { until } from './until.js';

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe('serve --record', () => {
  test('keeps what replay decides again, and no usable token', async () => {
    const kept = folder.file('kept');
    const guard = await startGuard(folder, configWith(), {}, ['--record', kept]);
    const token = await folder.token();
    expect(await guard.reasonFor(await folder.call({ token }))).toBe('allowed');
    expect(await guard.reasonFor(await folder.call({ token: undefined }))).toBe('token_missing');
    expect((await guard.stop()).code).toBe(0);

    const files = readdirSync(kept);
    expect(files).toEqual([expect.stringMatching(/^checks-\d+-000001\.ndjson$/)]);
    const file = join(kept, files[0] ?? '');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const content = readFileSync(file, 'utf8');
    expect(content.trim().split('\n')).toHaveLength(2);
    for (const part of token.split('.')) expect(content).not.toContain(part);

    expect(await run(['replay', '--config', guard.config, kept])).toEqual({
      code: 0,
      stdout: '2 records: 2 unchanged, 0 changed, 0 undecidable\n',
      stderr: '',
    });
    folder.write('scopes', LINES.replace('orders.read', 'orders.admin'));
    const { code, stdout } = await run(['replay', '--config', guard.config, kept]);
    folder.write('scopes', LINES);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringContaining('allow allowed -> deny scope_missing  1 x'),
    });
  });
});

describe('a running guard', () => {
  test('counts what its shadow mode and its candidate would have decided', async () => {
    folder.write('candidate', LINES.replace('orders.read', 'orders.admin'));
    const policy = { scopes: 'scopes', ownersMay: ['workload', 'anyone'], mode: 'shadow', candidate: 'candidate' };
    const guard = await startGuard(folder, configWith({ policy }));
    const answer = await guard.ask(await folder.call({ token: undefined }));
    expect(answer.code).toBe(0);
    expect(answer.metadata).toMatchObject({ decision: 'allow', mode: 'shadow', shadow: 'token_missing' });
    expect((await guard.ask(await folder.call())).metadata).toMatchObject({ candidate_reason: 'scope_missing' });
    let metrics = '';
    await until(async () => {
      metrics = (await guard.page('/metrics')).body;
      return metrics.includes('source="candidate",decision="deny",reason="scope_missing"');
    }, 5000);
    for (const [source, decision, reason] of [
      ['mode', 'deny', 'token_missing'],
      ['mode', 'allow', 'allowed'],
      ['candidate', 'deny', 'token_missing'],
      ['candidate', 'deny', 'scope_missing'],
    ])
      expect(metrics).toContain(
        `firsthand_shadow_total{source="${source}",decision="${decision}",reason="${reason}"} 1`,
      );
    expect(metrics).toContain('firsthand_checks_total{decision="allow",reason="allowed"} 2');
    expect((await guard.stop()).code).toBe(0);
  });
});
