/**
 * An outcome as a story: each step of contract section 5 with what it saw, the line that decided, and the smallest change
 * that would allow it. In: an outcome of the engine, the request, the context. Out: plain values, every text of a stranger
 * bounded and made visible, nothing secret. Does NOT decide anything: every fact is read from what the engine found.
 */
import { explanation } from '../audit/explanation.js';
import { reasonOf, shadowReason } from '../audit/record.js';
import { requestFacts } from '../audit/request-facts.js';
import type { Attributes } from '../model/attributes.js';
import type { CandidateVerdict, Outcome } from '../model/decision.js';
import type { Line } from '../model/policy.js';
import { httpStatus, title } from '../model/reasons.js';
import type { Reason } from '../model/reasons.js';
import { demandOf } from '../policy/demand.js';
import { causeOf, failedStep, STEPS } from './failed-step.js';
import type { StepName } from './failed-step.js';
import type { Remedy } from './change.js';
import { remedyFor } from './remedy-for.js';
import { sawOrigin, sawPeer } from './saw-caller.js';
import { sawPolicy } from './saw-policy.js';
import { lineText, sawRequest } from './saw-request.js';
import { sawBinding, sawState, sawToken } from './saw-token.js';
import { sceneOf } from './scene.js';
import type { Scene } from './scene.js';
import { shown } from './shown.js';
import type { StoryContext, Version } from './story-context.js';

export interface Step {
  readonly step: StepName;
  readonly status: 'passed' | 'failed' | 'skipped' | 'not reached' | 'undecidable';
  readonly saw: readonly string[];
}

export interface Story {
  /** What the caller gets. */
  readonly decision: 'allow' | 'deny' | 'undecidable';
  readonly reason: Reason;
  /** Why it would have been denied, had the mode not been shadow: the rest of the story is about that. */
  readonly shadow?: Reason;
  /** What the candidate policy would have said. */
  readonly candidate?: CandidateVerdict;
  /** In words, for everybody. */
  readonly title: string;
  /** HTTP status that the caller gets. */
  readonly status: number;
  /** In words, for the operator: the refusal's own. */
  readonly detail?: string;
  /** The step that failed; missing for an allow, and where the decision did not come about. */
  readonly failed?: StepName;
  /** Number of the owner's line. */
  readonly rule?: number;
  /** Text of the line that decided: the owner's, or the guardrail that refused. */
  readonly line?: string;
  readonly guardrail?: number;
  readonly steps: readonly Step[];
  readonly remedy?: Remedy;
  readonly versions: readonly Version[];
}

export function storyOf(outcome: Outcome, attributes: Attributes | undefined, context: StoryContext): Story {
  const scene = sceneOf(outcome, attributes, context);
  const failed = failedStep(outcome);
  const reason = reasonOf(outcome);
  const shadow = shadowReason(outcome);
  const cause = outcome.verdict.kind !== 'allow' ? causeOf(outcome.verdict.refusal, outcome.findings.route) : undefined;
  const line = ownersLine(outcome);
  return {
    decision: outcome.verdict.kind === 'deny' ? 'deny' : 'allow',
    reason,
    ...(shadow === undefined ? {} : { shadow }),
    ...(outcome.candidate === undefined ? {} : { candidate: outcome.candidate }),
    title: title(reason),
    status: httpStatus(reason),
    ...detailOf(scene),
    ...(failed === undefined ? {} : { failed }),
    ...(line === undefined ? {} : { rule: line.number }),
    ...decidingLine(cause?.guardrail, line, context),
    steps: STEPS.map((step) => told(step, failed, scene)),
    ...(cause === undefined ? {} : { remedy: remedyFor(cause, scene) }),
    versions: context.versions,
  };
}

const ownersLine = ({ verdict, findings }: Outcome): Line | undefined =>
  findings.route?.line ?? (verdict.kind === 'allow' ? verdict.permit.line : undefined);

function detailOf({ outcome, attributes }: Scene): { readonly detail?: string } {
  if (outcome.verdict.kind === 'allow') return {};
  const request = attributes && requestFacts(attributes);
  const safe = explanation(outcome.verdict.refusal.detail, request, outcome.findings.presented);
  return safe === undefined ? {} : { detail: shown(safe, 600) };
}

function decidingLine(
  guardrail: Line | undefined,
  line: Line | undefined,
  { lines, guardrails }: StoryContext,
): Pick<Story, 'line' | 'guardrail'> {
  if (guardrail !== undefined) return { line: lineText(guardrails, guardrail), guardrail: guardrail.number };
  return line === undefined ? {} : { line: lineText(lines, line) };
}

function told(step: StepName, failed: StepName | undefined, scene: Scene): Step {
  const status = statusOf(step, failed, scene);
  return {
    step,
    status,
    saw: status === 'not reached' ? [] : status === 'skipped' ? [whySkipped(scene)] : sawAt(step, scene),
  };
}

function statusOf(step: StepName, failed: StepName | undefined, scene: Scene): Step['status'] {
  const { verdict } = scene.outcome;
  const at = STEPS.indexOf(step);
  if (verdict.kind !== 'allow' && failed === undefined)
    return step === 'shape' && scene.shape !== undefined ? 'passed' : 'not reached';
  if (failed === step) return 'failed';
  if (failed !== undefined && at > STEPS.indexOf(failed)) return 'not reached';
  return isSkipped(step, scene) ? 'skipped' : 'passed';
}

function isSkipped(step: StepName, { outcome }: Scene): boolean {
  if (outcome.findings.route === undefined) return false;
  const demand = demandOf(outcome.findings.route);
  switch (step) {
    case 'shape':
    case 'policy':
      return false;
    case 'peer':
    case 'origin':
    case 'state':
      return demand.origin === 'no';
    case 'credential':
    case 'binding':
      return demand.token === 'no';
  }
}

function whySkipped({ outcome }: Scene): string {
  const line = ownersLine(outcome);
  const kind = line?.scopes.kind === 'anyone' ? 'is an anyone line: nobody is looked at' : 'looks at no token';
  return `line ${line?.number ?? ''} ${kind}`;
}

function sawAt(step: StepName, scene: Scene): string[] {
  switch (step) {
    case 'shape':
      return sawRequest(scene);
    case 'peer':
      return sawPeer(scene);
    case 'origin':
      return sawOrigin(scene);
    case 'credential':
      return sawToken(scene);
    case 'binding':
      return sawBinding(scene);
    case 'state':
      return sawState(scene);
    case 'policy':
      return sawPolicy(scene);
  }
}
