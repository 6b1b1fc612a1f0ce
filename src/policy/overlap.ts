import type { Line, Methods, PathPattern, PolicyIssue } from '../model/policy.js';
import { issueAt } from './issue.js';
import { STAR_METHODS } from './methods.js';

/**
 * Lines between which an author's intention can not be known: two that tie, and a `*` line that wins over one that names
 * the method. In: lines that are right by themselves. Out: one issue for each line that collides with an earlier one.
 * Compares all pairs: at most 1,000 lines, whose segments fit 64 KiB together.
 */
export function findOverlaps(lines: readonly Line[]): PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  lines.forEach((line, index) => {
    const earlier = lines.slice(0, index).find((other) => collide(other, line));
    if (earlier !== undefined) issues.push(overlapIssue(line, earlier));
  });
  return issues;
}

function collide(a: Line, b: Line): boolean {
  const winner = comparePaths(a.path, b.path);
  if (winner === 'disjoint') return false;
  const starA = a.methods.kind === 'star';
  const starB = b.methods.kind === 'star';
  if (starA && starB) return winner === 'tie';
  if (starA) return winner === 'first' && namesOneOfStar(b.methods);
  if (starB) return winner === 'second' && namesOneOfStar(a.methods);
  return winner === 'tie' && shareMethod(a.methods, b.methods);
}

/** A GRPC line counts as naming every method. */
const namesOneOfStar = (methods: Methods): boolean =>
  methods.kind === 'named' ? methods.names.some((name) => STAR_METHODS.has(name)) : methods.kind === 'grpc';

const shareMethod = (a: Methods, b: Methods): boolean =>
  a.kind !== 'named' || b.kind !== 'named' || a.names.some((name) => b.names.includes(name));

/**
 * Whether some path matches both patterns, and which one then comes first: literal before `{name}` before `**`, from the
 * left; an end before `**` that matches nothing. Kept equal to the lookup by test/properties/policy-lookup.test.ts.
 */
export function comparePaths(a: PathPattern, b: PathPattern): 'disjoint' | 'first' | 'second' | 'tie' {
  let winner: 'first' | 'second' | undefined;
  for (let index = 0; ; index += 1) {
    const left = a.segments[index];
    const right = b.segments[index];
    if (left === undefined && right === undefined)
      return winner ?? (a.rest === b.rest ? 'tie' : a.rest ? 'second' : 'first');
    if (left === undefined) return a.rest ? (winner ?? 'second') : 'disjoint';
    if (right === undefined) return b.rest ? (winner ?? 'first') : 'disjoint';
    if (left.kind === 'literal' && right.kind === 'literal') {
      if (left.text !== right.text) return 'disjoint';
    } else if (left.kind !== right.kind) winner ??= left.kind === 'literal' ? 'first' : 'second';
  }
}

function overlapIssue(line: Line, earlier: Line): PolicyIssue {
  const tie = comparePaths(earlier.path, line.path) === 'tie';
  const message = tie
    ? `line ${String(line.number)} and line ${String(earlier.number)} match the same requests`
    : `between line ${String(line.number)} and line ${String(earlier.number)} the one with "*" would win over the one that names the method`;
  const hint = tie
    ? 'join them into one line'
    : 'name the methods in the line with "*", or make its path less specific';
  return issueAt(line.number, 1, { code: 'overlap', message, hint });
}
