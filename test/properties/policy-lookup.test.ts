import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldAscii } from '../../src/model/path.js';
import type { Line, PathPattern, Policy } from '../../src/model/policy.js';
import { compilePolicy } from '../../src/policy/compile.js';
import { comparePaths } from '../../src/policy/overlap.js';
import { readPathPattern } from '../../src/policy/target.js';

/** The grammar's "which line", read naively: every line is looked at, and the first by rank wins. */
const STAR = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
type Fold = (text: string) => string;
const asIs: Fold = (text) => text;

function pathMatches({ segments, rest }: PathPattern, path: readonly string[], fold: Fold): boolean {
  if (rest ? path.length < segments.length : path.length !== segments.length) return false;
  return segments.every((segment, index) => segment.kind === 'any' || fold(segment.text) === fold(path[index] ?? ''));
}

function methodMatches({ methods }: Line, method: string): boolean {
  if (methods.kind === 'grpc') return true;
  return methods.kind === 'star' ? STAR.includes(method) : methods.names.includes(method);
}

const rankOf = ({ segments, rest }: PathPattern): string =>
  segments.map(({ kind }) => (kind === 'literal' ? '1' : '2')).join('') + (rest ? '3' : '0');

function naive(lines: readonly Line[], method: string, path: readonly string[], fold: Fold) {
  const all = lines.filter((line) => methodMatches(line, method) && pathMatches(line.path, path, fold));
  const least = all.map(({ path: pattern }) => rankOf(pattern)).sort()[0];
  const first = all.filter((line) => rankOf(line.path) === least);
  const named = first.filter(({ methods }) => methods.kind !== 'star');
  return { all, best: named.length > 0 ? named : first };
}

function naiveRoute(policy: Policy, method: string, path: readonly string[]) {
  const line = naive(policy.lines, method, path, asIs).best;
  const guardrails = naive(policy.guardrails, method, path, asIs).all;
  const foldedLine = naive(policy.lines, method, path, foldAscii).best;
  const foldedGuardrails = naive(policy.guardrails, method, path, foldAscii).all;
  const same = (a: readonly Line[], b: readonly Line[]): boolean =>
    a.length === b.length && a.every((x) => b.includes(x));
  return { line, guardrails, ambiguous: !same(line, foldedLine) || !same(guardrails, foldedGuardrails) };
}

const word = fc.constantFrom('a', 'A', 'b', 'B', 'aB', 'ab', 'c');
const pathText = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: word }, { weight: 2, arbitrary: fc.constant('{}') }), { maxLength: 4 }),
    fc.boolean(),
  )
  .map(
    ([words, rest]) =>
      `/${[...words.map((text, index) => (text === '{}' ? `{p${String(index)}}` : text)), ...(rest ? ['**'] : [])].join('/')}`,
  );
const methodWord = fc.constantFrom('GET', 'POST', 'GET,POST', 'PROPFIND', '*', '*');
const service = fc.tuple(word, fc.oneof(word, fc.constant('*'))).map((parts) => `GRPC ${parts.join('/')}`);
const scopeLine = fc
  .oneof(
    { weight: 5, arbitrary: fc.tuple(methodWord, pathText).map((parts) => parts.join(' ')) },
    { weight: 1, arbitrary: service },
  )
  .map((text) => `${text} token`);
const request = fc.tuple(fc.constantFrom('GET', 'POST', 'PUT', 'PROPFIND', 'TRACE'), fc.array(word, { maxLength: 5 }));

/** A policy of random lines, without those that overlap with an earlier one. */
function policyOf(lines: readonly string[], guardrails: readonly string[]): Policy {
  const options = { guardrails: guardrails.join('\n'), ownersMay: [] };
  const result = compilePolicy({ kind: 'scopes', text: lines.join('\n') }, options);
  if (result.ok) return result.policy;
  expect(result.issues.every(({ code }) => code === 'overlap')).toBe(true);
  const wrong = new Set(result.issues.map(({ line }) => line));
  return policyOf(
    lines.filter((_, index) => !wrong.has(index + 1)),
    guardrails,
  );
}

describe('the lookup', () => {
  it('finds what a linear reading of the grammar finds, in every case', () => {
    const policies = fc.tuple(fc.array(scopeLine, { maxLength: 14 }), fc.array(scopeLine, { maxLength: 5 }));
    fc.assert(
      fc.property(policies, fc.array(request, { minLength: 1, maxLength: 12 }), ([lines, guardrails], requests) => {
        const policy = policyOf(lines, guardrails);
        for (const [method, path] of requests) {
          const expected = naiveRoute(policy, method, path);
          const route = policy.route(method, path);
          // What was compiled has no ties.
          expect(expected.line.length).toBeLessThanOrEqual(1);
          expect(route.line).toBe(expected.line[0]);
          expect(route.guardrails).toEqual(expected.guardrails);
          expect(route.ambiguous).toBe(expected.ambiguous);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('comparePaths', () => {
  const paths = allPaths(['a', 'b', 'z'], 4);
  const small = fc
    .tuple(fc.array(fc.constantFrom('a', 'b', '{}'), { maxLength: 3 }), fc.boolean())
    .map(
      ([words, rest]) =>
        `/${[...words.map((text, index) => (text === '{}' ? `{p${String(index)}}` : text)), ...(rest ? ['**'] : [])].join('/')}`,
    );

  it('agrees with trying every path', () => {
    fc.assert(
      fc.property(small, small, (first, second) => {
        const [a, b] = [patternOf(first), patternOf(second)];
        const meets = paths.some((path) => pathMatches(a, path, asIs) && pathMatches(b, path, asIs));
        const order = rankOf(a) === rankOf(b) ? 'tie' : rankOf(a) < rankOf(b) ? 'first' : 'second';
        expect(comparePaths(a, b)).toBe(meets ? order : 'disjoint');
      }),
      { numRuns: 2000 },
    );
  });

  function patternOf(text: string): PathPattern {
    const reading = readPathPattern(text);
    if (!reading.ok) throw new Error(text);
    return reading.value;
  }
});

function allPaths(words: readonly string[], depth: number): string[][] {
  if (depth === 0) return [[]];
  const shorter = allPaths(words, depth - 1);
  return [[], ...shorter.flatMap((path) => words.map((word) => [word, ...path]))];
}
