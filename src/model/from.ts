/**
 * Where keys and bundles come from, as the operator wrote it and config/ checked it: a union, so that each kind has what
 * it needs and nothing else.
 */
import type { SpiffeId, TrustDomain } from './ids.js';

export interface FileFrom {
  readonly kind: 'file';
  /** Absolute. */
  readonly file: string;
}

/** What every https source is held to. */
export interface RemoteRules {
  /** PEM file with the authorities of the server's certificate; null: the system's. */
  readonly ca: string | null;
  /** Private and link-local addresses (CIDR) that the server may have besides public and loopback ones. */
  readonly allow: readonly string[];
  /** How long the last good value goes on while the source is down, ms. */
  readonly maxStale: number;
}

export interface HttpsFrom extends RemoteRules {
  readonly kind: 'https';
  /** `https:`, without user and fragment. */
  readonly url: string;
}

/** OpenID Connect Discovery 1.0 §4: the issuer's own document names the keys. */
export interface OidcFrom extends RemoteRules {
  readonly kind: 'oidc';
  readonly issuer: string;
}

/** A bundle endpoint that shows an X.509-SVID (SPIFFE Federation §5.2.2); for its server's certificate `ca` says nothing. */
export interface HttpsSpiffeFrom extends Omit<RemoteRules, 'ca'> {
  readonly kind: 'https-spiffe';
  /** `https:`, without user and fragment. */
  readonly url: string;
  /** Who must answer there. */
  readonly endpoint: SpiffeId;
  /** File with a bundle of the endpoint's trust domain: what the first answer is verified with. Absolute. */
  readonly bootstrap: string;
}

/** The SPIFFE Workload API of this node. */
export interface WorkloadApiFrom {
  readonly kind: 'workload-api';
  /** How long the last good value goes on while the agent is away, ms. */
  readonly maxStale: number;
}

/** The JWT authorities in the bundle of a trust domain (JWT-SVID §5). */
export interface SpiffeFrom {
  readonly kind: 'spiffe';
  readonly domain: TrustDomain;
}

export type BundleFrom = FileFrom | HttpsFrom | HttpsSpiffeFrom | WorkloadApiFrom;
export type KeysFrom = FileFrom | HttpsFrom | OidcFrom | SpiffeFrom;

/** For people: a path, a URL, or a few words. */
export function fromText(from: BundleFrom | KeysFrom): string {
  switch (from.kind) {
    case 'file':
      return from.file;
    case 'https':
    case 'https-spiffe':
      return from.url;
    case 'oidc':
      return discoveryUrl(from.issuer);
    case 'workload-api':
      return 'workload-api';
    case 'spiffe':
      return `spiffe:${from.domain}`;
  }
}

/** OpenID Connect Discovery 1.0 §4.1: behind the issuer's path, without a slash at its end. */
export const discoveryUrl = (issuer: string): string =>
  `${issuer.endsWith('/') ? issuer.slice(0, -1) : issuer}/.well-known/openid-configuration`;
