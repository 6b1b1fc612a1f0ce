import type { Line } from '../../model/policy.js';
import { comparePaths } from '../../policy/overlap.js';
import { satisfiesScopes } from '../demands.js';
import { remark } from '../finding.js';
import type { Remark } from '../finding.js';
import { freshSegment, holds, intersect, methodsOf, samplePaths, takes } from '../requests.js';
import { wordOf } from '../sheet.js';
import type { Analysis, Operator, Sheet } from '../sheet.js';
import { grants } from './grants.js';

/** For each line; more of them would say nothing new. */
const SHOWN = 3;

/**
 * `scope_above_guardrail`: a guardrail asks for a token or scopes that the owner's line does not ask for, so that whom the
 * line lets in the guardrail refuses. Where the guardrail covers some of the line's requests only, it is an info.
 */
export const checkGuardrailsAbove: Analysis = (sheet) => {
  const { operator } = sheet;
  if (operator === undefined) return [];
  const fresh = freshSegment([...sheet.lines, ...operator.guardrails]);
  return sheet.lines.flatMap((line) => {
    const found = operator.guardrails.flatMap((guardrail) => compare(sheet, operator, line, guardrail, fresh));
    const counting = found.filter(({ severity }) => severity !== 'info');
    return (counting.length > 0 ? counting : found).slice(0, SHOWN);
  });
};

function compare(sheet: Sheet, operator: Operator, line: Line, guardrail: Line, fresh: string): Remark[] {
  if (satisfiesScopes(line.scopes, guardrail.scopes) || !decidesUnder(sheet, line, guardrail, fresh)) return [];
  const at = wordOf(sheet, line, 'scopes');
  const all =
    holds(guardrail.path, line.path) && methodsOf(line.methods).every((each) => takes(guardrail.methods, each));
  const asked = `${all ? '' : 'for some of these requests '}policy.guardrails line ${guardrail.number} asks for ${scopesText(guardrail)}`;
  if (excludeEachOther(operator, line, guardrail)) {
    const message = `${asked}, and no issuer can give that together with what this line asks for: nobody gets in`;
    const hint = 'ask the operator about the guardrail, or about tokens[].grants';
    return [remark(at, all ? 'error' : 'warning', 'scope_above_guardrail', message, hint)];
  }
  const hint = `say so here: ${scopesText(guardrail)}`;
  return [remark(at, all ? 'warning' : 'info', 'scope_above_guardrail', `${asked} too`, hint)];
}

/** Whether some request that the line decides is matched by the guardrail. */
function decidesUnder(sheet: Sheet, line: Line, guardrail: Line, fresh: string): boolean {
  if (comparePaths(line.path, guardrail.path) === 'disjoint') return false;
  const methods = methodsOf(line.methods).filter((each) => takes(guardrail.methods, each));
  const both = intersect(line.path, guardrail.path);
  for (const segments of samplePaths(both, [...sheet.lines, guardrail], fresh))
    if (methods.some((method) => sheet.route(method, segments).line === line)) return true;
  return false;
}

/** No issuer gives all scopes of both; only provable where both want all of theirs. */
function excludeEachOther({ settings }: Operator, { scopes: a }: Line, { scopes: b }: Line): boolean {
  if (a.kind !== 'all' || b.kind !== 'all') return false;
  const both = [...a.scopes, ...b.scopes];
  return !settings.tokens.some((issuer) => both.every((scope) => grants(issuer, scope)));
}

function scopesText({ scopes }: Line): string {
  switch (scopes.kind) {
    case 'all':
      return scopes.scopes.join('+');
    case 'any':
      return scopes.scopes.join('|');
    case 'token':
    case 'workload':
    case 'anyone':
      return scopes.kind;
  }
}
