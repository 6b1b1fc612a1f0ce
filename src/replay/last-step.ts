/**
 * Step 7 for what an audit record remembers. In: the record, the route, origin and token as remembered. Out: a judgement, or
 * the best that is possible where the token's age or binding is asked for, which a record does not hold. An upgrade is
 * assumed only where one was refused.
 */
import type { Decision } from '../model/decision.js';
import type { SpiffeId } from '../model/ids.js';
import { instantAt } from '../model/instant.js';
import type { Line, Route } from '../model/policy.js';
import type { Credential } from '../model/token.js';
import { decide } from '../policy/decide.js';
import { hostName } from '../request/shape.js';
import type { AuditedCheck } from './audited.js';
import type { Against } from './told.js';

/** What a decision comes to, or the words for what is missing. */
export type Found = { readonly decision: Decision } | { readonly why: string; readonly atBest?: Decision };

export interface Remembered {
  readonly origin: Parameters<typeof decide>[0]['origin'];
  readonly credential: Credential | undefined;
  readonly guard: SpiffeId | undefined;
}

export function decideLast(record: AuditedCheck, route: Route, { settings }: Against, remembered: Remembered): Found {
  const upgrade = (record.shadow ?? record.reason) === 'upgrade_not_declared';
  const decision = (asked: Route): Decision => ({
    verdict: decide(
      { route: asked, ...remembered, host: hostName(record.host ?? ''), upgrade },
      (domain) => settings.trust.get(domain)?.ceiling ?? null,
      (domain) => settings.trust.get(domain)?.environment ?? null,
      instantAt(Date.parse(record.time)),
    ),
    findings: { route },
  });
  if (remembered.credential === undefined || !asksTheToken(route)) return { decision: decision(route) };
  // Whatever else refuses, refuses whatever the token's age and binding are.
  const atBest = decision(withoutTokenConditions(route));
  return atBest.verdict.kind === 'deny' ? { decision: atBest } : { why: NOT_IN_IT, atBest };
}

export const NOT_IN_IT = "the record does not say the token's age and binding";

const linesOf = ({ line, guardrails }: Route): readonly Line[] =>
  line === undefined ? guardrails : [line, ...guardrails];

const asksTheToken = (route: Route): boolean =>
  linesOf(route).some(({ conditions }) => conditions.maxAge !== null || conditions.bound !== null);

function withoutTokenConditions(route: Route): Route {
  const lax = (line: Line): Line => ({ ...line, conditions: { ...line.conditions, maxAge: null, bound: null } });
  return { ...route, line: route.line && lax(route.line), guardrails: route.guardrails.map(lax) };
}
