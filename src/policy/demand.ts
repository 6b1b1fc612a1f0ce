import type { Line, Route } from '../model/policy.js';

/**
 * What a route makes the guard look at. The owner's line speaks first; where it does not ask, a guardrail may, and what
 * then fails is the guardrail's refusal. A route that nobody declared is refused only after its origin stands.
 */
export interface Demand {
  readonly origin: 'line' | 'guardrail' | 'no';
  readonly token: 'line' | 'guardrail' | 'no';
}

export function demandOf(route: Route): Demand {
  const { line, guardrails } = route;
  if (line === undefined) return { origin: 'line', token: 'no' };
  return {
    origin: looksAtOrigin(line) ? 'line' : guardrails.some(looksAtOrigin) ? 'guardrail' : 'no',
    token: looksAtToken(line) ? 'line' : guardrails.some(looksAtToken) ? 'guardrail' : 'no',
  };
}

export const looksAtOrigin = ({ scopes }: Line): boolean => scopes.kind !== 'anyone';

export function looksAtToken({ scopes }: Line): boolean {
  switch (scopes.kind) {
    case 'all':
    case 'any':
    case 'token':
      return true;
    case 'workload':
    case 'anyone':
      return false;
  }
}
