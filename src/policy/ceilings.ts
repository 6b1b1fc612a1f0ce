import { trustDomainOf } from '../model/ids.js';
import type { SpiffeId, TrustDomain } from '../model/ids.js';
import { matchesScope } from '../model/patterns.js';
import type { ScopePattern } from '../model/patterns.js';
import type { Route } from '../model/policy.js';
import { refuse } from '../model/result.js';
import type { Refusal } from '../model/result.js';
import type { DataLabel, TrustSettings } from '../model/settings.js';
import { rankOf } from './lookup.js';

/**
 * The most that a call can ever get, by the trust domains that its chain touches: the lowest of each kind counts. In:
 * the verified chain. Out: which scopes and which data lie within. A domain without a ceiling takes nothing away.
 */
export type CeilingOf = (domain: TrustDomain) => TrustSettings['ceiling'];

export interface Ceiling {
  /** A scope counts only where every list lets it through. */
  readonly scopes: readonly (readonly ScopePattern[])[];
  /** The highest label within reach; null: no limit. */
  readonly data: DataLabel | null;
}

export function ceilingOver(chain: readonly SpiffeId[], ceilingOf: CeilingOf): Ceiling {
  const domains = new Set(chain.map(trustDomainOf));
  const ceilings = [...domains].map(ceilingOf).filter((ceiling) => ceiling !== null);
  const labels = ceilings.map(({ data }) => data).filter((data) => data !== null);
  return {
    scopes: ceilings.map(({ scopes }) => scopes).filter((scopes) => scopes !== null),
    data: labels.sort((a, b) => rankOf(a) - rankOf(b))[0] ?? null,
  };
}

export const isWithin = (ceiling: Ceiling, scope: string): boolean =>
  ceiling.scopes.every((patterns) => patterns.some((pattern) => matchesScope(pattern, scope)));

/** What the owner's line asks for beyond the ceiling. `held` are the token's scopes, before the ceiling cut them. */
export function aboveCeiling(route: Route, ceiling: Ceiling, held: readonly string[]): Refusal | undefined {
  if (ceiling.data !== null && rankOf(route.data) > rankOf(ceiling.data)) {
    const hint = `the route touches ${route.data} data; the ceiling of the chain's trust domains is ${ceiling.data}`;
    return refuse('data_ceiling', hint, hint);
  }
  const beyond = scopesBeyond(route, ceiling, held);
  if (beyond === undefined) return undefined;
  const hint = `${beyond.join(', ')} lies above the ceiling of the chain's trust domains`;
  return refuse('scope_ceiling', hint, hint);
}

/** `any`: the alternatives that the token holds; where it holds none that is for `scope_missing` to say. */
function scopesBeyond({ line }: Route, ceiling: Ceiling, held: readonly string[]): readonly string[] | undefined {
  const rule = line?.scopes;
  if (rule?.kind !== 'all' && rule?.kind !== 'any') return undefined;
  const beyond = rule.scopes.filter((scope) => !isWithin(ceiling, scope));
  if (rule.kind === 'all') return beyond.length > 0 ? beyond : undefined;
  if (beyond.length === rule.scopes.length) return beyond;
  const owned = rule.scopes.filter((scope) => held.includes(scope));
  return owned.length > 0 && owned.every((scope) => beyond.includes(scope)) ? owned : undefined;
}
