/**
 * Steps 2 to 7 for what an audit record remembers, in their order. In: what is asked. Out: a decision, or why there is none
 * to be had. Refusals of the steps before the last count as recorded, where the route still takes those steps. Verifies
 * nothing: nobody can any more.
 */
import type { Decision } from '../model/decision.js';
import type { SpiffeId } from '../model/ids.js';
import type { VerifiedOrigin } from '../model/origin.js';
import type { Route } from '../model/policy.js';
import type { Reason } from '../model/reasons.js';
import { refuse } from '../model/result.js';
import type { Refusal } from '../model/result.js';
import type { Credential } from '../model/token.js';
import { mayPresent } from '../origin/presenter.js';
import { demandOf } from '../policy/demand.js';
import type { Demand } from '../policy/demand.js';
import { unmetOutside } from '../policy/unmet-origin.js';
import type { AuditedCheck } from './audited.js';
import { decideLast, NOT_IN_IT } from './last-step.js';
import type { Found, Remembered } from './last-step.js';
import { asRecorded, refusedBefore, toldBy } from './refused.js';
import type { Refused } from './refused.js';
import { rememberedOrigin, rememberedToken } from './remembered.js';
import type { Against } from './told.js';

/** What is asked: a record, what it says was refused, the config, and where that leads the request. */
export interface Asked {
  readonly record: AuditedCheck;
  readonly refused: Refused;
  readonly against: Against;
  readonly route: Route;
}

export const isSamePolicy = ({ record: { policy }, against: { snapshot } }: Asked): boolean =>
  policy !== undefined && policy === snapshot.policy?.revision;

export const no = (refusal: Refusal): { readonly decision: Decision } => ({
  decision: { verdict: { kind: 'deny', refusal }, findings: {} },
});

/** Steps 2 to 7, in their order. */
export function decideRoute(asked: Asked): Found {
  const { record, refused, against, route } = asked;
  const demand = demandOf(route);
  const remembered = rememberedOrigin(record);
  const guard = against.settings.workload ?? remembered?.guard;
  const last = (known: Omit<Remembered, 'guard'>): Found => decideLast(record, route, against, { ...known, guard });
  if (demand.origin === 'no') return last({ origin: undefined, credential: undefined });
  const before = refusedBefore(refused, demand);
  if (remembered === undefined)
    return before?.step === 'origin' ? no(before.refusal) : notVerified(asked, demand.origin, 'origin');
  const { origin } = remembered;
  const outside = demand.origin === 'line' ? unmetOutside(route.line, origin, guard) : undefined;
  if (outside !== undefined) return no(outside);
  if (route.line === undefined) return no(refuse('route_undeclared', 'no line declares it'));
  if (before !== undefined && before.step !== 'token') return no(before.refusal);
  if (demand.token === 'no') return last({ origin, credential: undefined });
  if (before !== undefined) return no(before.refusal);
  return decideToken(asked, { origin, guard }, demand);
}

/** Steps 4 and 5, which nothing recorded stopped. */
function decideToken(
  asked: Asked,
  known: { origin: VerifiedOrigin; guard: SpiffeId | undefined },
  demand: Demand,
): Found {
  const { record, refused, against, route } = asked;
  const found = rememberedToken(record, against.settings);
  switch (found.kind) {
    case 'not verified':
      return notVerified(asked, demand.token, 'token');
    case 'cut':
      return { why: 'the record does not hold all scopes of the token' };
    case 'stranger':
      return no(toldBy(demand.token, asRecorded('token_issuer_unknown')));
    case 'token': {
      const may = mayPresent(found.token, known.origin, known.guard);
      if (!may.ok) return no(toldBy(demand.token, may));
      const credential: Credential = { token: found.token, bound: { method: 'none', pin: undefined } };
      const last = decideLast(record, route, against, { ...known, credential });
      return 'reason' in refused && ENDED_THERE.has(refused.reason) ? endedThere(asked, demand, last) : last;
    }
  }
}

/** Refusals at which nobody had tried how the token is bound, or had and found it wanting. */
const ENDED_THERE: ReadonlySet<Reason> = new Set<Reason>([
  'binding_missing',
  'binding_unavailable',
  'presenter_not_allowed',
]);

function endedThere(asked: Asked, demand: Demand, last: Found): Found {
  const { refused } = asked;
  const again = 'reason' in refused && refused.reason !== 'presenter_not_allowed' && isSamePolicy(asked);
  if (again) return no(toldBy(demand.token, asRecorded(refused.reason)));
  const atBest = 'decision' in last ? last.decision : last.atBest;
  return { why: NOT_IN_IT, ...(atBest && { atBest }) };
}

/** Where only a guardrail asked for what was never verified, its refusal was about that; the same guardrails ask again. */
function notVerified(asked: Asked, who: Demand['origin'], what: 'origin' | 'token'): Found {
  const { kind } = asked.refused;
  const guarded = kind === 'guardrail' || kind === 'untold guardrail' || kind === 'asked by a guardrail';
  if (guarded && who === 'guardrail' && isSamePolicy(asked)) return no(asRecorded('guardrail'));
  return { why: `its ${what} was not verified when this was recorded` };
}
