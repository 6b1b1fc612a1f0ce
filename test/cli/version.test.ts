import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildDigest, packageVersion, version } from '../../src/version.js';

it('prints version, build and Node in one line', () => {
  expect(version()).toBe(`firsthand ${packageVersion()} (build ${buildDigest()}, node ${process.version})`);
  expect(version()).toMatch(/^firsthand \d+\.\d+\.\d+ \(build [0-9a-f]{12}, node v\d+\.\d+\.\d+\)$/);
});

it('gives another build where one byte of the program differs, and the same where none does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-version-'));
  try {
    writeFileSync(join(folder, 'main.js'), 'a');
    writeFileSync(join(folder, 'notes.txt'), 'a');
    const build = buildDigest(folder);
    writeFileSync(join(folder, 'notes.txt'), 'b');
    expect(buildDigest(folder)).toBe(build);
    writeFileSync(join(folder, 'main.js'), 'b');
    expect(buildDigest(folder)).not.toBe(build);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
