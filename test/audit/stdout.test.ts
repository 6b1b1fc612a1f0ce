/** Standard output and standard error as real processes have them: a socket, a pipe, a file, a full disk, nobody. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const here = import.meta.dirname;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stdout-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

type Target = 'read' | 'unread' | number;

function run(script: string, count: number, out: Target, err: Target): Promise<Ended> {
  const stdio = [out, err].map((target) => (typeof target === 'number' ? target : 'pipe'));
  const child = spawn(process.execPath, ['--import', 'tsx', join(here, script), String(count)], {
    stdio: ['ignore', ...stdio],
  });
  const got = { out: '', err: '' };
  if (out === 'read') child.stdout?.on('data', (data: Buffer) => (got.out += data.toString()));
  if (err === 'read') child.stderr?.on('data', (data: Buffer) => (got.err += data.toString()));
  return new Promise((resolve) => {
    child.on('exit', () => {
      if (out === 'unread') child.stdout?.destroy();
      if (err === 'unread') child.stderr?.destroy();
    });
    child.on('close', (code) => resolve({ code, ...got }));
  });
}

const report = (text: string) => JSON.parse(text) as { took: number; dropped: number; closed: number };

describe('audit lines on standard output', () => {
  it('all arrive before the process ends, where somebody reads', async () => {
    const { code, out, err } = await run('write-to-stdout.ts', 20_000, 'read', 'read');
    expect(code).toBe(0);
    const numbers = out
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
    expect(report(err).dropped).toBe(0);
  });

  it('keep nobody waiting and the process from ending for two seconds at most, where nobody reads', async () => {
    const { code, err } = await run('write-to-stdout.ts', 20_000, 'unread', 'read');
    expect(code).toBe(0);
    expect(report(err).closed).toBeLessThan(3_000);
    expect(report(err).dropped).toBeGreaterThan(10_000);
  });

  it('do the same on a pipe that nobody reads', () => {
    const script = `${process.execPath} --import tsx ${join(here, 'write-to-stdout.ts')} 20000`;
    const err = execFileSync('bash', ['-c', `{ ${script} 2>&3 | sleep 6; } 3>&1 >/dev/null; exit 0`], {
      encoding: 'utf8',
    });
    expect(report(err).closed).toBeLessThan(3_000);
    expect(report(err).dropped).toBeGreaterThan(10_000);
  });

  it('all arrive in a file', async () => {
    const path = join(folder, 'out');
    const fd = openSync(path, 'a');
    const { code } = await run('write-to-stdout.ts', 5_000, fd, 'read');
    closeSync(fd);
    expect(code).toBe(0);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(5_001);
  });

  it('are counted as dropped where the reader is gone', () => {
    const script = `${process.execPath} --import tsx ${join(here, 'write-to-stdout.ts')} 1000`;
    const err = execFileSync('bash', ['-c', `{ ${script} 2>&3 | true; } 3>&1 >/dev/null; exit 0`], {
      encoding: 'utf8',
    });
    expect(report(err).dropped).toBe(1_000);
  });
});

describe('the operational log on standard error', () => {
  it('is one JSON object a line, with the message constant and the facts in fields', async () => {
    const { code, err } = await run('write-log.ts', 1, 'read', 'read');
    expect(code).toBe(0);
    const said = err
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said).toHaveLength(2);
    expect(said[0]).toMatchObject({ level: 'info', msg: 'something happened', n: 0, list: ['a', 'b'] });
    expect(said[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Object.keys(said[0] ?? {})).toEqual(['level', 'time', 'n', 'pad', 'list', 'msg']);
    expect(said[1]).toMatchObject({ level: 'error', msg: 'the end' });
  });

  it('keeps nobody waiting where nobody reads', async () => {
    const { code, out } = await run('write-log.ts', 20_000, 'read', 'unread');
    expect(code).toBe(0);
    expect(Number(out)).toBeLessThan(3_000);
  });

  it('does not end the process where the disk is full', async () => {
    const fd = openSync('/dev/full', 'w');
    const { code, out } = await run('write-log.ts', 10, 'read', fd);
    closeSync(fd);
    expect([code, Number(out) >= 0]).toEqual([0, true]);
  });
});
