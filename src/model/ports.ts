import type { CertificateName } from './origin.js';
import type { CertificateFacts } from './evidence.js';
import type { SpiffeId, TokenName, TrustDomain } from './ids.js';
import type { Claims, PinClaim, Pinned, Use } from './pin.js';
import type { Algorithm, IssuerSettings } from './settings.js';
import type { Result } from './result.js';
import type { VerifiedToken } from './token.js';

/** A verification key of an issuer. Opaque to everything but the verifier. */
export interface VerificationKey {
  readonly kid: string;
  readonly fits: (algorithm: Algorithm) => boolean;
  /**
   * Whether `signature` (raw JWS bytes) over `input` (the signing input, ASCII) is right for `algorithm` (RFC 7518 §3): at
   * once where that is quick, as a promise where it would hold up the event loop.
   */
  readonly verify: (algorithm: Algorithm, input: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>;
}

/** All keys of an issuer; 'unavailable' where none could be loaded, or the last good ones are too old. */
export type FindKeys = (issuer: IssuerSettings) => ReadonlyMap<string, VerificationKey> | 'unavailable';

/** The trust anchors of one domain; 'unknown' where it is not configured, 'unavailable' where its bundle is not loaded. */
export type FindBundle = (domain: TrustDomain) => Bundle | 'unknown' | 'unavailable';

export interface Bundle {
  /** DER of each root. An empty list is a valid bundle: nothing is trusted any more. */
  readonly anchors: readonly Uint8Array[];
  /** DER of the operator's intermediates. */
  readonly intermediates: readonly Uint8Array[];
}

/** Verifies a path from a leaf to an anchor of its own domain's bundle; a pure function of bytes and bundle. */
export type VerifyPath = (
  leaf: CertificateFacts,
  presented: readonly Uint8Array[],
  bundle: Bundle,
) => Result<readonly PathWindow[]>;

/** When all issuers of one valid path are valid: both ends inclusive, ms. The leaf's own dates are not in it. */
export interface PathWindow {
  readonly from: number;
  readonly until: number;
}

/** A leaf whose own rules hold and from which a path leads to its domain's bundle. Its times are still to be compared. */
export interface VerifiedLeaf {
  readonly facts: CertificateFacts;
  readonly windows: readonly PathWindow[];
}

/**
 * Verifies an X.509-SVID against the bundle of the trust domain that its ID names, and no other. Refuses with a `peer_`
 * reason or `bundle_unavailable`. Does NOT look at the time: see origin/certificate-times.ts.
 */
export type VerifyCertificate = (certificate: PemText, chain: PemText | undefined) => Result<VerifiedLeaf>;

/** PEM as Envoy hands it over: percent-encoded in source.certificate, decoded already in XFCC elements. */
export interface PemText {
  readonly encoding: 'percent' | 'plain';
  readonly text: string;
}

/** Everything of one call that a revocation can name. */
export interface RevocableNames {
  readonly identities: readonly SpiffeId[];
  readonly certificates: readonly CertificateName[];
  readonly token:
    { readonly name: TokenName; readonly token: VerifiedToken; readonly identity: SpiffeId | undefined } | undefined;
}

/** Asked for every decision, also on each cache hit. */
export type IsRevoked = (names: RevocableNames, now: number) => Result<void>;

/** At once, or after asking a store elsewhere. */
export type Answer<T> = Result<T> | Promise<Result<T>>;

/**
 * A number that is another one whenever a name may be refused that was not refused before; NaN while nothing may be taken
 * from memory. What was clear under a standing is clear under the same standing at every later moment.
 */
export type RevocationStanding = (now: number) => number;

/**
 * What is known here and now about a pin: the presenter holds it (or shares it by design); nobody does; another one does;
 * or only a store elsewhere could tell.
 */
export type PinKnowledge = 'holds' | 'free' | 'conflict' | 'unknown';

/** Who first presented an unbound token. */
export interface Pins {
  /** Asked on each cache hit; never waits for anybody. */
  readonly peek: (pin: PinClaim, now: number) => PinKnowledge;
  /** Whether the presenter may present the token, without writing anything. */
  readonly compare: (pin: PinClaim, now: number) => Answer<void>;
  /** Who is remembered here, for the record of a conflict. */
  readonly pinned: (name: string, now: number) => Pinned | undefined;
}

/** Tokens that were used on a `once` line. */
export interface Uses {
  /** Whether the token is still unused on that line. */
  readonly unused: (use: Use, now: number) => Answer<void>;
}

/**
 * Compares once more, and writes the pin where nobody was first yet and every use: one step that nothing can come between,
 * all or nothing. Says whether the token was seen for the first time.
 */
export type WriteClaims = (claims: Claims, now: number) => Answer<'first' | 'known'>;

/** Marks a pin whose presenters differ, so that nobody holds it any more. */
export type ContestPin = (pin: PinClaim, now: number) => Answer<void>;
