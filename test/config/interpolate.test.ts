import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { interpolate } from '../../src/config/interpolate.js';
import { BASE, issuesFrom, markedIssues, settingsFrom } from './load.js';

describe('interpolate', () => {
  test.each([
    ['plain', {}, 'plain'],
    ['$X {X} $', { X: 'a' }, '$X {X} $'],
    ['${X}', { X: 'a' }, 'a'],
    ['<${X}-${Y}>', { X: 'a', Y: 'b' }, '<a-b>'],
    ['${X}', { X: '' }, ''],
    ['${X:-d}', {}, 'd'],
    ['${X:-d}', { X: '' }, 'd'],
    ['${X:-d}', { X: 'a' }, 'a'],
    ['${X:-}', {}, ''],
    ['${X:-a:-b}', {}, 'a:-b'],
    ['${X}', { X: '${Y}', Y: 'b' }, '${Y}'],
  ])('%s with %o is %s', (text, env, expected) => {
    expect(interpolate(text, env)).toEqual({ ok: true, text: expected });
  });

  test.each([
    ['a ${X', 2, /expected "\}"/],
    ['${}', 0, /expected the name/],
    ['${1X}', 0, /expected the name/],
    ['${X-d}', 0, /expected the name/],
    ['${ X }', 0, /expected the name/],
    ['${X}', 0, /X is not set/],
    ['${toString}', 0, /toString is not set/],
    ['${X:-${Y}}', 0, /holds another \$\{/],
  ])('%s is refused', (text, offset, message) => {
    const result = interpolate(text, {});
    expect(result.ok ? [] : result.problems).toMatchObject([{ offset, message: expect.stringMatching(message) }]);
  });

  it('reports every problem of a text', () => {
    const result = interpolate('${A} ${B:-x} ${C} ${', {});
    expect(result.ok ? [] : result.problems.map(({ offset }) => offset)).toEqual([0, 13, 18]);
  });

  it('puts any value in as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(interpolate('<${X}>', { X: value })).toEqual({ ok: true, text: `<${value}>` });
      }),
    );
  });
});

describe('the environment in a configuration', () => {
  it('reaches values and keys', () => {
    const env = { DOMAIN: 'prod.example', LEVEL: 'debug' };
    const settings = settingsFrom(
      'trust: { "${DOMAIN}": { bundle: "${DOMAIN}.pem" } }\npolicy: { scopes: a }\nlog: { level: "${LEVEL}" }\n',
      env,
    );
    expect([...settings.trust.keys()]).toEqual(['prod.example']);
    expect(settings.logLevel).toBe('debug');
  });

  test.each(['a: b', '[a, b]', '5', 'null', '~', '# a', '"', '- a', '{', '*a', '&a'])(
    'is never read as YAML: %s stays text',
    (value) => {
      expect(settingsFrom(`${BASE}environment: \${X}\n`, { X: value }).environment).toBe(value);
    },
  );

  it('gives no numbers and no booleans', () => {
    const { expected, got } = markedIssues(`${BASE}cache: { pins: ▸"\${N}" }\nlisten: { reflection: ▸"\${B}" }\n`, {
      N: '5',
      B: 'true',
    });
    expect(got).toEqual(expected);
  });

  it('does not reach comments', () => {
    expect(issuesFrom(`${BASE}# \${UNSET}\n`)).toEqual([]);
  });

  test.each([
    ['a plain value', `${BASE}environment: ▸\${UNSET}\n`],
    ['a value within quotes', `${BASE}environment: "a ▸\${UNSET}"\n`],
    ['two in one value', `${BASE}environment: ▸\${UNSET}/▸\${ALSO}\n`],
    ['a key', `${BASE}▸\${UNSET}: 1\n`],
    ['a key below', `policy: { scopes: a }\ntrust:\n  ▸\${UNSET}: { bundle: a }\n`],
    [
      'a line of a block',
      `trust: { a: { bundle: b } }\npolicy:\n  scopes: a\n  guardrails: |\n    GET /a token\n    GET /b ▸\${UNSET}\n`,
    ],
    ['a folded text', `${BASE}environment: ▸>\n  \${UNSET}\n`],
    ['a required value', `${BASE}tokens: [{ issuer: "▸\${UNSET}", keys: a, audiences: [b] }]\n`],
    ['an unfinished one', `${BASE}environment: "▸\${UNSET"\n`],
  ])('that is not set is one issue at its place: %s', (_, marked) => {
    const { expected, got } = markedIssues(marked);
    expect(got).toEqual(expected);
  });

  it('makes two keys equal: the second one is refused', () => {
    const { expected, got } = markedIssues(
      'policy: { scopes: a }\ntrust:\n  a: { bundle: a }\n  ▸"${X}": { bundle: b }\n',
      { X: 'a' },
    );
    expect(got).toEqual(expected);
  });

  it('is shown bounded, quoted and on one line', () => {
    const [issue] = issuesFrom(`${BASE}workload: \${X}\n`, { X: `secret\n\u202E${'x'.repeat(1_000)}` });
    expect(issue?.message.length).toBeLessThan(160);
    expect(issue?.message).not.toMatch(/[\n\u202E]/);
  });
});
