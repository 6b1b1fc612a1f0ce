import type { Sha256Hex, SpiffeId } from './ids.js';
import type { CertificateFacts } from './evidence.js';

/** Who holds the mTLS connection, as verified by the source that `origin.peer` names. */
export interface VerifiedPeer {
  readonly id: SpiffeId;
  /** SHA-256 of its certificate; with `peer: principal` the Hash of the own element. */
  readonly sha256: Sha256Hex;
  /** The verified certificate; undefined with `peer: principal`, where Envoy's own check is trusted. */
  readonly certificate: CertificateFacts | undefined;
}

declare const sealed: unique symbol;

/**
 * The workload that started the call, or `outside` where no workload stands behind the forwarder. Made only in
 * origin/verify.ts: branded here, remembered there, and asked for once more before an OK is written.
 */
export type VerifiedOrigin = {
  readonly [sealed]: 'VerifiedOrigin';
  readonly peer: VerifiedPeer;
  /** From the origin's side to the guard's: the proxies that stood between. */
  readonly forwarders: readonly SpiffeId[];
  /** origin → forwarders → guard; without an origin for outside, without the guard where its identity is not known. */
  readonly chain: readonly SpiffeId[];
  /** URIs of the elements left of the origin: claims, for the record only. */
  readonly ignoredHistory: readonly string[];
  /** Names that a revocation may touch: certificates of the chain (SHA-256, and issuer+serial where known). */
  readonly certificates: readonly CertificateName[];
} & (WorkloadOrigin | OutsideOrigin);

export interface WorkloadOrigin {
  readonly kind: 'workload';
  readonly id: SpiffeId;
  /** SHA-256 of the origin's certificate: seen by us, or the Hash that a listed forwarder vouches for. */
  readonly sha256: Sha256Hex | undefined;
  /** The origin's own certificate where we verified it ourselves. */
  readonly certificate: CertificateFacts | undefined;
}

export interface OutsideOrigin {
  readonly kind: 'outside';
  /** The forwarder behind which nobody stands. */
  readonly behind: SpiffeId;
}

export interface CertificateName {
  readonly sha256: Sha256Hex;
  readonly serial: string | undefined;
  readonly issuer: string | undefined;
}
