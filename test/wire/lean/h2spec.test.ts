import { expect, test } from 'vitest';
import { findH2spec, HOW, runH2spec } from './h2spec.js';

const program = findH2spec();
if (program === undefined) console.warn(HOW);

test.skipIf(program === undefined)(
  'every case of h2spec passes: generic, http2, hpack',
  { timeout: 120_000 },
  async () => {
    const groups = await runH2spec(program ?? '');
    expect(
      groups.flatMap(({ name, failed, skipped }) => [...failed, ...skipped].map((title) => `${name}: ${title}`)),
    ).toEqual([]);
    const kinds = groups.map(({ name, passed }) => [name.split('/')[0], passed] as const);
    const passed = (kind: string): number => kinds.reduce((sum, [of, count]) => sum + (of === kind ? count : 0), 0);
    console.log('h2spec', { generic: passed('generic'), http2: passed('http2'), hpack: passed('hpack') });
    expect(Math.min(passed('generic'), passed('http2'), passed('hpack'))).toBeGreaterThan(0);
  },
);
