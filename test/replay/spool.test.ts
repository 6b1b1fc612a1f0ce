import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSpool } from '../../src/replay/spool.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'firsthand-spool-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const problems: string[] = [];
const open = (now: number, maxBytes = 100, maxFiles = 3) =>
  openSpool({ folder, maxFiles, maxBytes, now, onProblem: (problem) => void problems.push(problem) });
const files = (): string[] => readdirSync(folder).sort();
const content = (): string[] =>
  files().flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean));

describe('the spool of recorded checks', () => {
  it('keeps the last lines in as many files as it may have, in their order', async () => {
    const spool = open(1);
    const lines = Array.from({ length: 30 }, (_, index) => `${index}`.padStart(24, '0'));
    for (const line of lines) spool.write(line);
    await spool.close();
    expect(files()).toHaveLength(3);
    expect(content()).toEqual(lines.slice(-content().length));
    expect(content().length).toBeGreaterThanOrEqual(9);
    for (const name of files()) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100);
  });

  it('is for its owner only', async () => {
    const spool = open(1);
    spool.write('line');
    await spool.close();
    for (const name of files()) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  });

  it('counts the files of earlier runs, and touches no others', async () => {
    writeFileSync(join(folder, 'notes.ndjson'), 'mine');
    for (const now of [1, 2, 3, 4, 5]) {
      const spool = open(now);
      spool.write(`run ${now}`);
      await spool.close();
    }
    expect(files().filter((name) => name.startsWith('checks-'))).toHaveLength(3);
    expect(content()).toEqual(expect.arrayContaining(['run 3', 'run 4', 'run 5', 'mine']));
  });

  it('drops a line that is longer than a file', async () => {
    const spool = open(1);
    spool.write('x'.repeat(200));
    spool.write('short');
    await spool.close();
    expect(content()).toEqual(['short']);
  });

  it('makes its folder, and refuses to start where it can not', () => {
    const inside = join(folder, 'a', 'b');
    const options = { maxFiles: 1, maxBytes: 10, now: 1, onProblem: () => undefined };
    const spool = openSpool({ ...options, folder: inside });
    expect(statSync(inside).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder, 'file'), '');
    expect(() => openSpool({ ...options, folder: join(folder, 'file') })).toThrow(/EEXIST/);
    return spool.close();
  });

  it('tells and goes on where the folder went away', async () => {
    const inside = join(folder, 'gone');
    mkdirSync(inside);
    const told: string[] = [];
    const spool = openSpool({
      folder: inside,
      maxFiles: 2,
      maxBytes: 10,
      now: 1,
      onProblem: (text) => void told.push(text),
    });
    rmSync(inside, { recursive: true });
    for (const line of ['12345678', '12345678']) spool.write(line);
    expect(told[0]).toMatch(/ENOENT/);
    await spool.close();
  });
});
