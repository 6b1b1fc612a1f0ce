/**
 * What a case wants beside what the engine gave. In: an expectation and a judged request. Out: every difference; none where
 * the case passes. Shadow modes answer OK to what they refuse; a case is about the verdict, so a shadowed refusal is a deny.
 */
import { httpStatus } from '../model/reasons.js';
import type { Reason } from '../model/reasons.js';
import type { Expectation } from './case-expectation.js';
import type { Judged } from './open.js';

export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

/** What a result says of a decision. */
export interface Given {
  readonly decision: 'allow' | 'deny';
  readonly reason: Reason;
  readonly rule: number | undefined;
  /** Of a denial: what would have helped, else why it was refused. */
  readonly hint: string | undefined;
}

export function givenOf({ outcome }: Judged): Given {
  const { verdict, findings } = outcome;
  const refusal = verdict.kind === 'allow' ? undefined : verdict.refusal;
  return {
    decision: refusal === undefined ? 'allow' : 'deny',
    reason: verdict.kind === 'allow' ? verdict.permit.reason : verdict.refusal.reason,
    rule: findings.route?.line?.number,
    hint: refusal && (refusal.hint ?? refusal.detail),
  };
}

const NOBODY = 'nobody';

export function differencesOf(expect: Expectation, judged: Judged): readonly Difference[] {
  const { decision, reason, rule } = givenOf(judged);
  const { peer, origin } = judged.outcome.findings;
  const who = origin?.kind === 'workload' ? origin.id : origin?.kind;
  const compared = [
    compare('decision', expect.decision, decision),
    compare('reason', expect.reason, reason),
    compare('status', text(expect.status), String(httpStatus(reason))),
    compare('rule', text(expect.rule), text(rule) ?? 'none'),
    compare('origin', expect.origin, who ?? NOBODY),
    compare('peer', expect.peer, peer?.id ?? NOBODY),
    compare('chain', expect.chain?.join(' '), origin?.chain.join(' ') ?? NOBODY),
    ...headerDifferences(expect, judged),
  ];
  return compared.filter((difference) => difference !== undefined);
}

const text = (number: number | undefined): string | undefined => (number === undefined ? undefined : String(number));

const compare = (what: string, expected: string | undefined, got: string): Difference | undefined =>
  expected === undefined || expected === got ? undefined : { what, expected, got };

/** What the upstream gets to see of an allow, and the caller of a denial. */
function headerDifferences({ headers }: Expectation, { answer }: Judged): readonly (Difference | undefined)[] {
  const sent = new Map(answer.kind === 'allow' ? answer.set : answer.headers);
  return [...headers].map(([name, value]) => compare(`header ${name}`, value ?? 'none', sent.get(name) ?? 'none'));
}
