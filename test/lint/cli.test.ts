import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runLint } from '../../src/cli/lint.js';
import type { LintOptions } from '../../src/cli/lint.js';
import { testIo } from '../helpers/io.js';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'firsthand-lint-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function run(options: LintOptions, stdin = ''): Promise<{ code: number; out: string; err: string }> {
  const io = testIo({ input: stdin });
  const code = await runLint(options, io);
  return { code, out: io.out().replaceAll(folder, 'DIR'), err: io.err().replaceAll(folder, 'DIR') };
}

describe('the command line', () => {
  it('hands its options over', () => {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const api = file('api.yaml', 'openapi: 3.1.0\npaths: { /b: { get: {} } }\n');
    const config = file('firsthand.yaml', 'trust: { a.example: { bundle: a.pem } }\npolicy: { scopes: lines }\n');
    const args = ['--config', config, '--openapi', api, '--format', 'json', '--as', 'scopes', '-'];
    const done = spawnSync(process.execPath, ['--import', 'tsx', main, 'lint', ...args], {
      input: 'GET /a a',
      encoding: 'utf8',
    });
    expect(done.stderr).toBe('');
    expect(done.status).toBe(1);
    expect((JSON.parse(done.stdout) as { code: string }[]).map(({ code }) => code)).toEqual([
      'line_unused',
      'issuer_missing',
      'route_uncovered',
    ]);
  });
});

describe('firsthand lint', () => {
  it('is silent and gives 0 where nothing is wrong', async () => {
    expect(await run({ files: [file('a.scopes', 'GET /a a\n')] })).toEqual({ code: 0, out: '', err: '' });
  });

  it('prints one line for each finding, with its place, code and hint, and gives 1', async () => {
    expect(await run({ files: [file('b.scopes', 'GTE /a a\n')] })).toEqual({
      code: 1,
      out: 'DIR/b.scopes:1:1: error method: expected an HTTP method, got "GTE" (did you mean GET?)\n',
      err: '',
    });
  });

  it('gives 0 for infos alone, but prints them', async () => {
    const { code, out } = await run({ files: [file('c.scopes', 'GET /health anyone\n')] });
    expect(code).toBe(0);
    expect(out).toContain('DIR/c.scopes:1:13: info right_missing: ');
  });

  it('gives 2 where a file cannot be read, and checks the others all the same', async () => {
    const { code, out, err } = await run({ files: [join(folder, 'none'), folder, file('d.scopes', 'GET a a\n')] });
    expect(code).toBe(2);
    expect(out).toContain('DIR/d.scopes:1:5: error path: ');
    expect(err.split('\n')[0]).toBe('firsthand: cannot read DIR/none: no such file or directory');
    expect(err.split('\n')).toHaveLength(3);
    expect(await run({ files: [file('ok', 'GET /a a')], config: join(folder, 'none') })).toMatchObject({ code: 2 });
  });

  it('reads stdin as -', async () => {
    const { code, out } = await run(
      { files: ['-'] },
      'apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    firsthand.dev/scopes: |\n      GET a a\n',
    );
    expect({ code, out: out.split(' error')[0] }).toEqual({ code: 1, out: '<stdin>:6:11:' });
  });

  it('takes the kind that it is told', async () => {
    expect((await run({ files: ['-'], as: 'config' }, 'GET /a a\n')).out).toContain('<stdin>:1:1: error config: ');
    expect((await run({ files: ['-'], as: 'scopes' }, 'trust: {}\n')).out).toContain('<stdin>:1:1: error method: ');
  });

  it('checks a configuration with the environment', async () => {
    const text = 'trust: { a.example: { bundle: "${BUNDLE}" } }\npolicy: { scopes: lines }\n';
    const io = testIo({ input: text, env: { BUNDLE: 'a.pem' } });
    expect(await runLint({ files: ['-'] }, io)).toBe(0);
    expect((await run({ files: ['-'] }, text)).out).toContain('<stdin>:1:32: error config: ');
  });

  it('speaks JSON, SARIF and the language of GitHub', async () => {
    const files = [file('e, f.scopes', 'POST /a workload\n')];
    const json = JSON.parse((await run({ files, format: 'json' })).out) as unknown;
    expect(json).toMatchObject([
      { file: 'DIR/e, f.scopes', line: 1, column: 1, severity: 'warning', code: 'workload_writes' },
    ]);
    const sarif = JSON.parse((await run({ files, format: 'sarif' })).out) as unknown;
    expect(sarif).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'firsthand', rules: [{ id: 'workload_writes' }] } },
          results: [
            {
              ruleId: 'workload_writes',
              level: 'warning',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'DIR/e%2C%20f.scopes' },
                    region: { startLine: 1, startColumn: 1 },
                  },
                },
              ],
            },
          ],
        },
      ],
    });
    expect((await run({ files, format: 'github' })).out).toMatch(
      /^::warning file=DIR\/e%2C f\.scopes,line=1,col=1,title=firsthand workload_writes::POST may change something/,
    );
    expect((await run({ files: [file('clean', 'GET /a a')], format: 'json' })).out).toBe('[]\n');
  });
});
