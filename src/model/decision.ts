import type { SpiffeId } from './ids.js';
import type { VerifiedOrigin, VerifiedPeer } from './origin.js';
import type { Line, Route } from './policy.js';
import type { AllowReason, Reason } from './reasons.js';
import type { Refusal } from './result.js';
import type { TokenText } from './evidence.js';
import type { VerifiedToken, Bound, Credential } from './token.js';

declare const sealed: unique symbol;

/** The right to answer OK. Made only in policy/decide.ts: branded here, remembered there. */
export type Permit = {
  readonly [sealed]: 'Permit';
  readonly reason: AllowReason;
  readonly line: Line;
};

/** What policy/decide.ts is asked. `origin` and `credential` are undefined only where nothing demands them. */
export interface Question {
  readonly route: Route;
  readonly origin: VerifiedOrigin | undefined;
  readonly credential: Credential | undefined;
  /** Lower case, without port. */
  readonly host: string;
  readonly upgrade: boolean;
  readonly guard: SpiffeId | undefined;
}

/** What the steps decide. */
export type Judgement =
  | { readonly kind: 'allow'; readonly permit: Permit }
  | {
      readonly kind: 'deny';
      readonly refusal: Refusal;
      /** The owner's own line refuses, and nothing else does: what the owner's shadow mode covers. */
      readonly ownLine?: true;
    };

/** What is answered. `shadow`: refused, and answered OK all the same. Made only in shadow.ts; it is no Permit. */
export type Verdict = Judgement | { readonly kind: 'shadow'; readonly refusal: Refusal };

/**
 * Whether refusals count. `shadow`: the operator's, whatever is refused after step 1 is answered OK; `owner-shadow`: the
 * owner's, which covers what the owner's own line refuses.
 */
export type Mode = 'enforce' | 'shadow' | 'owner-shadow';

/** What the candidate policy would have said. It holds no permit: nothing is ever answered with it. */
export interface CandidateVerdict {
  readonly decision: 'allow' | 'deny';
  readonly reason: Reason;
  /** Number of the candidate's line. */
  readonly rule: number | undefined;
  /** Revision of the candidate. */
  readonly policy: string;
}

/** What the steps found out, as far as they came: for the answer and the record. */
export interface Findings {
  readonly route?: Route;
  readonly peer?: VerifiedPeer;
  readonly origin?: VerifiedOrigin;
  /** The token's own words, before they are verified. */
  readonly presented?: TokenText;
  readonly token?: VerifiedToken;
  readonly bound?: Bound;
  /** This check was the first to present the token, and pinned it. */
  readonly pinnedNow?: true;
}

export interface Decision {
  readonly verdict: Judgement;
  readonly findings: Findings;
}

/** A decision with the circumstances under which it was given: what the answer and the record are made from. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly findings: Findings;
  readonly mode: Mode;
  /** Undefined where there is no candidate, or step 1 already refused. */
  readonly candidate: CandidateVerdict | undefined;
  /** Unique for each check. */
  readonly id: string;
  /** ms since 1970. */
  readonly time: number;
  readonly cache: 'hit' | 'miss';
  /** Revision of the policy that decided; undefined where none was loaded. */
  readonly policy: string | undefined;
  readonly policyStale: boolean;
  readonly owner: string | null;
  readonly guard: SpiffeId | undefined;
  readonly peerNotVerified: boolean;
}
