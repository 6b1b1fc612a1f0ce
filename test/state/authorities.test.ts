import { describe, expect, it } from 'vitest';
import { readSvid } from '../../src/evidence/certificate.js';
import { pathVerifier, verifyPath } from '../../src/origin/path-validation.js';
import { rememberAuthorities } from '../../src/state/authorities.js';
import { makeCa } from '../helpers/pki.js';

describe('the remembered authorities', () => {
  it('are read once for each array of bytes, whatever came of it', async () => {
    const read = rememberAuthorities();
    const { der } = await makeCa();
    expect(read(der)).toBe(read(der));
    expect(read(Uint8Array.from(der))).not.toBe(read(der));
    const garbage = new Uint8Array([1, 2, 3]);
    expect(read(garbage).ok).toBe(false);
    expect(read(garbage)).toBe(read(garbage));
  });

  it('give the same paths as those read anew, trusted and not', async () => {
    const remembering = pathVerifier(rememberAuthorities());
    const root = await makeCa();
    const rogue = await makeCa();
    const intermediate = await makeCa({ parent: root, name: 'Intermediate' });
    const bundle = { anchors: [root.der], intermediates: [intermediate.der] };
    for (const ca of [root, intermediate, rogue, root, intermediate, rogue]) {
      const svid = readSvid((await ca.issue()).der);
      if (!svid.ok) throw new Error(svid.problem);
      const result = remembering(svid.facts, [rogue.der], bundle);
      expect(result).toEqual(verifyPath(svid.facts, [rogue.der], bundle));
      expect(result.ok).toBe(ca !== rogue);
    }
  });
});
