/**
 * An audit record, decided again as far as its fields carry. In: the record, the config. Out: the answer that config gives
 * by the last step, or why it can't be known. Refusals of the steps before it count as recorded, where the config still
 * takes those steps. Undecidable where it is asked for, because no record holds it: a token's age and binding, a token or
 * origin that nobody looked at then, what failed where a record says no more than `guardrail`. Does NOT ask how the config
 * binds tokens or which audiences it takes: for that a recorded check is needed. Kept honest by test/hostile/replay.test.ts.
 */
import type { Reason } from '../model/reasons.js';
import { auditedRoute } from './audited-route.js';
import { decideRoute, isSamePolicy, no } from './audited-steps.js';
import type { Asked } from './audited-steps.js';
import type { AuditedCheck } from './audited.js';
import type { Found } from './last-step.js';
import { toldIn } from './redecide.js';
import { asRecorded, refusedIn } from './refused.js';
import type { Refused } from './refused.js';
import { same, toldBy } from './told.js';
import type { Against, Replayed } from './told.js';

export function fromAudit(record: AuditedCheck, against: Against): Replayed {
  const refused = refusedIn(record);
  const routed = auditedRoute(record, refused, against);
  switch (routed.kind) {
    case 'unknown':
      return { kind: 'undecidable', why: routed.why, atBest: undefined, line: undefined };
    case 'refused again':
      return { kind: 'decided', now: toldIn(record), line: undefined };
    case 'refused':
      return { kind: 'decided', now: toldBy(no(routed.refusal).decision, against), line: undefined };
    case 'route':
      return answered({ record, refused, against, route: routed.route });
  }
}

function answered(asked: Asked): Replayed {
  const { record, refused, against, route } = asked;
  const { line } = route;
  const found = route.ambiguous ? no(asRecorded('path_ambiguous')) : surely(refused, decideRoute(asked));
  if ('decision' in found) return { kind: 'decided', now: toldBy(found.decision, against), line };
  const atBest = found.atBest && toldBy(found.atBest, against);
  // The policy is the recorded one: what it asked for then it got, or it said so.
  const asBefore = atBest !== undefined && (same(atBest, toldIn(record)) || isOfAskedOnly(refused));
  if (asBefore && isSamePolicy(asked)) return { kind: 'decided', now: toldIn(record), line };
  return { kind: 'undecidable', why: found.why, atBest, line };
}

/** A guardrail's refusal of which nobody knows what failed may be one of any step. */
function surely(refused: Refused, found: Found): Found {
  if (refused.kind !== 'untold guardrail' || !('decision' in found)) return found;
  return { why: 'the record does not say what the guardrail refused', atBest: found.decision };
}

/** What a record can not hold, and the same policy refuses again: `age<=` and `bound`, and whatever a guardrail asked for. */
const isOfAskedOnly = (refused: Refused): boolean =>
  refused.kind === 'untold guardrail' || (refused.kind === 'own' && OF_TOKEN_CONDITIONS.has(refused.reason));

/** What `age<=` and `bound` refuse with; step 5 has the latter two as well. */
const OF_TOKEN_CONDITIONS: ReadonlySet<Reason> = new Set<Reason>([
  'token_too_old',
  'binding_missing',
  'binding_unavailable',
]);
