import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pieceWith } from '../demo/pieces.js';
import { SABOTAGES } from './sabotage.js';

const src = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src');

describe('the list of sabotages', () => {
  it('has at least fifteen, each with a name of its own', () => {
    expect(new Set(SABOTAGES.map((each) => each.name)).size).toBe(SABOTAGES.length);
    expect(SABOTAGES.length).toBeGreaterThanOrEqual(15);
  });

  it.each(SABOTAGES)(
    'fits the source, and a row that is there must notice it: $name',
    ({ file, find, replace, noticed }) => {
      const source = readFileSync(join(src, file), 'utf8');
      expect(source.split(find).length - 1).toBe(1);
      expect(replace).not.toBe(find);
      expect(noticed.length).toBeGreaterThan(0);
      expect([...pieceWith(noticed).expected.keys()]).toEqual(expect.arrayContaining([...noticed]));
    },
  );
});
