import { matchesId, parseIdPattern } from '../../model/patterns.js';
import type { Line } from '../../model/policy.js';
import { quoted } from '../../policy/issue.js';
import { remark } from '../finding.js';
import type { Remark } from '../finding.js';
import { conditionItems } from '../sheet.js';
import type { Analysis, Item, Operator, Sheet } from '../sheet.js';
import { OUTSIDE } from './domains.js';

/**
 * `forwarder_unmatched`: patterns of via= and outside@ that match no listed forwarder. Whatever they match is an origin, so
 * that they never count. A pattern of an unknown trust domain is left to domains.ts.
 */
export const checkForwarders: Analysis = (sheet) => {
  const { operator } = sheet;
  return operator === undefined
    ? []
    : sheet.lines.flatMap((line) => patterns(sheet, line).flatMap((item) => unmatched(item, operator)));
};

function patterns(sheet: Sheet, line: Line): Item[] {
  const outside = conditionItems(sheet, line, 'from')
    .filter(({ text }) => text.startsWith(OUTSIDE))
    .map((item) => ({ ...item, text: item.text.slice(OUTSIDE.length), column: item.column + OUTSIDE.length }));
  return [...outside, ...conditionItems(sheet, line, 'via').filter(({ text }) => text !== 'direct')];
}

function unmatched(item: Item, { settings, own }: Operator): Remark[] {
  const pattern = parseIdPattern(item.text);
  if (typeof pattern === 'string') return [];
  const { domain } = pattern;
  // A relative pattern is compared with whoever is guarded: not known here.
  if (domain.kind === 'own' && own === undefined) return [];
  if (domain.kind === 'literal' && !settings.trust.has(domain.name)) return [];
  const listed = [...settings.origin.forwarders.keys()];
  if (listed.some((id) => matchesId(pattern, id, own))) return [];
  const hint =
    listed.length === 0
      ? 'origin.forwarders is empty: the operator must list the proxy there'
      : `origin.forwarders has ${listed.slice(0, 4).join(', ')}`;
  return [remark(item, 'error', 'forwarder_unmatched', `${quoted(item.text)} matches no listed forwarder`, hint)];
}
