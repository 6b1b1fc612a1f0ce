import type { TokenName } from './ids.js';
import type { PinClaim } from './pin.js';
import type { Claims } from './evidence.js';
import type { IssuerSettings } from './settings.js';

/** A token whose signature and claims are verified. It says nothing yet about who may present it. */
export interface VerifiedToken {
  readonly name: TokenName;
  readonly issuer: IssuerSettings;
  readonly kid: string;
  readonly subject: string | undefined;
  readonly jti: string | undefined;
  readonly txn: string | undefined;
  /** ms since 1970. */
  readonly issuedAt: number;
  /** ms since 1970; already without clock skew. */
  readonly expires: number;
  /** Already cut to the issuer's grants, each once. */
  readonly scopes: readonly string[];
  /** When its issuer expected it to be renewed, ms; a flag in the record, no end. */
  readonly warnAfter: number | undefined;
  /** Who acts on behalf of the subject, the one that acts now first. For the record: it grants nothing. */
  readonly actors: readonly string[];
  readonly claims: Claims;
}

/** What ties a verified token to the origin that presented it. */
export interface Bound {
  readonly method: 'exact' | 'window' | 'identity' | 'pin' | 'none';
  /** Set where the final allow must write a pin or keep to one. */
  readonly pin: PinClaim | undefined;
}

/** The credential of a request whose line (or a guardrail) looks at one. */
export interface Credential {
  readonly token: VerifiedToken;
  readonly bound: Bound;
}
