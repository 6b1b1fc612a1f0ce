/** Results of `firsthand test` → text for a person, or one JSON document. Names come from files: they stay on one line. */
import { oneLine } from '../config/words.js';
import type { Line } from '../model/policy.js';
import { neverAllowed, neverDenied } from '../workbench/run-cases.js';
import type { CaseResult, LineCoverage } from '../workbench/run-cases.js';

export const passed = ({ differences }: CaseResult): boolean => differences.length === 0;

export function textReport(results: readonly CaseResult[], coverage: readonly LineCoverage[]): string {
  const failed = results.filter((result) => !passed(result)).length;
  const sum = `${results.length - failed} passed, ${failed} failed`;
  return [...results.map(caseLine), '', ...coverageLines(coverage), sum, ''].join('\n');
}

function caseLine(result: CaseResult): string {
  const { name } = result.test;
  const keys = result.keys === 'configured' ? ' (a capture: judged with the configured keys and bundles)' : '';
  if (passed(result)) return oneLine(`pass  ${name}${keys}`);
  const { differences, hint } = result;
  const wrong = differences.map(({ what, expected, got }) => `${what} is ${got}, expected ${expected}`).join('; ');
  return oneLine(
    `fail  ${placeOf(result)}: ${name}: ${wrong}${because(result)}${hint === undefined ? '' : ` (${hint})`}${keys}`,
  );
}

const placeOf = ({ test: { file, at } }: CaseResult): string => `${file}:${at.line}:${at.column}`;

/** The reason, where nothing else has named it. */
const because = ({ differences, reason }: CaseResult): string =>
  differences.some(({ what }) => what === 'reason') ? '' : `: ${reason}`;

function coverageLines(coverage: readonly LineCoverage[]): string[] {
  const untried = coverage.flatMap((each) => [
    ...(neverAllowed(each) ? [`  ${lineName(each.line)}: no case is allowed`] : []),
    ...(neverDenied(each) ? [`  ${lineName(each.line)}: no case is denied`] : []),
  ]);
  if (coverage.length === 0) return ['the policy has no lines'];
  if (untried.length === 0) return [`all ${coverage.length} lines were tried both ways`];
  return ['not tried:', ...untried];
}

function lineName({ number, methods, path }: Line): string {
  switch (methods.kind) {
    case 'star':
      return `line ${number} (* ${path.text})`;
    case 'grpc':
      return `line ${number} (GRPC ${path.text})`;
    case 'named':
      return `line ${number} (${methods.names.join()} ${path.text})`;
  }
}

export function jsonReport(results: readonly CaseResult[], coverage: readonly LineCoverage[]): object {
  const failed = results.filter((result) => !passed(result)).length;
  return {
    passed: results.length - failed,
    failed,
    cases: results.map((result) => ({
      name: result.test.name,
      file: result.test.file,
      line: result.test.at.line,
      column: result.test.at.column,
      passed: passed(result),
      keys: result.keys,
      decision: result.decision,
      reason: result.reason,
      rule: result.rule ?? null,
      hint: result.hint ?? null,
      differences: result.differences,
    })),
    lines: coverage.map(({ line, allowed, denied }) => ({
      line: line.number,
      name: lineName(line),
      allowed,
      denied,
      neverAllowed: neverAllowed({ line, allowed, denied }),
      neverDenied: neverDenied({ line, allowed, denied }),
    })),
  };
}
