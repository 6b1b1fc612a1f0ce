/**
 * Shadow mode (contract section 7): a refusal that does not count is answered OK, and told. In: the mode, a decision. Out:
 * what is answered. The only file that makes a `shadow` verdict: it keeps the refusal and holds no permit, so that
 * nothing can take it for one. Step 1 does not ask here: its refusals count in every mode.
 */
import type { Decision, Mode, Verdict } from './model/decision.js';
import type { Policy } from './model/policy.js';
import type { Reason } from './model/reasons.js';
import type { PolicySettings } from './model/settings.js';

/** The operator's word comes first: it covers more. */
export function modeOf(operators: PolicySettings['mode'], owners: Policy['mode'] | undefined): Mode {
  if (operators === 'shadow') return 'shadow';
  return owners === 'shadow' ? 'owner-shadow' : 'enforce';
}

/** Where the guard could not decide there is no verdict to tell, and nothing that anybody tries out. */
const ALWAYS_COUNTS: ReadonlySet<Reason> = new Set<Reason>(['deadline_exceeded', 'internal_error']);

export function answeredIn(
  mode: Mode,
  { verdict, findings }: Decision,
): { verdict: Verdict; findings: Decision['findings'] } {
  if (verdict.kind === 'allow' || ALWAYS_COUNTS.has(verdict.refusal.reason)) return { verdict, findings };
  switch (mode) {
    case 'enforce':
      return { verdict, findings };
    case 'shadow':
      return { verdict: { kind: 'shadow', refusal: verdict.refusal }, findings };
    case 'owner-shadow':
      return { verdict: verdict.ownLine ? { kind: 'shadow', refusal: verdict.refusal } : verdict, findings };
  }
}
