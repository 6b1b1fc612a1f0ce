/** What replay compares: an answer in the words of a record, and how the config at hand would give it. */
import { modeOf, answeredIn } from '../shadow.js';
import type { Decision } from '../model/decision.js';
import type { Line } from '../model/policy.js';
import type { Reason } from '../model/reasons.js';
import type { Settings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';

export interface Told {
  readonly decision: 'allow' | 'deny';
  readonly reason: Reason;
  /** Why it would have been refused, had the mode not been shadow. */
  readonly shadow: Reason | undefined;
}

/** What a record is decided against: policy and settings count, keys and bundles do not. */
export interface Against {
  readonly settings: Settings;
  readonly snapshot: Snapshot;
}

/** The line of the config at hand that the request belongs to; undefined where none declares it. */
export type ToldLine = Pick<Line, 'number'> | undefined;

export type Replayed =
  | { readonly kind: 'decided'; readonly now: Told; readonly line: Line | undefined }
  | {
      readonly kind: 'undecidable';
      readonly why: string;
      /** What would be said if the thing that is not known were in favour of the request. */
      readonly atBest: Told | undefined;
      readonly line: Line | undefined;
    };

export const same = (a: Told, b: Told): boolean =>
  a.decision === b.decision && a.reason === b.reason && a.shadow === b.shadow;

export const textOf = ({ reason, shadow }: Told): string => (shadow === undefined ? reason : `${shadow} (in shadow)`);

export function toldBy(decision: Decision, { settings, snapshot }: Against): Told {
  const { verdict } = answeredIn(modeOf(settings.policy.mode, snapshot.policy?.mode), decision);
  switch (verdict.kind) {
    case 'allow':
      return { decision: 'allow', reason: verdict.permit.reason, shadow: undefined };
    case 'deny':
      return { decision: 'deny', reason: verdict.refusal.reason, shadow: undefined };
    case 'shadow':
      return { decision: 'allow', reason: 'allowed', shadow: verdict.refusal.reason };
  }
}
