import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSvid } from '../../../src/evidence/certificate.js';
import type { ReadLeaf } from '../../../src/state/spiffe/svid-files.js';
import { svidFromFiles } from '../../../src/state/spiffe/svid-files.js';
import { makeCa, makeKey } from '../../helpers/pki.js';
import type { TestCa, TestSvid } from '../../helpers/pki.js';

const readLeaf: ReadLeaf = (der) => {
  const svid = readSvid(der);
  return svid.ok ? { ok: true, value: svid.facts } : svid;
};

let folder: string;
let ca: TestCa;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fh-svid-'));
  ca = await makeCa();
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}
const both = (svid: TestSvid): void => (write('svid.pem', svid.chainPem), write('svid.key', svid.keyPem));

function watch() {
  const files = { kind: 'files', certificate: join(folder, 'svid.pem'), key: join(folder, 'svid.key') } as const;
  const source = svidFromFiles(files, readLeaf, 60_000);
  let now = 0;
  return async (): Promise<{ sha256: string | undefined; problem: string | undefined }> => {
    // A change counts when two looks saw the same file.
    for (let look = 0; look < 2; look += 1) await source.poll((now += 500));
    return { sha256: source.current(now)?.sha256, problem: source.problem() };
  };
}

describe('our own SVID in two files', () => {
  it('is the leaf of the first, with the key of the second, and follows when both were rotated', async () => {
    const [one, two] = [await ca.issue(), await ca.issue()];
    both(one);
    const look = watch();
    expect(await look()).toEqual({ sha256: one.sha256, problem: undefined });
    write('svid.pem', two.chainPem);
    expect(await look()).toEqual({ sha256: one.sha256, problem: expect.stringContaining('not the one') as string });
    write('svid.key', two.keyPem);
    expect(await look()).toEqual({ sha256: two.sha256, problem: undefined });
  });

  it('keeps the last good pair over whatever is none', async () => {
    const one = await ca.issue();
    both(one);
    const look = watch();
    await look();
    const leaf = await ca.issue({ key: one.key });
    for (const [name, text] of [
      ['svid.pem', ''],
      ['svid.pem', leaf.pem.slice(0, 200)],
      ['svid.pem', ca.certificate],
      ['svid.pem', one.keyPem],
      ['svid.key', ''],
      ['svid.key', one.pem],
      ['svid.key', one.keyPem.slice(0, 80)],
      ['svid.key', (await makeKey()).pem],
    ] as const) {
      write(name, text);
      const { sha256, problem } = await look();
      expect([name, sha256, problem !== undefined]).toEqual([name, one.sha256, true]);
      both(one);
      expect((await look()).problem).toBeUndefined();
    }
  });

  it('is nothing while a file is missing', async () => {
    const one = await ca.issue();
    write('svid.pem', one.chainPem);
    const look = watch();
    expect(await look()).toEqual({ sha256: undefined, problem: 'the file does not exist' });
    write('svid.key', one.keyPem);
    expect(await look()).toEqual({ sha256: one.sha256, problem: undefined });
  });
});
