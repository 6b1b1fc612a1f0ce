import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CODES } from '../../src/lint/codes.js';

it('every code is explained in the documentation, and no other', () => {
  const text = readFileSync(new URL('../../docs/lint.md', import.meta.url), 'utf8');
  const cells = text.split('\n').filter((line) => /^\| `/.test(line) && !/^\| `(error|warning|info)`/.test(line));
  const documented = cells.flatMap((line) =>
    [...(line.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, code]) => code),
  );
  expect(documented.sort()).toEqual(Object.keys(CODES).sort());
});
