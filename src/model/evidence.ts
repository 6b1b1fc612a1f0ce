import type { Sha256Hex, SpiffeId, TokenName } from './ids.js';

/** Facts of one X.509-SVID leaf as parsed: its own rules hold (one URI SAN, no CA, key usage), its path is not yet verified. */
export interface CertificateFacts {
  readonly id: SpiffeId;
  /** DER of the leaf; the intermediates that came with it, in the order given. */
  readonly der: Uint8Array;
  readonly sha256: Sha256Hex;
  /** Lower-case hex, no separators. */
  readonly serial: string;
  /** RFC 4514 text of the issuer's name. */
  readonly issuer: string;
  /** Both ms since 1970, as in the certificate, both ends valid. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** One element of x-forwarded-client-cert, text or JSON, syntactically right and nothing more: hearsay. */
export interface ForwardedElement {
  readonly by: readonly string[];
  readonly hash: string | undefined;
  /** PEM, decoded from its percent-encoding. */
  readonly cert: string | undefined;
  readonly chain: string | undefined;
  readonly uri: readonly string[];
}

/** A JWT whose form is right (RFC 7515 compact, canonical base64url, JSON objects). No claim is verified. */
export interface TokenText {
  /** The exact text, as presented. */
  readonly text: string;
  readonly header: { readonly alg: string; readonly typ: string | undefined; readonly kid: string | undefined };
  readonly claimed: Claims;
  /** One name for every spelling of the token; until the signature is verified anybody can claim it. */
  readonly name: TokenName;
  readonly place: TokenPlace;
}

export type Claims = Readonly<Record<string, unknown>>;

/** Where a token was found: `authorization`, or the name of a header in lower case. */
export type TokenPlace = string;
