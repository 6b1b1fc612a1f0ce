import type { IdPattern } from '../model/patterns.js';
import type { Conditions, Line, ScopeRule } from '../model/policy.js';
import { looksAtOrigin, looksAtToken } from '../policy/demand.js';
import { contains } from './id-patterns.js';

/**
 * What lines ask for, compared. `satisfies(a, b)`: whoever may pass `a` may pass `b`. Where that can not be proved from the
 * lines alone the answer is no. It does NOT look at methods, paths or labels.
 */
export const satisfies = (a: Line, b: Line): boolean =>
  satisfiesScopes(a.scopes, b.scopes) &&
  within(a.conditions.host, b.conditions.host) &&
  (!looksAtOrigin(b) || (satisfiesOrigin(a, b) && satisfiesToken(a.conditions, b.conditions)));

/** `b` asks for less than `a`, provably. */
export const isWeaker = (b: Line, a: Line): boolean => satisfies(a, b) && !satisfies(b, a);

export function satisfiesScopes(a: ScopeRule, b: ScopeRule): boolean {
  switch (b.kind) {
    case 'anyone':
      return true;
    case 'workload':
      return a.kind !== 'anyone';
    case 'token':
      return looksAtToken({ scopes: a } as Line);
    case 'all':
      return a.kind === 'all' && b.scopes.every((scope) => a.scopes.includes(scope));
    case 'any':
      if (a.kind === 'all') return a.scopes.some((scope) => b.scopes.includes(scope));
      return a.kind === 'any' && a.scopes.every((scope) => b.scopes.includes(scope));
  }
}

/** null: no such condition. */
const within = (a: readonly string[] | null, b: readonly string[] | null): boolean =>
  b === null || (a !== null && a.every((word) => b.includes(word)));

const allContained = (inner: readonly IdPattern[], outer: readonly IdPattern[]): boolean =>
  inner.every((narrow) => outer.some((wide) => contains(wide, narrow)));

function satisfiesOrigin({ conditions: a }: Line, { conditions: b }: Line): boolean {
  // Without from= every origin passes, but never outside.
  const outside = allContained(a.from?.outside ?? [], b.from?.outside ?? []);
  const origins = b.from === null || (a.from !== null && allContained(a.from.origins, b.from.origins));
  const via =
    b.via === null ||
    (a.via !== null && allContained(a.via.forwarders, b.via.forwarders) && (b.via.direct || !a.via.direct));
  return outside && origins && via && within(a.env, b.env);
}

function satisfiesToken(a: Conditions, b: Conditions): boolean {
  const age = b.maxAge === null || (a.maxAge !== null && a.maxAge <= b.maxAge);
  const bound = b.bound === null || a.bound === 'direct' || a.bound === b.bound;
  return age && bound && (a.once || !b.once);
}
