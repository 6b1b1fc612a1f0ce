import type { SpiffeId, TrustDomain } from '../../model/ids.js';
import { parseSpiffeId } from '../../model/ids.js';
import type { Line, Route } from '../../model/policy.js';
import { aboveCeiling, ceilingOver } from '../../policy/ceilings.js';
import type { Ceiling } from '../../policy/ceilings.js';
import { looksAtOrigin } from '../../policy/demand.js';
import { remark } from '../finding.js';
import type { Remark } from '../finding.js';
import { freshSegment, methodsOf, samplePaths } from '../requests.js';
import { conditionItems, startOf, wordOf } from '../sheet.js';
import type { Analysis, Operator, Sheet } from '../sheet.js';

/**
 * `scope_above_ceiling`, `data_above_ceiling`, `data_missing`: what the guard's own ceilings refuse to every caller of a
 * trust domain. A domain that from= names is refused for sure; without from= only a missing label, or a line above
 * the ceilings of all domains, is surely not meant.
 */
export const checkCeilings: Analysis = (sheet) => {
  const { operator } = sheet;
  if (operator === undefined || ![...operator.settings.trust.values()].some(({ ceiling }) => ceiling !== null))
    return [];
  const fresh = freshSegment(sheet.lines);
  return sheet.lines.filter(looksAtOrigin).flatMap((line) => {
    const route = routeTo(sheet, line, fresh);
    return route === undefined
      ? []
      : [...scopesAbove(sheet, operator, line, route), ...dataAbove(sheet, operator, line, route)];
  });
};

/** A route as the guard would find it: with the guardrails' labels. */
function routeTo(sheet: Sheet, line: Line, fresh: string): Route | undefined {
  for (const segments of samplePaths(line.path, sheet.lines, fresh))
    for (const method of methodsOf(line.methods)) {
      const route = sheet.route(method, segments);
      if (route.line === line) return route;
    }
  return undefined;
}

/** The trust domains whose workloads from= lets in; all of them where it says nothing. */
function domainsOf({ conditions }: Line, { settings, own }: Operator): readonly TrustDomain[] {
  if (conditions.from === null) return [...settings.trust.keys()];
  const named = conditions.from.origins.map(({ domain }) => (domain.kind === 'literal' ? domain.name : own));
  return [...new Set(named.filter((domain) => domain !== undefined))];
}

function scopesAbove(sheet: Sheet, operator: Operator, line: Line, route: Route): Remark[] {
  const { scopes } = line;
  if (scopes.kind !== 'all' && scopes.kind !== 'any') return [];
  const domains = domainsOf(line, operator);
  const refused = domains.filter((domain) => {
    const ceiling = { ...ceilingOf(operator, domain), data: null };
    return aboveCeiling(route, ceiling, scopes.scopes) !== undefined;
  });
  if (refused.length === 0 || (line.conditions.from === null && refused.length < domains.length)) return [];
  const message = `what this line asks for lies above the ceiling of ${refused.join(', ')}: its callers are always refused`;
  const hint = 'ask for a scope within trust[].ceiling.scopes, or take the domain out of from=';
  const severity = refused.length === domains.length ? 'error' : 'warning';
  return [remark(wordOf(sheet, line, 'scopes'), severity, 'scope_above_ceiling', message, hint)];
}

function dataAbove(sheet: Sheet, operator: Operator, line: Line, route: Route): Remark[] {
  const refused = domainsOf(line, operator).filter((domain) => {
    const ceiling = { ...ceilingOf(operator, domain), scopes: [] };
    return aboveCeiling(route, ceiling, []) !== undefined;
  });
  if (refused.length === 0) return [];
  if (!isLabelled(sheet, line, route)) {
    const message = `without data= the route counts as restricted, above the ceiling of ${refused.join(', ')}: its callers are always refused`;
    const reach = ceilingOver(refused.flatMap(someoneOf), (name) => operator.settings.trust.get(name)?.ceiling ?? null);
    const hint = `if that is what the route touches, add data=${reach.data ?? 'restricted'}, here or as firsthand.dev/data`;
    return [remark(startOf(sheet, line), 'warning', 'data_missing', message, hint)];
  }
  if (line.conditions.from === null) return [];
  const message = `${route.data} data lies above the ceiling of ${refused.join(', ')}: its callers are always refused`;
  const at = conditionItems(sheet, line, 'from')[0] ?? startOf(sheet, line);
  return [remark(at, 'error', 'data_above_ceiling', message, 'take the domain out of from=, or lower the label')];
}

const isLabelled = (sheet: Sheet, line: Line, { guardrails }: Route): boolean =>
  line.conditions.data !== null || sheet.data !== null || guardrails.some(({ conditions }) => conditions.data !== null);

/** The ceiling over a call that touches one trust domain only. */
const ceilingOf = ({ settings }: Operator, domain: TrustDomain): Ceiling =>
  ceilingOver(someoneOf(domain), (name) => settings.trust.get(name)?.ceiling ?? null);

/** Somebody of a trust domain: ceilings look at the domain alone. */
function someoneOf(domain: TrustDomain): SpiffeId[] {
  const id = parseSpiffeId(`spiffe://${domain}/any`);
  return id === undefined ? [] : [id];
}
