import type { Line } from '../../model/policy.js';
import { remark } from '../finding.js';
import { freshSegment, methodsOf, samplePaths } from '../requests.js';
import { wordOf } from '../sheet.js';
import type { Analysis, Sheet } from '../sheet.js';

/**
 * `options_missing`: browsers ask with OPTIONS, without a token, before they call across origins (Fetch, CORS preflight).
 * A guess, and therefore an info: routes that let outside in, and the other routes of an annotation that has OPTIONS
 * lines at all.
 */
export const checkOptions: Analysis = (sheet) => {
  const fresh = freshSegment(sheet.lines);
  const knowsOptions = sheet.lines.some(({ methods }) => methods.kind === 'named' && methods.names.includes('OPTIONS'));
  return sheet.lines
    .filter((line) => isForBrowsers(line, knowsOptions) && !hasOptions(sheet, line, fresh))
    .map((line) =>
      remark(
        wordOf(sheet, line, 'path'),
        'info',
        'options_missing',
        'no line takes OPTIONS for this path: the preflight of a browser would be refused as route_undeclared',
        'if browsers call it, add: OPTIONS with this path and anyone',
      ),
    );
};

function isForBrowsers({ methods, scopes, conditions }: Line, knowsOptions: boolean): boolean {
  if (methods.kind === 'grpc' || scopes.kind === 'anyone' || scopes.kind === 'workload') return false;
  return (conditions.from?.outside.length ?? 0) > 0 || (knowsOptions && methodsOf(methods).length > 0);
}

function hasOptions(sheet: Sheet, line: Line, fresh: string): boolean {
  for (const segments of samplePaths(line.path, sheet.lines, fresh))
    if (sheet.route('OPTIONS', segments).line !== undefined) return true;
  return false;
}
