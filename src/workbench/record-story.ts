/**
 * The story of a decision of which only its audit record is left. In: the record, the present configuration and policy.
 * Out: what can be rebuilt (route, line, scopes, origin, chain) and how that stands today; what was read from a certificate
 * or a token is "undecidable from the record". A refusal that is certain today is told as a deny; nothing is ever told as
 * an allow.
 */
import type { Remedy } from './change.js';
import { isAllow, httpStatus, title } from '../model/reasons.js';
import type { DenyReason, Reason } from '../model/reasons.js';
import type { Snapshot } from '../model/snapshot.js';
import { hostName } from '../request/shape.js';
import type { RecordedDecision } from './audit-file.js';
import { STEPS } from './failed-step.js';
import type { StepName } from './failed-step.js';
import { findingsOf, rebuild } from './rebuilt.js';
import type { Rebuilt } from './rebuilt.js';
import { recordRemedy } from './record-remedy.js';
import { drawn } from './saw-caller.js';
import { sawPolicy } from './saw-policy.js';
import { lineText } from './saw-request.js';
import { shown, shownList } from './shown.js';
import type { StoryContext } from './story-context.js';
import type { Step, Story } from './story.js';
import { USUAL_STEP } from './usual-step.js';

export const UNDECIDABLE = 'undecidable from the record';

export interface RecordStory extends Story {
  readonly recorded: Pick<RecordedDecision, 'id' | 'time' | 'decision' | 'reason' | 'shadow' | 'rule' | 'policy'>;
}

export function recordStory(record: RecordedDecision, context: StoryContext, snapshot: Snapshot): RecordStory {
  const rebuilt = rebuild(record, context, snapshot);
  const { route, broken, today } = rebuilt;
  const now = today.kind === 'decided' && today.now.decision === 'deny' ? today.now.reason : undefined;
  const refused = denyOf(broken?.reason ?? now);
  const failed = broken !== undefined ? 'origin' : refused && USUAL_STEP[refused];
  const remedy = refused && recordRemedy(rebuilt, refused);
  const why = today.kind === 'undecidable' ? today.why : 'its certificates and its token are not in it';
  const told = refused === (record.shadow ?? record.reason) ? record.detail : 'refused today, by what the record holds';
  const detail = broken?.detail ?? (refused === undefined ? `${UNDECIDABLE}: ${why}` : told);
  const reason = refused ?? record.reason;
  return {
    decision: refused === undefined ? 'undecidable' : 'deny',
    reason,
    title: refused === undefined ? UNDECIDABLE : title(reason),
    status: httpStatus(reason),
    ...(detail === undefined ? {} : { detail: shown(detail, 600) }),
    ...(route?.line === undefined ? {} : { rule: route.line.number, line: lineText(context.lines, route.line) }),
    ...(failed === undefined ? {} : { failed }),
    steps: stepsOf(rebuilt, refused, failed),
    ...(remedy === undefined ? {} : { remedy: untried(remedy) }),
    versions: context.versions,
    recorded: recordedFacts(record),
  };
}

/** It was proposed without being tried. */
const untried = (remedy: Remedy): Remedy =>
  remedy.change === undefined
    ? remedy
    : { ...remedy, comesTo: { kind: 'not known', why: 'a record does not hold what else would be asked' } };

const denyOf = (reason: Reason | undefined): DenyReason | undefined =>
  reason === undefined || isAllow(reason) ? undefined : reason;

function stepsOf(rebuilt: Rebuilt, refused: DenyReason | undefined, failed: StepName | undefined): Step[] {
  const { record } = rebuilt;
  const steps = [
    shapeStep(rebuilt),
    left('peer', [named('peer', record.peer), named('certificate sha256', record.peer_certificate)]),
    originStep(rebuilt),
    left('credential', [
      named('issuer', record.issuer),
      named('subject', record.subject),
      record.scopes_held && `scopes held: ${shownList(record.scopes_held, 20) || 'none'}`,
      named('name', record.token),
    ]),
    left('binding', []),
    left('state', []),
    policyStep(rebuilt, refused),
  ];
  if (failed === undefined) return steps;
  const at = STEPS.indexOf(failed);
  const saw = (step: Step): readonly string[] => step.saw.filter((fact) => fact !== UNDECIDABLE);
  return steps.map((step, index): Step => {
    if (index < at) return step;
    if (index > at) return { step: step.step, status: 'not reached', saw: [] };
    return {
      step: step.step,
      status: 'failed',
      saw: [...saw(step), ...(step.status === 'failed' ? [] : [asRecorded(record)])],
    };
  });
}

const asRecorded = ({ shadow, reason, detail }: RecordedDecision): string =>
  shown(`as recorded: ${shadow ?? reason}${detail === undefined ? '' : `: ${detail}`}`, 600);

const recordedFacts = ({
  id,
  time,
  decision,
  reason,
  shadow,
  rule,
  policy,
}: RecordedDecision): RecordStory['recorded'] => ({
  id: shown(id),
  time,
  decision,
  reason,
  shadow,
  rule,
  policy: policy === undefined ? undefined : shown(policy),
});

const named = (what: string, value: string | undefined): string | undefined =>
  value === undefined ? undefined : `${what} ${shown(value)}`;

const facts = (texts: readonly (string | undefined)[]): string[] => texts.filter((text) => text !== undefined);

const left = (step: Step['step'], texts: readonly (string | undefined)[]): Step => ({
  step,
  status: 'undecidable',
  saw: [...facts(texts), UNDECIDABLE],
});

function shapeStep({ record, route, context }: Rebuilt): Step {
  const { method, path, host, rule, policy } = record;
  const asked = `${shown(method ?? 'method not recorded')} ${shown(path ?? 'path not recorded')} at ${shown(host ?? 'host not recorded')}`;
  const then = `then: ${rule === undefined ? 'no line' : `line ${rule}`} of policy ${shown(policy ?? 'none')}`;
  if (route === undefined) return left('shape', [asked, then]);
  const same = context.policy?.revision === policy ? 'today: the same policy' : 'today: another policy';
  const { line, guardrails } = route;
  return {
    step: 'shape',
    status: 'passed',
    saw: [
      asked,
      `${then}; ${same}`,
      line === undefined ? 'no line declares it' : `line ${line.number}: ${lineText(context.lines, line)}`,
      ...guardrails.map((rail) => `guardrail ${rail.number}: ${lineText(context.guardrails, rail)}`),
    ],
  };
}

function originStep({ record, origin, guard, broken, route }: Rebuilt): Step {
  const history = record.ignored_history;
  const told = [
    origin === undefined ? named('origin', record.origin) : drawn(origin, guard),
    named('certificate sha256', record.certificate),
    history && `ignored history (claims of strangers): ${shownList(history)}`,
  ];
  if (broken !== undefined) return { step: 'origin', status: 'failed', saw: facts([...told, shown(broken.detail)]) };
  if (origin !== undefined && route !== undefined && route.line === undefined)
    return { step: 'origin', status: 'failed', saw: facts([...told, 'no line declares the route']) };
  return left('origin', [...told, origin && "today's configuration takes this chain"]);
}

function policyStep(rebuilt: Rebuilt, refused: DenyReason | undefined): Step {
  const { record, context, route, origin, guard } = rebuilt;
  const scene = {
    outcome: { findings: findingsOf(rebuilt), guard, time: Date.parse(record.time) },
    shape: record.host === undefined ? undefined : { host: hostName(record.host) },
    context,
  };
  const saw = route?.line === undefined || origin === undefined ? [] : sawPolicy(scene);
  const failed = saw.some((fact) => fact.includes(' does not hold'));
  if (refused !== undefined && failed) return { step: 'policy', status: 'failed', saw };
  return left('policy', saw);
}
