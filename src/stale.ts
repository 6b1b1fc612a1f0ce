/**
 * Which routes are closed while revocations may have been missed: those that touch data with `confidential` or above, and
 * `fresh` ones. A route without a label counts as restricted (contract section 4), so it is one of them.
 */
import type { Route } from './model/policy.js';
import { refuse } from './model/result.js';
import { DATA_LABELS } from './model/settings.js';

export function needsFreshRevocations(route: Route | undefined): boolean {
  if (route === undefined) return false;
  const lines = route.line === undefined ? route.guardrails : [route.line, ...route.guardrails];
  const isSensitive = DATA_LABELS.indexOf(route.data) >= DATA_LABELS.indexOf('confidential');
  return isSensitive || lines.some(({ conditions }) => conditions.fresh);
}

export const staleRevocations = refuse(
  'revocation_stale',
  'the store of revocations was not heard for longer than revocation.maxStaleness',
  'the operator must make the store reachable again',
);
