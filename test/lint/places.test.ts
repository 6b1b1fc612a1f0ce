import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { parseLines } from '../../src/policy/grammar.js';
import { linted } from './linted.js';

/**
 * A word that is no condition, anywhere in an annotation that is written in any way: the finding must stand at its first
 * character in the file. BOGUS stands nowhere else, so that its place can be found without knowing anything about YAML.
 */
const BOGUS = 'b0gus';
const word = fc.constantFrom('fresh', 'once', 'bound', 'upgrade', 'host=a.example', 'from=ns');
const row = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(99), fc.uniqueArray(word, { maxLength: 3 }))
      .map(([id, words]) => [`GET  /r${id}`, 'a', ...words].join(' ')),
  },
  fc.constantFrom('', '# it\'s a "comment" \\ with é and 😀', '\t# tab', '   '),
);
const scopes = fc
  .tuple(fc.array(row, { maxLength: 4 }), fc.array(row, { maxLength: 3 }), fc.nat(3), fc.boolean())
  .map(
    ([before, after, indent, end]) =>
      [...before, `${' '.repeat(indent)}PUT /x a  ${BOGUS}`, ...after].join('\n') + (end ? '\n' : ''),
  );

const HEAD = 'apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n';
const KEY = 'firsthand.dev/scopes:';

/** Go's %q for what is used here. */
const goQuoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;

const everyEscape = (text: string): string =>
  `"${[...text].map((c) => (/[a-z0-9]/.test(c) && text.includes(BOGUS) ? c : `\\U${(c.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`)).join('')}"`;

const STYLES: readonly (readonly [string, (text: string) => string])[] = [
  [
    'literal block',
    (text) =>
      `${HEAD}    ${KEY} |+2 # why\n${text
        .split('\n')
        .map((line) => `      ${line}`)
        .join('\n')}\n`,
  ],
  [
    'literal block, CRLF',
    (text) =>
      `${HEAD}    ${KEY} |2\n${text
        .split('\n')
        .map((line) => `      ${line}`)
        .join('\n')}\n`.replaceAll('\n', '\r\n'),
  ],
  [
    'JSON',
    (text) =>
      JSON.stringify(
        { apiVersion: 'v1', kind: 'Pod', metadata: { annotations: { 'firsthand.dev/scopes': text } } },
        null,
        1,
      ),
  ],
  ['double quoted', (text) => `${HEAD}    ${KEY} ${JSON.stringify(text)}\n`],
  ['double quoted, escaped', (text) => `${HEAD}    ${KEY} ${everyEscape(text)}\n`],
  [
    'single quoted',
    (text) => `${HEAD}    ${KEY}\n      '${text.replaceAll("'", "''").replaceAll('\n', '\n\n      ')}'\n`,
  ],
  ['Downward API file', (text) => `a="b"\nfirsthand.dev/scopes=${goQuoted(text)}\n`],
  ['scope lines', (text) => text],
];

describe('a finding in an annotation', () => {
  it.each(STYLES)('points at the word: %s', (name, write) => {
    fc.assert(
      fc.property(scopes, (text) => {
        const written = write(text);
        // Blanks at line ends do not survive every style.
        if (name !== 'Downward API file' && name !== 'scope lines' && !holds(written, text)) return;
        const before = written.slice(0, written.indexOf(BOGUS)).split('\n');
        const place = `${before.length}:${(before.at(-1)?.length ?? 0) + 1} error condition_unknown`;
        expect(linted(written, { as: name === 'scope lines' ? 'scopes' : undefined })).toContain(place);
      }),
      { numRuns: 150 },
    );
  });

  function holds(written: string, text: string): boolean {
    const annotations = (parseDocument(written).toJS() as { metadata: { annotations: Record<string, string> } })
      .metadata.annotations;
    const read = annotations['firsthand.dev/scopes'] ?? '';
    return (
      parseLines(read, { rights: 'all' }).issues.some(({ message }) => message.includes(BOGUS)) && text.includes(BOGUS)
    );
  }
});

describe('any bytes', () => {
  it('give findings, never a fault', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: fc.constantFrom(...'{}[]:|>-&*!%@#,"\'\\ \n\tk:apiVersion'), maxLength: 80 }),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('config', 'annotations', 'scopes', 'manifest', undefined), (body, as) => {
        linted(body, { as });
        linted(`${HEAD}    ${KEY} ${body}`, { as });
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void linted(bytes)),
      { numRuns: 200 },
    );
  });
});
