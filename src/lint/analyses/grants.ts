import { matchesScope } from '../../model/patterns.js';
import type { Line } from '../../model/policy.js';
import type { IssuerSettings } from '../../model/settings.js';
import { looksAtToken } from '../../policy/demand.js';
import { quoted } from '../../policy/issue.js';
import { nearest } from '../../model/nearest.js';
import { remark } from '../finding.js';
import type { Remark } from '../finding.js';
import { scopeItems, wordOf } from '../sheet.js';
import type { Analysis, Sheet } from '../sheet.js';

/**
 * `scope_above_grant`, `issuer_missing`: what no token of a configured issuer can carry, because scopes are cut to the
 * issuer's grants. A token has one issuer, so that all of its scopes must come from the same one.
 */
export const checkGrants: Analysis = (sheet) => {
  const { operator } = sheet;
  if (operator === undefined) return [];
  const issuers = operator.settings.tokens;
  return sheet.lines.filter(looksAtToken).flatMap((line) => {
    if (issuers.length === 0) {
      const hint = 'the operator must add an issuer to tokens';
      return [
        remark(
          wordOf(sheet, line, 'scopes'),
          'error',
          'issuer_missing',
          'the line needs a token, but no issuer is configured',
          hint,
        ),
      ];
    }
    return ungranted(sheet, line, issuers);
  });
};

export const grants = ({ grants: patterns }: IssuerSettings, scope: string): boolean =>
  patterns.some((pattern) => matchesScope(pattern, scope));

function ungranted(sheet: Sheet, line: Line, issuers: readonly IssuerSettings[]): Remark[] {
  const items = scopeItems(sheet, line);
  if (line.scopes.kind !== 'all' && line.scopes.kind !== 'any') return [];
  const never = items.filter(({ text }) => !issuers.some((issuer) => grants(issuer, text)));
  const dead = line.scopes.kind === 'all' || never.length === items.length;
  if (never.length > 0)
    return never.map((item) => {
      const message = `no configured issuer can give ${quoted(item.text)}${dead ? ': the line never lets anyone in' : ''}`;
      return remark(item, dead ? 'error' : 'warning', 'scope_above_grant', message, hintFor(item.text, issuers));
    });
  if (line.scopes.kind === 'any' || issuers.some((issuer) => items.every(({ text }) => grants(issuer, text))))
    return [];
  const message =
    'no single issuer can give all of these scopes, and a token has one issuer: the line never lets anyone in';
  return [remark(wordOf(sheet, line, 'scopes'), 'error', 'scope_above_grant', message, 'compare with tokens[].grants')];
}

function hintFor(scope: string, issuers: readonly IssuerSettings[]): string {
  const patterns = [...new Set<string>(issuers.flatMap((issuer) => issuer.grants))];
  const near = nearest(
    scope,
    patterns.filter((pattern) => !pattern.endsWith('*')),
  );
  if (near !== undefined) return `did you mean ${near}?`;
  return patterns.length === 0 ? 'tokens[].grants is empty' : `tokens[].grants has ${patterns.slice(0, 6).join(', ')}`;
}
