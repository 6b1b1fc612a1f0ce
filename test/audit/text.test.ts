import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime, text } from '../../src/audit/text.js';

it('leaves a text of exactly one KiB alone, and cuts one byte more', () => {
  expect(text('x'.repeat(1024))).toBe('x'.repeat(1024));
  expect(text('x'.repeat(1025))).toBe(`${'x'.repeat(1021)}…`);
});

it('never exceeds one KiB and never splits a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 300, maxLength: 3000 }), (value) => {
      const cut = text(value);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1024);
      expect(cut === value || (cut.endsWith('…') && value.startsWith(cut.slice(0, -1)))).toBe(true);
    }),
  );
});

it('is quick about a megabyte made to look like tokens', () => {
  const started = performance.now();
  text('eyJ'.repeat(400_000));
  text('-----BEGIN'.repeat(100_000));
  text('ewo.'.repeat(300_000));
  expect(performance.now() - started).toBeLessThan(200);
});

it('writes no time for what is no time', () => {
  expect(isoTime(Number.NaN)).toBeUndefined();
  expect(isoTime(Infinity)).toBeUndefined();
  expect(isoTime(undefined)).toBeUndefined();
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
});
