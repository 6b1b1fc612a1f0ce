/** Where the grammar's limits lie exactly: the last text that is right beside the first that is wrong, and in which order issues are told. */
import { describe, expect, it } from 'vitest';
import { instantAt } from '../../src/model/instant.js';
import { readAnnotations } from '../../src/policy/annotations.js';
import { compilePolicy } from '../../src/policy/compile.js';
import { decide } from '../../src/policy/decide.js';
import { parseLines } from '../../src/policy/grammar.js';
import { quoted } from '../../src/policy/issue.js';
import { unquoteGo } from '../../src/policy/unquote.js';
import { compiled, issuesOf, NOW, questionOf } from './facts.js';

const issuesIn = (text: string) => parseLines(text, { rights: 'all' }).issues;
const onlyIssue = (text: string) => {
  const issues = issuesIn(text);
  expect(issues).toHaveLength(1);
  return issues[0];
};
const places = (issues: readonly { line: number; column: number }[]): string[] =>
  issues.map(({ line, column }) => `${String(line)}:${String(column)}`);

describe('Go escapes', () => {
  it.each([
    ['\\x1f', '\x1f'],
    ['\\x00', '\x00'],
    ['\\x7f', '\x7f'],
    ['\\u0080', '\u0080'],
    ['\\ud7ff', '\ud7ff'],
    ['\\ue000', '\ue000'],
    ['\\uffff', '\uffff'],
    ['\\U00010000', '\u{10000}'],
    ['\\U0010ffff', '\u{10ffff}'],
  ])('%s is how Go writes that character', (escape, value) => {
    expect(unquoteGo(`"${escape}"`)).toEqual({ ok: true, value });
  });

  it.each(['\\x20', '\\x21', '\\x7e', '\\x80', '\\x0a', '\\u007f', '\\u001f', '\\ud800', '\\udbff', '\\udfff'])(
    '%s is not, because Go writes it otherwise or it is no character',
    (escape) => expect(unquoteGo(`"${escape}"`)).toMatchObject({ ok: false, at: 1 }),
  );

  it.each(['\\U0000ffff', '\\U0000d800', '\\U00110000', '\\Uffffffff'])('nor is %s', (escape) => {
    expect(unquoteGo(`"${escape}"`)).toMatchObject({ ok: false, at: 1 });
  });
});

describe('the file of annotations', () => {
  const filled = (bytes: number): string => {
    const line = 'note="';
    return `${line}${'x'.repeat(bytes - line.length - 1)}"`;
  };

  it('has at most 2 MiB, and not one byte more', () => {
    expect(readAnnotations(filled(2 * 1024 * 1024)).issues).toEqual([]);
    expect(readAnnotations(`${filled(2 * 1024 * 1024)}\n`).issues).toEqual([]);
    expect(readAnnotations(filled(2 * 1024 * 1024 + 1)).issues).toMatchObject([{ code: 'limit' }]);
  });

  it.each(['firsthand.dev/scopes x="GET / token"', 'firsthand.dev/scopes ="x"', 'firsthand.dev/scopes', 'abc', ''])(
    'has no line such as %j',
    (line) => {
      const { annotations, issues } = readAnnotations(`note="x"\n${line}\nmore="y"`);
      expect(issues).toMatchObject([{ line: 2, column: 1, code: 'annotation_syntax' }]);
      expect(issues[0]?.message).toContain('expected key="value" as the Downward API writes it');
      expect(annotations.size).toBe(0);
    },
  );

  it('tells its issues in the order of its lines', () => {
    const lines = ['b', 'firsthand.dev/x="1"', 'c', 'd="', 'firsthand.dev/y="1"', 'e="\\q"'];
    expect(readAnnotations(lines.join('\n')).issues.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('names what is known where a key resembles none of it', () => {
    const { issues } = readAnnotations('firsthand.dev/zzzzzzzz="1"');
    expect(issues[0]?.hint).toBe(
      'known are firsthand.dev/scopes, firsthand.dev/owner, firsthand.dev/data, firsthand.dev/mode',
    );
  });
});

describe('issues', () => {
  it('come by line, then by column, whichever step found them', () => {
    const text =
      'GET /a token bogus\nGET /b token\nGET /b token nonsense\nGET /c to\u00a0ken\nGET /d token fresh fresh bogus';
    expect(places(issuesIn(text))).toEqual(['1:14', '3:14', '4:10', '5:20', '5:26']);
    expect(places(issuesOf(text.replace(' nonsense', '')))).toEqual(['1:14', '3:1', '4:10', '5:20', '5:26']);
    expect(places(issuesOf('GET /a token\nGET /a token\nGET /b token bogus'))).toEqual(['2:1', '3:14']);
    expect(places(issuesIn('GET /a token bogus\nGET /b token "'))).toEqual(['1:14', '2:14']);
  });

  it('tell a strange character as such also where it ends the line', () => {
    expect(onlyIssue('GET /a token\u00a0')).toMatchObject({ code: 'character', column: 13 });
    expect(onlyIssue('GET /a token # ok\r')).toMatchObject({ code: 'character', column: 18 });
    expect(onlyIssue('GET /a token\r x')?.message).toContain('expected LF or CRLF');
    expect(onlyIssue('GET /a token \u200b')?.message).toContain('expected visible characters');
  });

  it('say one thing about a line whose method is none', () => {
    expect(onlyIssue('FETCH shop.v1.Cart/Add token')).toMatchObject({ code: 'method', column: 1 });
    expect(places(issuesIn('FETCH /a//b token'))).toEqual(['1:1', '1:7']);
  });

  it('repeat 60 characters of a stranger’s word, and not one more', () => {
    expect(quoted('x'.repeat(60))).toBe(`"${'x'.repeat(60)}"`);
    expect(quoted('x'.repeat(61))).toBe(`"${'x'.repeat(60)}…"`);
  });
});

describe('hints', () => {
  it.each([
    ['host=https://orders.example', 'write the host without a scheme'],
    ['host=*.example', 'hosts are literal: list each one'],
    ['host=orders.example:443', 'write the host without a port'],
    ['host=Orders.example', 'write the host in lower case'],
    ['host=orders..example', 'for example host=orders.example'],
    ['data=publik', 'did you mean public?'],
    ['data=zzzzzzzz', 'one of public, internal, confidential, restricted'],
    ['from=', 'for example ns/shop/sa/* or spiffe://prod.example/**'],
  ])('for %s: %s', (condition, hint) => {
    expect(onlyIssue(`GET /a token ${condition}`)?.hint).toBe(hint);
  });

  it('say what is wrong with an empty pattern', () => {
    expect(onlyIssue('GET /a token from=')?.message).toBe('expected a pattern on SPIFFE IDs, got nothing');
  });

  it('tell a lone "*" from one inside of a segment', () => {
    expect(onlyIssue('GET /a/* token')?.message).toBe('"*" is no segment of a path');
    expect(onlyIssue('GET /a/b* token')?.message).toContain('expected a literal or {name}');
  });

  it('encode a path for its author as long as that stays short', () => {
    expect(onlyIssue(`GET /aa${'é'.repeat(33)} token`)?.hint).toBe(`percent-encode it: aa${'%C3%A9'.repeat(33)}`);
    expect(onlyIssue(`GET /aaa${'é'.repeat(33)} token`)?.hint).toBe('percent-encode it');
  });

  it('name the forwarders in the order of the line', () => {
    const policy = compiled('GET /x token via=ns/a/sa/b,ns/c/sa/d');
    const verdict = decide(
      questionOf(policy),
      () => null,
      () => null,
      instantAt(NOW),
    );
    expect(verdict).toMatchObject({
      refusal: { reason: 'via_mismatch', hint: expect.stringContaining('via=ns/a/sa/b,ns/c/sa/d') as string },
    });
  });

  it('fall back to the reason where a guardrail has nothing else to say', () => {
    const policy = compiled('GET /x anyone', { guardrails: 'GET /x token' });
    const question = { ...questionOf(policy), origin: undefined, credential: undefined };
    const verdict = decide(
      question,
      () => null,
      () => null,
      instantAt(NOW),
    );
    expect(verdict).toMatchObject({ refusal: { reason: 'guardrail', hint: 'policy.guardrails: origin_unresolved' } });
  });
});

describe('the condition age', () => {
  it('is a number and one unit, and nothing behind it', () => {
    for (const age of ['5mm', '5m5', '5', 'm', '5 m', '0s'])
      expect(issuesIn(`GET /a token age<=${age}`).length).toBeGreaterThan(0);
    expect(issuesIn('GET /a token age<=5m')).toEqual([]);
  });
});

describe('the revision', () => {
  const revision = (...ownersMay: ('workload' | 'anyone' | 'shadow')[]): string => {
    const result = compilePolicy({ kind: 'scopes', text: 'GET /a token' }, { guardrails: '', ownersMay });
    return result.ok ? result.policy.revision : 'wrong';
  };

  it('depends on what owners may write, and not on the order in which that is listed', () => {
    expect(revision('workload', 'anyone')).toBe(revision('anyone', 'workload'));
    expect(new Set([revision(), revision('workload'), revision('anyone'), revision('workload', 'anyone')]).size).toBe(
      4,
    );
  });
});
