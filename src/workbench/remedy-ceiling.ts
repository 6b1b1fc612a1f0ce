/** What would bring a call below the ceilings of its trust domains: the owner's label, or the operator's own word. */
import { trustDomainOf } from '../model/ids.js';
import type { SpiffeId, TrustDomain } from '../model/ids.js';
import { matchesScope } from '../model/patterns.js';
import type { DataLabel, TrustSettings } from '../model/settings.js';
import { ceilingOver, isWithin } from '../policy/ceilings.js';
import type { Ceiling } from '../policy/ceilings.js';
import { rankOf } from '../policy/lookup.js';
import { byLine } from './case.js';
import type { Case } from './case.js';
import { no, remedy, together } from './change.js';
import type { Change, Remedy } from './change.js';
import { shownList } from './shown.js';

const chainOf = ({ outcome }: Case): readonly SpiffeId[] => outcome.findings.origin?.chain ?? [];
export const ceilingOf = (told: Case): Ceiling =>
  ceilingOver(chainOf(told), (domain) => told.context.settings.trust.get(domain)?.ceiling ?? null);

const domainsBelow = (told: Case, holds: (domain: TrustDomain) => boolean): readonly TrustDomain[] =>
  [...new Set(chainOf(told).map(trustDomainOf))].filter(holds);

const ceilingAt = ({ context }: Case, domain: TrustDomain): TrustSettings['ceiling'] =>
  context.settings.trust.get(domain)?.ceiling ?? null;

export function dataAbove(told: Case): Remedy {
  const { route } = told.outcome.findings;
  const label: DataLabel = route?.data ?? 'restricted';
  const limit = ceilingOf(told).data ?? 'restricted';
  const labelled = [route?.line, ...(route?.guardrails ?? [])].some((line) => (line?.conditions.data ?? null) !== null);
  if (!labelled && (told.context.policy?.data ?? null) === null && route?.line !== undefined)
    return byLine(
      told,
      `nobody has said which data this route touches, so it counts as restricted, above the ceiling (${limit}). If it touches at most ${limit} data, the owner says so with data=${limit}`,
      `data=${limit}`,
    );
  const domains = domainsBelow(told, (domain) => {
    const data = ceilingAt(told, domain)?.data ?? null;
    return data !== null && rankOf(data) < rankOf(label);
  });
  return remedy(
    `none for this one call: the operator's ceiling is ${limit} for every call with ${domains.join(' or ')} in its chain, and the route touches ${label} data. It is the operator who would raise it, for all of them`,
    together(
      domains.map((domain): Change => ({ kind: 'config', path: ['trust', domain, 'ceiling', 'data'], value: label })),
    ),
  );
}

export function scopeAbove(told: Case): Remedy {
  const line = told.outcome.findings.route?.line;
  const held = told.outcome.findings.token?.scopes ?? [];
  const rule = line?.scopes;
  if (rule === undefined || !('scopes' in rule)) return no('none: the scope is above the ceiling');
  const ceiling = ceilingOf(told);
  const above = rule.scopes.filter((scope) => !isWithin(ceiling, scope));
  const needed = rule.kind === 'all' ? above : [above.find((scope) => held.includes(scope)) ?? above[0] ?? ''];
  const domains = domainsBelow(told, (domain) => {
    const scopes = ceilingAt(told, domain)?.scopes ?? null;
    return scopes !== null && !needed.every((scope) => scopes.some((pattern) => matchesScope(pattern, scope)));
  });
  return remedy(
    `none for this one call: ${shownList(needed)} lies above the operator's ceiling for every call with ${domains.join(' or ')} in its chain. It is the operator who would raise it, for all of them`,
    together(
      domains.map((domain): Change => {
        const scopes = ceilingAt(told, domain)?.scopes ?? [];
        return { kind: 'config', path: ['trust', domain, 'ceiling', 'scopes'], value: [...scopes, ...needed] };
      }),
    ),
  );
}
