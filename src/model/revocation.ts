/** What a revocation names, and what somebody said about it. The form of the texts is checked in state/revocation/order.ts. */

export const REVOCATION_TYPES = [
  'token',
  'jti',
  'subject',
  'identity',
  'certificate',
  'serial',
  'key',
  'txn',
  'issuer',
  'trust_domain',
] as const;
export type RevocationType = (typeof REVOCATION_TYPES)[number];

/** Types whose value is a name only within an issuer. */
export const NEEDS_ISSUER: ReadonlySet<RevocationType> = new Set(['jti', 'subject', 'serial', 'key']);

export interface RevokedName {
  readonly type: RevocationType;
  /** Of an identity: a SPIFFE ID, or a pattern with its trust domain. */
  readonly value: string;
  /** Of the token, or (serial) the certificate's issuer name. */
  readonly issuer: string | undefined;
}

export interface Revocation extends RevokedName {
  /** ms, exclusive; Infinity without an end. */
  readonly until: number;
}

/** One line of the revocation file, one POST, one command. Of an unrevoke `until` means nothing. */
export interface RevocationOrder {
  readonly kind: 'revoke' | 'unrevoke';
  /** When it was said, ms. */
  readonly at: number;
  readonly revocation: Revocation;
  readonly reason: string | undefined;
  readonly by: string | undefined;
}

/** Where an order came from. */
export type RevocationSource = 'file' | 'store' | 'admin' | 'incident';

/** An order that changed something here. */
export interface AppliedOrder extends RevocationOrder {
  readonly source: RevocationSource;
  /** Whether it came while this guard was looking, rather than with the first reading of a source. */
  readonly live: boolean;
}

export type OnRevocation = (applied: AppliedOrder) => void;
