import type { Line } from '../../model/policy.js';
import { remark } from '../finding.js';
import { freshSegment, sampleRequests } from '../requests.js';
import { startOf } from '../sheet.js';
import type { Analysis, Sheet } from '../sheet.js';

/**
 * `unreachable`: for every request that a line matches, the guard's own lookup finds another line, or refuses the path
 * because a reader that ignores case would.
 */
export const checkReachable: Analysis = (sheet) => {
  const fresh = freshSegment(sheet.lines);
  return sheet.lines.flatMap((line) => {
    const others = othersThatWin(sheet, line, fresh);
    if (others === undefined) return [];
    const message = `no request can reach this line: ${others.why}`;
    return [remark(startOf(sheet, line), 'error', 'unreachable', message, others.hint)];
  });
};

interface Why {
  readonly why: string;
  readonly hint: string;
}

function othersThatWin(sheet: Sheet, line: Line, fresh: string): Why | undefined {
  const winners = new Set<number>();
  for (const { method, segments } of sampleRequests(line, sheet.lines, fresh)) {
    const route = sheet.route(method, segments);
    if (route.line === line && !route.ambiguous) return undefined;
    if (route.line !== undefined && route.line !== line) winners.add(route.line.number);
  }
  if (winners.size === 0) return ONLY_CASE;
  return { why: `${linesText([...winners])} always comes first`, hint: 'delete it, or change what comes first' };
}

const ONLY_CASE: Why = {
  why: 'another line or guardrail differs in upper and lower case only, so that the path is refused as path_ambiguous',
  hint: 'write the path in one case everywhere',
};

function linesText(numbers: readonly number[]): string {
  const shown = [...numbers].sort((a, b) => a - b).slice(0, 5);
  if (shown.length === 1) return `line ${String(shown[0])}`;
  return `one of lines ${shown.join(', ')}${numbers.length > shown.length ? ', …' : ''}`;
}
