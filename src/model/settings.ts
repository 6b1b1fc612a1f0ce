import type { BundleFrom, KeysFrom } from './from.js';
import type { SpiffeId, TrustDomain } from './ids.js';
import type { IdPattern, ScopePattern } from './patterns.js';

/**
 * The configuration after config/ has checked it: complete, with defaults, every path absolute, every duration in
 * milliseconds. Nothing in here is optional "just in case": null means what the contract says null means.
 */
export interface Settings {
  readonly workload: SpiffeId | null;
  readonly environment: string | null;
  readonly listen: ListenSettings;
  readonly identity: IdentitySettings;
  readonly trust: ReadonlyMap<TrustDomain, TrustSettings>;
  readonly origin: OriginSettings;
  readonly tokens: readonly IssuerSettings[];
  /** Override headers that are let through, lower case. */
  readonly allowHeaders: readonly string[];
  readonly policy: PolicySettings;
  readonly cache: { readonly entries: number; readonly maxAge: number; readonly pins: number };
  readonly store: StoreSettings;
  readonly revocation: RevocationSettings;
  readonly audit: AuditSettings;
  readonly logLevel: LogLevel;
  readonly denials: DenialDetail;
  /** Things the operator should know at start, one sentence each: plaintext listener, peer not verified, memory store. */
  readonly warnings: readonly string[];
}

export interface RevocationSettings {
  readonly file: string | null;
  /** A store that was not heard for longer (ms) closes the routes that need its revocations. */
  readonly maxStaleness: number;
  /** For how long (ms) a token is revoked whose presenters differ; null: it is only told. */
  readonly onIncident: number | null;
}

/** Our own SVID, and the Workload API that whatever is from there comes from. */
export interface IdentitySettings {
  /** null: nobody told us where it is, and nothing needs it. */
  readonly workloadApi: Address | null;
  readonly svid: { readonly kind: 'none' | 'workload-api' } | SvidFiles;
}

/** PEM; absolute. */
export interface SvidFiles {
  readonly kind: 'files';
  readonly certificate: string;
  readonly key: string;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export type DenialDetail = 'none' | 'reason' | 'hint' | 'auto';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export interface ListenSettings {
  readonly check: readonly Address[];
  /** File mode of Unix sockets, as a number (0o660). */
  readonly socketMode: number;
  /** Of Unix sockets; TCP is always grpc-js. */
  readonly transport: 'lean' | 'grpc-js';
  readonly tls: { readonly certificate: string; readonly key: string; readonly clientCA: string | null } | null;
  readonly secretFile: string | null;
  readonly plaintext: boolean;
  readonly reflection: boolean;
  readonly admin: Address | null;
  readonly adminTokenFile: string | null;
  readonly health: Address | null;
  readonly metrics: Address | null;
  readonly drainDelay: number;
}

export type DataLabel = 'public' | 'internal' | 'confidential' | 'restricted';
export const DATA_LABELS: readonly DataLabel[] = ['public', 'internal', 'confidential', 'restricted'];

export interface TrustSettings {
  readonly bundle: BundleFrom;
  readonly intermediates: string | null;
  readonly environment: string | null;
  readonly maxCertificateLifetime: number | null;
  readonly ceiling: { readonly scopes: readonly ScopePattern[] | null; readonly data: DataLabel | null } | null;
}

/** Where pins and used tokens are kept. */
export type StoreSettings = { readonly kind: 'memory' } | ({ readonly kind: 'redis' } & RedisSettings);

export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
  /** PEM file; null: the system's authorities. */
  readonly ca: string | null;
  readonly usernameFile: string | null;
  readonly passwordFile: string | null;
  /** The secret that names in the store are digested with, and values sealed; null: a key that everybody knows. */
  readonly keyFile: string | null;
}

export interface OriginSettings {
  readonly peer: 'certificate' | 'xfcc' | 'principal';
  readonly xfcc: 'append-forward' | 'sanitize-set' | 'forward-only' | 'ignore';
  readonly maxHops: number;
  readonly forwarders: ReadonlyMap<SpiffeId, ForwarderSettings>;
}

export interface ForwarderSettings {
  readonly id: SpiffeId;
  readonly origins: readonly IdPattern[];
  readonly behind: ReadonlySet<SpiffeId>;
  readonly originCertificate: 'optional' | 'require';
}

export type Binding = 'strongest' | 'exact' | 'window' | 'identity' | 'pin' | 'none';
export const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface IssuerSettings {
  readonly issuer: string;
  readonly keys: KeysFrom;
  readonly audiences: readonly string[];
  readonly algorithms: readonly Algorithm[];
  /** Lower case, without `application/`. */
  readonly types: readonly string[];
  /** `authorization`, or a header's name in lower case. */
  readonly from: string;
  /** Claims that may hold the scopes, the first that is there counts. */
  readonly scopeClaims: readonly string[];
  readonly grants: readonly ScopePattern[];
  readonly presenters: readonly IdPattern[];
  readonly identity: IdentityRule | null;
  /** Trust domains that `identity` may name; null: the guard's own. */
  readonly domains: readonly TrustDomain[] | null;
  readonly binding: Binding;
  /** What a pin goes by: the origin, or origin and certificate key. */
  readonly pinBy: 'origin' | 'instance';
  readonly pinScope: 'workload' | 'fleet';
  /** Who is refused where presenters differ. */
  readonly onConflict: 'later' | 'both';
  /** A token first seen this long (ms) after its `iat` is an event; null: never. */
  readonly suspectAfter: number | null;
  readonly maxLifetime: number;
  readonly clockSkew: number;
  readonly forward: boolean;
}

/** How the workload that a token names is read: parts alternate between text and a claim's name; or Kubernetes' own claims. */
export type IdentityRule =
  | { readonly kind: 'template'; readonly parts: readonly ({ readonly text: string } | { readonly claim: string })[] }
  | { readonly kind: 'kubernetes' };

export interface PolicySettings {
  /** The file that holds the owner's lines: a Downward API file of all annotations, or just the scope lines. */
  readonly source: { readonly kind: 'annotations' | 'scopes'; readonly file: string };
  readonly reload: 'live' | 'restart';
  readonly maxLastGood: number;
  /** The operator's scope lines; already parsed once by config/, so that a bad one stops the start. */
  readonly guardrails: string;
  readonly ownersMay: readonly OwnerRight[];
  readonly mode: 'enforce' | 'shadow';
  /** Scope lines that are evaluated beside the enforced ones. */
  readonly candidate: string | null;
}

/** What an owner's line or annotation may only use where the operator says so. */
export type OwnerRight = 'workload' | 'anyone' | 'shadow';

export interface AuditSettings {
  readonly to: { readonly kind: 'stdout' } | { readonly kind: 'file'; readonly path: string };
  /** Share of allowed decisions that leave a record: 1 all, 0 none. Denials always do. */
  readonly allowedShare: number;
  readonly path: 'raw' | 'template' | 'none';
  readonly onFailure: 'allow' | 'deny';
}
