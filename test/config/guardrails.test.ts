import { describe, expect, it, test } from 'vitest';
import type { PolicyIssue } from '../../src/model/policy.js';
import { load, unmark } from './load.js';

/** Finds fault with each `bad`: stands in for the parser of scope lines, which is another folder's. */
const faults = (text: string): PolicyIssue[] =>
  text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/bad/g)].map(({ index: at }) => ({
      line: index + 1,
      column: at + 1,
      code: 'syntax',
      message: 'expected good,\ngot bad',
      hint: 'be good',
    })),
  );

const config = (guardrails: string) =>
  `trust: { a: { bundle: b } }\npolicy:\n  scopes: a\n  guardrails: ${guardrails}\n`;

function placesOf(marked: string, env = {}): { expected: string[]; got: string[] } {
  const { text, places } = unmark(marked);
  const loaded = load(text, env, faults);
  return { expected: places, got: loaded.ok ? [] : loaded.issues.map(({ line, column }) => `${line}:${column}`) };
}

describe('issues of guardrails', () => {
  test.each([
    ['a block', config('|\n    GET /a ▸bad\n    GET /b token\n    ▸bad ▸bad')],
    ['a block with an indented line', config('|\n    GET /a token\n      ▸bad')],
    ['a block with empty lines before', config('|\n\n\n    GET ▸bad')],
    ['a block with a comment at its header', config('|- # the mesh\n    GET ▸bad')],
    ['a block with given indentation', config('|2\n      GET ▸bad')],
    ['text on one line', config('GET ▸bad')],
    ['text in quotes', config('"GET ▸bad"')],
    ['text in single quotes', config("'GET ▸bad'")],
    ['a block with an anchor', config('&lines |\n    GET ▸bad')],
  ])('stand at their exact place in %s', (_, marked) => {
    const { expected, got } = placesOf(marked);
    expect(got).toEqual(expected);
    expect(got.length).toBeGreaterThan(0);
  });

  test.each([
    ['a folded block', config('▸>\n    GET /a token\n    GET bad')],
    ['quotes with escapes', config('▸"GET\\tbad"')],
    ['quotes over two lines', config('▸"GET\n    bad"')],
  ])('stand at the beginning of %s', (_, marked) => {
    const { expected, got } = placesOf(marked);
    expect(got).toEqual(expected);
  });

  it('stand at the beginning of a line that the environment completed', () => {
    const { expected, got } = placesOf(config('|\n    GET /a token\n    ▸GET ${X}'), { X: 'bad' });
    expect(got).toEqual(expected);
  });

  it('stand at the block where the environment brought lines of its own', () => {
    const { expected, got } = placesOf(config('▸|\n    GET ${X}'), { X: 'a\nbad' });
    expect(got).toEqual(expected);
  });

  it('stand in the right line with CRLF', () => {
    const { expected, got } = placesOf(config('|\n    GET /a\n    GET ▸bad').replaceAll('\n', '\r\n'));
    expect(got).toEqual(expected);
  });

  it('carry message and hint on one line each', () => {
    const loaded = load(config('GET bad'), {}, faults);
    expect(loaded.ok ? [] : loaded.issues).toMatchObject([
      { message: 'policy.guardrails: expected good, got bad', hint: 'be good' },
    ]);
  });

  it('do not hide other issues, nor the other way round', () => {
    const { expected, got } = placesOf(`${config('|\n    GET ▸bad')}log: { level: ▸loud }\n`);
    expect(got).toEqual(expected);
  });

  it('are none for good lines, whose text stays as written', () => {
    const loaded = load(config('|\n    GET /a token\n    GET /b token'), {}, faults);
    expect(loaded.ok && loaded.settings.policy.guardrails).toBe('GET /a token\nGET /b token\n');
  });
});
