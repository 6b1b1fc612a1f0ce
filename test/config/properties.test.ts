import fc from 'fast-check';
import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { formatConfigIssue } from '../../src/config/load.js';
import { nearestHint } from '../../src/config/nearest.js';
import { distance } from '../../src/model/nearest.js';
import { formatDuration, parseDuration } from '../../src/model/duration.js';
import { Config, configJsonSchema } from '../../src/config/schema.js';
import { SMALLEST, load } from './load.js';

/** Either settings or at least one issue, each with a place in the file and one bounded line. */
function answersFor(text: string | Uint8Array): void {
  const loaded = load(text);
  if (loaded.ok) return;
  expect(loaded.issues.length).toBeGreaterThan(0);
  const lines = Buffer.from(text).toString().split('\n').length;
  for (const issue of loaded.issues) {
    expect(issue.line).toBeGreaterThanOrEqual(1);
    expect(issue.line).toBeLessThanOrEqual(lines);
    expect(issue.column).toBeGreaterThanOrEqual(1);
    expect(formatConfigIssue(issue)).not.toMatch(/[\n\r\p{Cc}]/u);
    expect(issue.message.length).toBeLessThan(1_000);
  }
}

const KEYS = [
  ...Object.keys(Config.shape),
  'check',
  'forwarders',
  'keys',
  'bundle',
  '__proto__',
  'constructor',
  '${X}',
];
const anyKey = fc.oneof(fc.constantFrom(...KEYS), fc.string());
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('off', '5s', 'spiffe://a/b', '**', '${X}', 'unix:/a', '127.0.0.1:1', null, true, 1, -0.5),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(anyKey, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

describe('loading', () => {
  it('answers for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), answersFor), { numRuns: 300 });
  });

  it('answers for any text made of what YAML is made of', () => {
    const piece = fc.oneof(
      fc.constantFrom(...'{}[],:-?&*!|>#%@"\'\n \t~<$', ': ', '- ', '\n  ', '---\n', '${', 'trust'),
      anyKey,
    );
    const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
    fc.assert(fc.property(text, answersFor), { numRuns: 1_000 });
  });

  it('answers for any tree of values, known keys among them', () => {
    const tree = fc.dictionary(anyKey, anyValue, { maxKeys: 8, noNullPrototype: true });
    fc.assert(
      fc.property(tree, (value) => answersFor(stringify(value))),
      { numRuns: 1_000 },
    );
  });

  it('answers for a good configuration with one piece cut out or put in', () => {
    const cut = fc.nat({ max: SMALLEST.length });
    fc.assert(
      fc.property(cut, fc.nat({ max: 5 }), fc.string({ maxLength: 5 }), (at, length, put) =>
        answersFor(SMALLEST.slice(0, at) + put + SMALLEST.slice(at + length)),
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('nearest', () => {
  it('measures what it takes to turn one word into the other', () => {
    expect([distance('', 'abc'), distance('kitten', 'sitting'), distance('a', 'a')]).toEqual([3, 3, 0]);
  });

  it('measures the same both ways', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => distance(a, b) === distance(b, a)));
  });

  it('has nothing to say where nothing is known', () => {
    expect(nearestHint('a', [])).toBeUndefined();
  });
});

describe('durations', () => {
  it('are read back from how they are shown', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 10 ** 8 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  });

  it.each(['', '5', 's', '05s', '1.5s', '-1s', '1h30m', ' 1s', '1S', '1w', '9999999999s'])('refuse %o', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('the JSON Schema', () => {
  const schema = configJsonSchema();

  it('names every key of the loader and no other', () => {
    expect(Object.keys(schema['properties'] as object)).toEqual(Object.keys(Config.shape));
    expect(schema).toMatchObject({ additionalProperties: false, required: ['trust', 'policy'] });
  });

  it('lets the environment stand wherever a word can', () => {
    expect(schema['properties']).toMatchObject({
      log: { properties: { level: { anyOf: [{ enum: expect.arrayContaining(['info']) }, { pattern: '\\$\\{' }] } } },
    });
  });
});
