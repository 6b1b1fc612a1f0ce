/**
 * The candidate policy, beside the enforced one: what the same check would have said with its lines. In: the ask of the
 * enforced check. Out: a verdict for records and metrics, without the permit. Runs the same steps, which write nothing, so
 * that a token that only the candidate's line looks at is verified here. A fault or a passed deadline is the candidate's
 * own, never the check's.
 */
import type { Ask, Draft } from './ask.js';
import type { Decision } from './model/decision.js';
import type { CandidateVerdict } from './model/decision.js';
import type { Route } from './model/policy.js';
import { refuse } from './model/result.js';
import type { Beside } from './state/decision-cache.js';
import { decideAnew, deny } from './steps.js';
import { heard } from './waiting.js';
import type { Soon, Steps } from './waiting.js';

type Before = (work: () => Soon<Draft>) => Soon<Draft>;

/** Undefined where no candidate is loaded. */
export function* decideBeside(ask: Ask, before: Before): Steps<Beside | undefined> {
  const { beside, snapshot } = ask;
  if (beside === undefined || snapshot.candidate === undefined) return undefined;
  const { verdict, findings, names, cacheable } = yield* draftOf(ask, beside, before);
  return { verdict: told(verdict, beside, snapshot.candidate.revision), findings, names, cacheable };
}

function* draftOf(ask: Ask, beside: Route, before: Before): Steps<Draft> {
  if (beside.ambiguous) return { ...deny(caseAmbiguous, {}), cacheable: true };
  try {
    return yield* heard(before(() => decideAnew({ ...ask, route: beside })));
  } catch (fault) {
    ask.deps.onFault(fault);
    return { ...deny(broken, {}), cacheable: false };
  }
}

const caseAmbiguous = refuse('path_ambiguous', 'a reader that ignores case would select another line');
const broken = refuse('internal_error', 'a fault, see the operational log');

const told = (verdict: Decision['verdict'], { line }: Route, policy: string): CandidateVerdict => ({
  decision: verdict.kind,
  reason: verdict.kind === 'allow' ? verdict.permit.reason : verdict.refusal.reason,
  rule: line?.number,
  policy,
});
