import { describe, expect, it } from 'vitest';
import { readAnnotations } from '../../src/policy/annotations.js';
import { unquoteGo } from '../../src/policy/unquote.js';

describe('Go string literals', () => {
  it.each([
    ['"orders:read"', 'orders:read'],
    [String.raw`"say \"hi\" \\ back"`, 'say "hi" \\ back'],
    [String.raw`"rules:\n  - path: /v1/*\n\tx\r\n"`, 'rules:\n  - path: /v1/*\n\tx\r\n'],
    ['"café – 日本 😀"', 'café – 日本 😀'],
    [String.raw`"nul\x00 bel\a esc\x1b del\x7f"`, 'nul\x00 bel\x07 esc\x1b del\x7f'],
    [String.raw`"a\u00a0b\u2028c\u200bd\ufeffe\u00add"`, 'a\u00a0b\u2028c\u200bd\ufeffe\u00add'],
    [String.raw`"\U000e0001 😀 \ue000"`, '\u{e0001} 😀 \ue000'],
    ['""', ''],
    [String.raw`"\b\f\v"`, '\b\f\v'],
  ])('%s is unquoted', (text, value) => {
    expect(unquoteGo(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 0],
    ['a', 0],
    ['`a`', 0],
    ["'a'", 0],
    ['"', 1],
    ['"a', 2],
    ['"a\\"', 4],
    ['"a" ', 3],
    ['"a"b', 3],
    ['"a""b"', 3],
    ['"a\tb"', 2],
    ['"a\x7f"', 2],
    [String.raw`"\0"`, 1],
    [String.raw`"\/"`, 1],
    [String.raw`"\'"`, 1],
    [String.raw`"\e"`, 1],
    [String.raw`"\x4"`, 1],
    [String.raw`"\x41"`, 1],
    [String.raw`"\xff"`, 1],
    [String.raw`"\x0a"`, 1],
    [String.raw`"\u00a"`, 1],
    [String.raw`"\u0041"`, 1],
    [String.raw`"\ud83d\ude00"`, 1],
    [String.raw`"\U0000d83d"`, 1],
    [String.raw`"\U00110000"`, 1],
    [String.raw`"\U0001f6"`, 1],
    ['"\\', 1],
  ])('%j is refused at %i', (text, at) => {
    expect(unquoteGo(text)).toMatchObject({ ok: false, at });
  });
});

const codesOf = (text: string): string[] =>
  readAnnotations(text).issues.map(({ line, column, code }) => `${String(line)}:${String(column)} ${code}`);

describe('the Downward API file', () => {
  it('gives our annotations and skips those of other tools', () => {
    const text = [
      String.raw`firsthand.dev/data="internal"`,
      String.raw`firsthand.dev/owner="team-shop"`,
      String.raw`firsthand.dev/scopes="GET /a a\n"`,
      String.raw`kubernetes.io/config.seen="2026-11-01T00:00:00Z"`,
      String.raw`plain="x=\"y\""`,
    ].join('\n');
    const { annotations, issues } = readAnnotations(text);
    expect(issues).toEqual([]);
    expect([...annotations]).toEqual([
      ['firsthand.dev/data', 'internal'],
      ['firsthand.dev/owner', 'team-shop'],
      ['firsthand.dev/scopes', 'GET /a a\n'],
    ]);
    expect(readAnnotations(`${text}\n`)).toEqual(readAnnotations(text));
  });

  it('may say shadow only where the operator lets owners', () => {
    const text = 'plain="x"\nfirsthand.dev/mode="shadow"';
    expect(readAnnotations(text, ['workload', 'shadow']).issues).toEqual([]);
    expect(readAnnotations('firsthand.dev/mode="enforce"', ['workload']).issues).toEqual([]);
    const [issue] = readAnnotations(text, ['workload']).issues;
    expect(issue).toMatchObject({ line: 2, column: 1, code: 'right_missing' });
    expect(issue?.hint).toBe('the operator must add shadow to policy.ownersMay');
  });

  it('may be empty', () => {
    for (const text of ['', '\n', 'firsthand.dev/data=""']) expect(readAnnotations(text).issues).toEqual([]);
  });

  it.each([
    ['firsthand.dev/scope="x"', '1:1 annotation_unknown'],
    ['Firsthand.dev/Scopes="x"', '1:1 annotation_unknown'],
    ['firsthand.dev/mode="off"', '1:1 annotation_value'],
    ['firsthand.dev/mode="Shadow"', '1:1 annotation_value'],
    ['firsthand.dev/data="secret"', '1:1 annotation_value'],
    ['firsthand.dev/data="internal\\n"', '1:1 annotation_value'],
    ['firsthand.dev/owner="a"\nfirsthand.dev/owner="a"', '2:1 annotation_duplicate'],
    ['a="1"\na="2"', '2:1 annotation_duplicate'],
    ['firsthand.dev/owner', '1:1 annotation_syntax'],
    [' firsthand.dev/owner="a"', '1:1 annotation_syntax'],
    ['="a"', '1:1 annotation_syntax'],
    ['a="1"\n\nb="2"', '2:1 annotation_syntax'],
    ['a="1"\n\n', '2:1 annotation_syntax'],
    ['a=1', '1:3 annotation_syntax'],
    ['a="1', '1:5 annotation_syntax'],
    ['a="1" ', '1:6 annotation_syntax'],
    ['a="1"\r\nb="2"', '1:6 annotation_syntax'],
    ['other.dev/x="\\q"', '1:14 annotation_syntax'],
  ])('%j is refused', (text, place) => {
    expect(codesOf(text)).toEqual([place]);
  });

  it('hints at the nearest known annotation', () => {
    expect(readAnnotations('firsthand.dev/scope="x"').issues[0]?.hint).toBe('did you mean firsthand.dev/scopes?');
  });
});
