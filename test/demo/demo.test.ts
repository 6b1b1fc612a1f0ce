import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readOptions } from './options.js';
import { writeAnnotations } from './podinfo.js';
import { MAIN, THEFT } from './pieces.js';
import { SPELLING_NAMES, SPELLINGS } from './spellings.js';
import { sabotage, StalePatch } from './sabotage.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

describe('the demo', () => {
  it.each([MAIN, THEFT])('expects something of each row and of nothing else', ({ sections, expected }) => {
    const names = sections.flatMap(({ rows }) => rows.map(({ name }) => name));
    expect(names.sort()).toEqual([...expected.keys()].sort());
  });

  it('spells a stolen token in sixteen ways, and signs it anew in one', () => {
    const token = `e30.e30.${Buffer.from('ab'.repeat(32), 'hex').toString('base64url').padEnd(85, '-')}A`;
    const spelled = SPELLING_NAMES.map((name) => JSON.stringify(SPELLINGS[name](token)));
    expect(new Set([...spelled, JSON.stringify([['authorization', `Bearer ${token}`]])]).size).toBe(16 + 1 + 1);
  });

  it('reads its options and refuses others', () => {
    expect(readOptions([])).toEqual({ kind: 'play', keep: false, trust: 'files' });
    expect(readOptions(['--keep'])).toEqual({ kind: 'play', keep: true, trust: 'files' });
    expect(readOptions(['--spiffe', '--keep'])).toEqual({ kind: 'play', keep: true, trust: 'workload-api' });
    expect(readOptions(['--theft'])).toEqual({ kind: 'theft' });
    expect(readOptions(['--sabotage', 'x'])).toEqual({ kind: 'sabotage', name: 'x' });
    expect(readOptions(['--sabotage', 'all'])).toEqual({ kind: 'all' });
    for (const argv of [
      ['--sabotage'],
      ['--sabotage', 'x', 'y'],
      ['--keep', 'x'],
      ['--keep', '--keep'],
      ['--theft', 'x'],
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
