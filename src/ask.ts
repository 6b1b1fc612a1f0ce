/** What the steps of a check share: whom they ask, what they are asked, and what they say before anything is written. */
import type { readForwarded } from './evidence/forwarded.js';
import type { Attributes } from './model/attributes.js';
import type { Decision } from './model/decision.js';
import type { SpiffeId } from './model/ids.js';
import type { HorizonPart, Instant } from './model/instant.js';
import type { Route } from './model/policy.js';
import type { PinClaim } from './model/pin.js';
import type {
  ContestPin,
  IsRevoked,
  Pins,
  RevocableNames,
  RevocationStanding,
  Uses,
  VerifyCertificate,
  WriteClaims,
} from './model/ports.js';
import type { Settings } from './model/settings.js';
import type { Snapshot } from './model/snapshot.js';
import type { VerifyTokenSignature } from './origin/token.js';
import type { Shape } from './request/shape.js';
import type { DecisionCache, KeyPart } from './state/decision-cache.js';
import type { Turns } from './state/turns.js';

export interface CheckDependencies {
  readonly settings: Settings;
  readonly snapshot: () => Snapshot;
  readonly verifyCertificate: (snapshot: Snapshot) => VerifyCertificate;
  readonly verifyTokenSignature: (snapshot: Snapshot) => VerifyTokenSignature;
  /** As evidence/forwarded.ts reads it, for whoever remembers what it read. Absent: it is read anew. */
  readonly readForwarded?: typeof readForwarded;
  /** Of the event loop: whoever may verify a certificate waits for one. Absent: nobody waits. */
  readonly turns?: Pick<Turns, 'wait'>;
  readonly pins: Pins;
  readonly uses: Uses;
  readonly writeClaims: WriteClaims;
  readonly contestPin: ContestPin;
  readonly isRevoked: IsRevoked;
  /** Whether revocations may have been missed: their store was not heard for `revocation.maxStaleness`. Absent: never. */
  readonly revocationsStale?: (now: number) => boolean;
  /** A decision that was found is refused by a revocation. */
  readonly onFallen?: (names: RevocableNames, now: number) => void;
  /** Absent: the revocations are asked on each hit. */
  readonly standing?: RevocationStanding;
  readonly cache: DecisionCache;
  /** ms since 1970; read once for each check. Whoever owns the cache empties it when the clock steps back: state/clock.ts. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly onFault: (fault: unknown) => void;
  /** For the tests that prove that each part of the key and of the expiry is needed. */
  readonly keyParts?: readonly KeyPart[];
  readonly deaf?: HorizonPart;
}

/** What the later steps need of the earlier ones. */
export interface Ask {
  readonly attributes: Attributes;
  readonly shape: Shape;
  readonly route: Route;
  /** What the candidate policy says about the same method and path. */
  readonly beside: Route | undefined;
  readonly guard: SpiffeId | undefined;
  readonly snapshot: Snapshot;
  readonly deps: CheckDependencies;
  readonly instant: Instant;
}

/** A decision that nothing has been written for yet. */
export interface Draft extends Decision {
  /** Undefined where the decision was made before step 6. */
  readonly names?: RevocableNames;
  /** False where it was made on something that a cached copy would not notice changing. */
  readonly cacheable: boolean;
  /** Set where presenters differ and the request would otherwise have been allowed: what `onConflict: both` marks. */
  readonly contest?: PinClaim;
}
