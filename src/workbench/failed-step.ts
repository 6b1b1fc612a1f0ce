/**
 * Which step of contract section 5 an outcome ended at. In: an outcome. Out: the step, read from how far its findings
 * came, because one reason can be given by several steps; and what stands behind the reason `guardrail`.
 */
import type { Outcome } from '../model/decision.js';
import type { Line, Route } from '../model/policy.js';
import type { DenyReason, Reason } from '../model/reasons.js';
import { isAllow } from '../model/reasons.js';
import type { Refusal } from '../model/result.js';
import { demandOf, looksAtOrigin, looksAtToken } from '../policy/demand.js';
import { guardrailCause } from '../policy/guardrail-cause.js';

export const STEPS = ['shape', 'peer', 'origin', 'credential', 'binding', 'state', 'policy'] as const;
export type StepName = (typeof STEPS)[number];

export interface Cause {
  readonly reason: DenyReason;
  readonly detail: string;
  /** The guardrail that refused, where one did. */
  readonly guardrail: Line | undefined;
}

/** The reason itself, also where it is told as a guardrail's. */
export function causeOf(refusal: Refusal, route: Route | undefined): Cause {
  const reason = denyReason(refusal.reason);
  const cause = reason === 'guardrail' ? guardrailCause(refusal.detail) : undefined;
  if (cause === undefined) return { reason, detail: refusal.detail, guardrail: undefined };
  const guardrails = route?.guardrails ?? [];
  const guardrail =
    cause.line === undefined
      ? asking(guardrails, cause.reason)
      : guardrails.find(({ number }) => number === cause.line);
  return { reason: cause.reason, detail: cause.detail, guardrail };
}

/** The first one that asks for what failed. */
const asking = (guardrails: readonly Line[], reason: DenyReason): Line | undefined =>
  guardrails.find(ABOUT_TOKENS.test(reason) ? looksAtToken : looksAtOrigin);

const ABOUT_TOKENS = /^(?:token_|binding_|credentials_|presenter_|transaction_|header_)/;

function denyReason(reason: Reason): DenyReason {
  if (isAllow(reason)) throw new Error(`${reason} is no reason to refuse`);
  return reason;
}

const OF_STATE: ReadonlySet<DenyReason> = new Set<DenyReason>([
  'token_revoked',
  'identity_revoked',
  'certificate_revoked',
  'transaction_revoked',
  'token_replayed',
  'store_unavailable',
  'revocation_stale',
]);

/** Undefined for an allow, and where no step is to blame: the decision did not come about. */
export function failedStep({ verdict, findings }: Outcome): StepName | undefined {
  if (verdict.kind === 'allow') return undefined;
  const { route, peer, origin, token, bound } = findings;
  const { reason } = causeOf(verdict.refusal, route);
  if (route === undefined) return reason === 'deadline_exceeded' || reason === 'internal_error' ? undefined : 'shape';
  if (route.ambiguous) return 'shape';
  const demand = demandOf(route);
  if (demand.origin !== 'no') {
    if (peer === undefined) return 'peer';
    const unresolved = verdict.refusal.reason === 'origin_unresolved';
    if (origin === undefined || route.line === undefined || unresolved) return 'origin';
  }
  if (demand.token !== 'no') {
    if (token === undefined || reason === 'presenter_not_allowed') return 'credential';
    if (bound === undefined || reason === 'token_presenter_changed') return 'binding';
  }
  return OF_STATE.has(reason) ? 'state' : 'policy';
}
