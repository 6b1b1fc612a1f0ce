import type { SpiffeId } from './ids.js';
import type { VerifiedOrigin, VerifiedPeer } from './origin.js';
import type { Line, Route } from './policy.js';
import type { AllowReason } from './reasons.js';
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

export type Verdict =
  { readonly kind: 'allow'; readonly permit: Permit } | { readonly kind: 'deny'; readonly refusal: Refusal };

/** What the steps found out, as far as they came: for the answer and the record. */
export interface Findings {
  readonly route?: Route;
  readonly peer?: VerifiedPeer;
  readonly origin?: VerifiedOrigin;
  /** The token's own words, before they are verified. */
  readonly presented?: TokenText;
  readonly token?: VerifiedToken;
  readonly bound?: Bound;
}

export interface Decision {
  readonly verdict: Verdict;
  readonly findings: Findings;
}

/** A decision with the circumstances under which it was given: what the answer and the record are made from. */
export interface Outcome extends Decision {
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
