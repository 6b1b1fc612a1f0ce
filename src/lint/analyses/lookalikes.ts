import { nearest } from '../../model/nearest.js';
import { parseIdPattern } from '../../model/patterns.js';
import type { Line } from '../../model/policy.js';
import { quoted } from '../../policy/issue.js';
import { remark } from '../finding.js';
import type { Remark } from '../finding.js';
import { conditionItems, pathItems, scopeItems } from '../sheet.js';
import type { Analysis, Item, Sheet } from '../sheet.js';
import { OUTSIDE } from './domains.js';

/**
 * `lookalike`: a word that is right by the grammar and means something else in another tool, so that its line surely does
 * not say what its author believes. Variables of other routers, lists of scopes, names of everybody, identities cut short.
 */
export const checkLookalikes: Analysis = (sheet) =>
  sheet.lines.flatMap((line) => [
    ...(line.methods.kind === 'grpc' ? [] : pathItems(sheet, line).flatMap(variable)),
    ...scopeItems(sheet, line).flatMap((item) => scope(item, line)),
    ...identities(sheet, line).flatMap(identity),
  ]);

const warn = (item: Item, message: string, hint: string): Remark => remark(item, 'warning', 'lookalike', message, hint);

/** `:id`, `<id>`, `<int:id>`, `[id]`, `$id` */
const VARIABLE = /^(?::|\$|<(?:\w+:)?|\[)(\w+)[>\]]?$/;

function variable(item: Item): Remark[] {
  const name = VARIABLE.exec(item.text)?.[1];
  if (name === undefined) return [];
  return [warn(item, `${quoted(item.text)} is a literal segment here, no variable`, `write {${name}}`)];
}

const KEYWORDS = ['token', 'workload', 'anyone'] as const;
/** What other tools call everybody, or nobody. */
const EVERYBODY = new Set(['any', 'all', 'none', 'public', 'authenticated', 'anonymous', '*', '-']);

function scope(item: Item, { scopes }: Line): Remark[] {
  if (scopes.kind !== 'all' && scopes.kind !== 'any') return [];
  const { text } = item;
  const [first = '', ...more] = text.split(',').filter((part) => part !== '');
  if (text.includes(','))
    return [
      warn(
        item,
        `the comma is a part of the scope ${quoted(text)}`,
        more.length === 0
          ? `write ${first}`
          : `all of them: ${[first, ...more].join('+')}, any of them: ${[first, ...more].join('|')}`,
      ),
    ];
  if (text.includes('='))
    return [
      warn(
        item,
        `${quoted(text)} is the name of a scope here, no condition`,
        'scopes stand third, conditions after them',
      ),
    ];
  if (EVERYBODY.has(text.toLowerCase()))
    return [
      warn(
        item,
        `${quoted(text)} is the name of a scope here`,
        'token: any valid token; workload: no token; anyone: nobody is looked at',
      ),
    ];
  const near = /^[a-z]+$/i.test(text) ? nearest(text, KEYWORDS) : undefined;
  if (near === undefined || Math.abs(near.length - text.length) > 2) return [];
  return [warn(item, `${quoted(text)} is the name of a scope here`, `did you mean ${near}?`)];
}

function identities(sheet: Sheet, line: Line): Item[] {
  const items = [...conditionItems(sheet, line, 'from'), ...conditionItems(sheet, line, 'via')];
  return items
    .map((item) => ({ ...item, text: item.text.startsWith(OUTSIDE) ? item.text.slice(OUTSIDE.length) : item.text }))
    .filter(({ text }) => text !== 'direct');
}

/** SPIRE and Istio name a workload `ns/NAMESPACE/sa/ACCOUNT`; a shorter pattern without a rest matches none of theirs. */
function identity(item: Item): Remark[] {
  const pattern = parseIdPattern(item.text);
  if (typeof pattern === 'string' || pattern.rest) return [];
  const { segments } = pattern;
  const [first = '', namespace] = segments;
  if (segments.length === 1 && !item.text.includes('/'))
    // SPIRE can be told to issue such a name.
    return [
      remark(
        item,
        'info',
        'lookalike',
        `${quoted(item.text)} is a whole identity here; in Kubernetes workloads have longer ones`,
        `a service account is ns/NAMESPACE/sa/${first}`,
      ),
    ];
  if (first !== 'ns' || segments.length > 3) return [];
  const message = `${quoted(item.text)} matches no identity that ends with sa/ACCOUNT`;
  return [warn(item, message, `every account of the namespace: ns/${namespace ?? 'NAMESPACE'}/sa/*`)];
}
