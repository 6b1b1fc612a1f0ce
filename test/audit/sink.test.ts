import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, readSync } from 'node:fs';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSink } from '../../src/audit/sink.js';
import type { AuditSink } from '../../src/audit/sink.js';

let folder: string;
let dropped: number;
let states: [boolean, string | undefined][];
let reopenFailed: string[];
let descriptors: number[];
const sinks: AuditSink[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
  dropped = 0;
  states = [];
  reopenFailed = [];
  descriptors = [];
});
afterEach(async () => {
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
  descriptors.forEach((fd) => closeSync(fd));
  rmSync(folder, { recursive: true });
});

function open(path: string, maxBuffer = 1024 * 1024): AuditSink {
  const sink = openSink(
    { kind: 'file', path },
    {
      maxBuffer,
      onDropped: (count) => (dropped += count),
      onFailing: (failing, error) => states.push([failing, error?.message]),
      onReopenFailed: (error) => reopenFailed.push(error.message),
    },
  );
  sinks.push(sink);
  return sink;
}

function fifo(): { path: string; read(): string } {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const fd = reader(path);
  return { path, read: () => readSome(fd) };
}

function reader(path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  descriptors.push(fd);
  return fd;
}

/** What is there now. */
function readSome(fd: number): string {
  const space = Buffer.alloc(1024 * 1024);
  try {
    return space.toString('utf8', 0, readSync(fd, space));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
    throw error;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not happen in ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));
const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);
const numbered = (from: number, to: number, size = 1): string[] =>
  Array.from({ length: to - from }, (_, n) => `{"n":${from + n},"pad":"${'x'.repeat(size)}"}`);

describe('a file', () => {
  it('gets every line, in order, and is for its owner only', async () => {
    const path = join(folder, 'audit.log');
    const sink = open(path);
    const all = numbered(0, 5000, 50);
    all.forEach((line) => sink.write(line));
    await sink.close();
    expect(lines(path)).toEqual(all);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect([dropped, states, sink.failing()]).toEqual([0, [], false]);
  });

  it('is appended to, never emptied', async () => {
    const path = join(folder, 'audit.log');
    writeFileSync(path, 'before\n');
    const sink = open(path);
    sink.write('after');
    await sink.close();
    expect(lines(path)).toEqual(['before', 'after']);
  });

  it('that can not be opened is an error at once, in one sentence', () => {
    expect(() => open(join(folder, 'missing', 'audit.log'))).toThrow(/missing\/audit\.log can not be opened.*ENOENT$/);
    expect(() => open(folder)).toThrow(/EISDIR$/);
  });

  it('that is a FIFO without a reader is an error at once, not a wait', () => {
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    expect(() => open(path)).toThrow(/ENXIO$/);
  });

  it('is opened anew after rotation, and no line is lost', async () => {
    const path = join(folder, 'audit.log');
    const old = join(folder, 'audit.log.1');
    const sink = open(path);
    const all = numbered(0, 3000, 50);
    all.slice(0, 1000).forEach((line) => sink.write(line));
    renameSync(path, old);
    sink.reopen();
    all.slice(1000, 2000).forEach((line) => sink.write(line));
    await until(() => existsSync(path));
    await pause();
    all.slice(2000).forEach((line) => sink.write(line));
    await sink.close();
    expect([...lines(old), ...lines(path)]).toEqual(all);
    expect(lines(path).length).toBeGreaterThan(0);
  });

  it('goes on being written where the new one can not be opened, and says so', async () => {
    const path = join(folder, 'sub.log');
    const sink = open(path);
    renameSync(path, join(folder, 'old.log'));
    execFileSync('mkdir', [path]);
    sink.reopen();
    await until(() => reopenFailed.length === 1);
    sink.write('still here');
    await sink.close();
    expect(lines(join(folder, 'old.log'))).toEqual(['still here']);
    expect(reopenFailed[0]).toContain('EISDIR');
  });

  it('gets nothing after the end: what comes late is counted', async () => {
    const path = join(folder, 'audit.log');
    const sink = open(path);
    await sink.close();
    sink.write('late');
    sink.reopen();
    await sink.close();
    expect(lines(path)).toEqual([]);
    expect(dropped).toBe(1);
  });
});

describe('a full disk', () => {
  it('blocks nobody, is reported once, and what does not fit is counted', async () => {
    const sink = open('/dev/full', 10_000);
    const started = performance.now();
    numbered(0, 1000, 50).forEach((line) => sink.write(line));
    expect(performance.now() - started).toBeLessThan(200);
    await until(() => sink.failing());
    await pause();
    expect(states).toHaveLength(1);
    expect(dropped).toBeGreaterThan(800);
    await sink.close();
    expect(dropped).toBe(1000);
  });

  it('is reported with its cause', async () => {
    const sink = open('/dev/full');
    sink.write('{}');
    await until(() => sink.failing());
    expect(states).toEqual([[true, expect.stringContaining('ENOSPC')]]);
  });

  it('is left by a reopen to a place that works, with everything that was kept', async () => {
    const path = join(folder, 'audit.log');
    execFileSync('ln', ['-s', '/dev/full', path]);
    const sink = open(path);
    const all = numbered(0, 100);
    all.forEach((line) => sink.write(line));
    await until(() => sink.failing());
    rmSync(path);
    sink.reopen();
    await until(() => !sink.failing());
    await sink.close();
    expect(lines(path)).toEqual(all);
    expect(dropped).toBe(0);
    expect(states.map(([failing]) => failing)).toEqual([true, false]);
  });
});

describe('a slow reader', () => {
  it('blocks nobody; the buffer fills, then lines are dropped, counted and reported', async () => {
    const { path, read } = fifo();
    const sink = open(path, 200_000);
    const all = numbered(0, 5000, 100);
    const started = performance.now();
    all.forEach((line) => sink.write(line));
    expect(performance.now() - started).toBeLessThan(500);
    expect(dropped).toBeGreaterThan(1000);
    expect(states).toEqual([[true, 'the audit buffer is full']]);

    let got = '';
    await until(() => {
      got += read();
      return !sink.failing() && got.endsWith('\n') && got.split('\n').length - 1 + dropped === all.length;
    });
    expect(got.split('\n').slice(0, -1)).toEqual(all.slice(0, all.length - dropped));
    expect(states.map(([failing]) => failing)).toEqual([true, false]);
  });

  it('holds the end up for two seconds, no longer; what is left is counted', async () => {
    const { path, read } = fifo();
    const sink = open(path);
    const all = numbered(0, 5000, 100);
    all.forEach((line) => sink.write(line));
    const started = performance.now();
    await sink.close();
    expect(performance.now() - started).toBeGreaterThan(1_900);
    expect(performance.now() - started).toBeLessThan(2_500);
    const got = read();
    expect(got.split('\n').length - 1 + dropped).toBe(all.length);
  });

  it('gets whole lines only at the place that a reopen turns to', async () => {
    const { path } = fifo();
    const sink = open(path);
    const all = numbered(0, 5000, 100);
    all.forEach((line) => sink.write(line));
    await pause();
    renameSync(path, `${path}.old`);
    sink.reopen();
    await until(() => existsSync(path));
    await sink.close();
    const got = lines(path);
    expect(got.length).toBeGreaterThan(3000);
    expect(got).toEqual(all.slice(-got.length));
    expect(dropped).toBe(0);
  });
});

describe('a reader that went away', () => {
  it('is reported; when one comes back it gets everything that was kept', async () => {
    const { path } = fifo();
    const sink = open(path);
    closeSync(descriptors.pop() ?? -1);
    const all = numbered(0, 50);
    all.forEach((line) => sink.write(line));
    await until(() => sink.failing());
    expect(states[0]?.[1]).toContain('EPIPE');
    const back = reader(path);
    let got = '';
    await until(() => {
      got += readSome(back);
      return !sink.failing();
    });
    await sink.close();
    got += readSome(back);
    expect(got.split('\n').slice(0, -1)).toEqual(all);
    expect(dropped).toBe(0);
  });
});
