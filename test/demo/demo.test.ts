import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXPECTED } from './expected.js';
import { readOptions } from './options.js';
import { writeAnnotations } from './podinfo.js';
import { ROWS } from './rows.js';
import { sabotage, StalePatch } from './sabotage.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

describe('the demo', () => {
  it('expects something of each row and of nothing else', () => {
    expect(ROWS.map((row) => row.name).sort()).toEqual([...EXPECTED.keys()].sort());
  });

  it('reads its options and refuses others', () => {
    expect(readOptions([])).toEqual({ kind: 'play', keep: false, trust: 'files' });
    expect(readOptions(['--keep'])).toEqual({ kind: 'play', keep: true, trust: 'files' });
    expect(readOptions(['--spiffe', '--keep'])).toEqual({ kind: 'play', keep: true, trust: 'workload-api' });
    expect(readOptions(['--sabotage', 'x'])).toEqual({ kind: 'sabotage', name: 'x' });
    expect(readOptions(['--sabotage', 'all'])).toEqual({ kind: 'all' });
    for (const argv of [
      ['--sabotage'],
      ['--sabotage', 'x', 'y'],
      ['--keep', 'x'],
      ['--keep', '--keep'],
      ['--spiffe', '--sabotage', 'x'],
      ['x'],
    ])
      expect(readOptions(argv).kind).toBe('wrong');
  });

  it('refuses a patch whose text is not in the source, or there twice', async () => {
    const patch = { name: 'stale', breaks: '', file: 'model/result.ts', replace: '', noticed: [] };
    await expect(sabotage(root, { ...patch, find: 'text that nobody wrote' })).rejects.toThrow(StalePatch);
    await expect(sabotage(root, { ...patch, find: 'readonly' })).rejects.toThrow(StalePatch);
  });

  it('swaps annotations as the kubelet does: one link, the file never missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'firsthand-podinfo-'));
    await writeAnnotations(folder, { a: 'one\n"two"' }, 1);
    expect(await readFile(join(folder, 'annotations'), 'utf8')).toBe('a="one\\n\\"two\\""\n');
    await writeAnnotations(folder, { a: 'three' }, 2);
    expect(await readFile(join(folder, 'annotations'), 'utf8')).toBe('a="three"\n');
    await rm(folder, { recursive: true });
  });
});
