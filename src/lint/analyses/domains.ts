import { nearest } from '../../model/nearest.js';
import { parseIdPattern } from '../../model/patterns.js';
import type { Settings } from '../../model/settings.js';
import { quoted } from '../../policy/issue.js';
import { remark } from '../finding.js';
import type { Remark } from '../finding.js';
import { conditionItems } from '../sheet.js';
import type { Analysis, Item, Sheet } from '../sheet.js';
import type { Line } from '../../model/policy.js';

/**
 * `domain_unknown`, `environment_unknown`: names that the configuration does not have. A caller of another trust domain is
 * refused as peer_untrusted long before the line is looked at, so such a pattern matches nobody.
 */
export const checkDomains: Analysis = (sheet) => {
  const { operator } = sheet;
  if (operator === undefined) return [];
  return sheet.lines.flatMap((line) => [
    ...patternItems(sheet, line).flatMap((item) => domainRemark(item, operator.settings)),
    ...environments(sheet, line, operator.settings),
  ]);
};

/** from= and via=, without the words in front of a pattern. */
function patternItems(sheet: Sheet, line: Line): Item[] {
  const items = [...conditionItems(sheet, line, 'from'), ...conditionItems(sheet, line, 'via')];
  return items.map((item) =>
    item.text.startsWith(OUTSIDE)
      ? { ...item, text: item.text.slice(OUTSIDE.length), column: item.column + OUTSIDE.length }
      : item,
  );
}

export const OUTSIDE = 'outside@';

export function domainRemark(item: Item, settings: Settings): Remark[] {
  const pattern = parseIdPattern(item.text);
  if (typeof pattern === 'string' || pattern.domain.kind !== 'literal') return [];
  return unknownDomain(item, pattern.domain.name, settings);
}

export function unknownDomain(at: Item, name: string, { trust }: Settings): Remark[] {
  const known: readonly string[] = [...trust.keys()];
  if (known.includes(name)) return [];
  const near = nearest(name, known);
  const hint = near === undefined ? `configured are ${known.slice(0, 6).join(', ')}` : `did you mean ${near}?`;
  return [remark(at, 'error', 'domain_unknown', `the trust domain ${quoted(name)} is not configured in trust`, hint)];
}

function environments(sheet: Sheet, line: Line, { trust }: Settings): Remark[] {
  const known = [...new Set([...trust.values()].map(({ environment }) => environment))].filter((name) => name !== null);
  return conditionItems(sheet, line, 'env')
    .filter(({ text }) => !known.includes(text))
    .map((item) => {
      const near = nearest(item.text, known);
      const all =
        known.length === 0 ? 'no trust domain has an environment' : `configured are ${known.slice(0, 6).join(', ')}`;
      const message = `no trust domain is of the environment ${quoted(item.text)}`;
      return remark(item, 'error', 'environment_unknown', message, near === undefined ? all : `did you mean ${near}?`);
    });
}
