/**
 * Values that passed every check → Settings: paths made absolute, names branded, lists turned into maps. It refuses
 * nothing and reads no file.
 */
import { resolve } from 'node:path';
import type { BundleFrom, KeysFrom } from '../model/from.js';
import { parseTrustDomain } from '../model/ids.js';
import type { TrustDomain } from '../model/ids.js';
import { parseScopePattern } from '../model/patterns.js';
import type {
  Address,
  IdentitySettings,
  IssuerSettings,
  ListenSettings,
  PolicySettings,
  Settings,
  StoreSettings,
  TrustSettings,
} from '../model/settings.js';
import { workloadApiAddress } from './address.js';
import type { Env } from './interpolate.js';
import { OIDC, SPIFFE_KEYS, WORKLOAD_API } from './leaves.js';
import { isUrl } from './remote-leaves.js';
import type { Config, TokenConfig, TrustConfig } from './schema.js';

type Absolute = (path: string) => string;

export function settingsOf(config: Config, folder: string, env: Env): Settings {
  const absolute: Absolute = (path) => resolve(folder, path);
  const { origin, audit } = config;
  return {
    workload: config.workload,
    environment: config.environment,
    listen: listenOf(config.listen, absolute),
    identity: identityOf(config.identity, absolute, env),
    trust: new Map(Object.entries(config.trust).flatMap(([name, entry]) => trustOf(name, entry, absolute))),
    origin: {
      peer: origin.peer,
      xfcc: origin.xfcc,
      maxHops: origin.maxHops,
      forwarders: new Map(origin.forwarders.map((each) => [each.id, { ...each, behind: new Set(each.behind) }])),
    },
    tokens: config.tokens.map((token) => issuerOf(token, absolute)),
    allowHeaders: config.request.allowHeaders,
    policy: policyOf(config.policy, absolute),
    cache: config.cache,
    store: storeOf(config.store, absolute),
    revocation: { ...config.revocation, file: orNull(config.revocation.file, absolute) },
    audit: {
      to: audit.to.kind === 'file' ? { kind: 'file', path: absolute(audit.to.path) } : audit.to,
      allowedShare: audit.allowed,
      path: audit.path,
      onFailure: audit.onFailure,
    },
    logLevel: config.log.level,
    denials: config.denials.detail,
    warnings: warningsOf(config),
  };
}

const orNull = (path: string | null, absolute: Absolute): string | null => (path === null ? null : absolute(path));

const addressOf = (address: Address, absolute: Absolute): Address =>
  address.kind === 'unix' ? { kind: 'unix', path: absolute(address.path) } : address;

function listenOf(listen: Config['listen'], absolute: Absolute): ListenSettings {
  const { tls } = listen;
  return {
    check: listen.check.map((address) => addressOf(address, absolute)),
    socketMode: listen.socketMode,
    transport: listen.transport,
    tls:
      tls === null
        ? null
        : { certificate: absolute(tls.certificate), key: absolute(tls.key), clientCA: orNull(tls.clientCA, absolute) },
    secretFile: orNull(listen.secretFile, absolute),
    plaintext: listen.plaintext,
    reflection: listen.reflection,
    admin: listen.admin === null ? null : addressOf(listen.admin, absolute),
    adminTokenFile: orNull(listen.adminTokenFile, absolute),
    health: listen.health,
    metrics: listen.metrics,
    drainDelay: listen.drainDelay,
  };
}

function trustOf(name: string, entry: TrustConfig, absolute: Absolute): [TrustDomain, TrustSettings][] {
  const domain = parseTrustDomain(name);
  if (domain === undefined) return [];
  const { environment, maxCertificateLifetime, ceiling } = entry;
  const intermediates = orNull(entry.intermediates, absolute);
  return [[domain, { bundle: bundleOf(entry, absolute), intermediates, environment, maxCertificateLifetime, ceiling }]];
}

function bundleOf(entry: TrustConfig, absolute: Absolute): BundleFrom {
  const { bundle, bundleCA, bundleAllow: allow, endpointSpiffeId, bootstrap, maxStale } = entry;
  if (bundle === WORKLOAD_API) return { kind: 'workload-api', maxStale };
  if (!isUrl(bundle)) return { kind: 'file', file: absolute(bundle) };
  if (endpointSpiffeId !== null && bootstrap !== null)
    return {
      kind: 'https-spiffe',
      url: bundle,
      endpoint: endpointSpiffeId,
      bootstrap: absolute(bootstrap),
      allow,
      maxStale,
    };
  return { kind: 'https', url: bundle, ca: orNull(bundleCA, absolute), allow, maxStale };
}

/** The environment variable by which a platform says where its Workload API is (Workload Endpoint §4). */
export const ENDPOINT_VARIABLE = 'SPIFFE_ENDPOINT_SOCKET';

/** Files are our own SVID where they are named; else it is from the Workload API, where `identity` names that. */
function identityOf(identity: Config['identity'], absolute: Absolute, env: Env): IdentitySettings {
  const told = workloadApiAddress(env[ENDPOINT_VARIABLE] ?? '');
  const written = identity?.workloadApi ?? null;
  const workloadApi = written === null ? ('value' in told ? told.value : null) : addressOf(written, absolute);
  const [certificate, key] = [identity?.certificate ?? null, identity?.key ?? null];
  if (certificate !== null && key !== null)
    return { workloadApi, svid: { kind: 'files', certificate: absolute(certificate), key: absolute(key) } };
  return { workloadApi, svid: { kind: written === null ? 'none' : 'workload-api' } };
}

/** Most providers say `scope` (RFC 8693 §4.2); some say `scp`. */
const SCOPE_CLAIMS = ['scope', 'scp'];
const ALL_SCOPES = ['**'].flatMap((text) => parseScopePattern(text) ?? []);

/** JWT-SVID §2.3. */
export const SVID_TYPES = ['jwt', 'jose'];

function keysOf(token: TokenConfig, absolute: Absolute): KeysFrom {
  const { keys, keysCA, keysAllow: allow, maxStale, issuer } = token;
  const rules = { ca: orNull(keysCA, absolute), allow, maxStale };
  if (keys === OIDC) return { kind: 'oidc', issuer, ...rules };
  if (isUrl(keys)) return { kind: 'https', url: keys, ...rules };
  const domain = keys.startsWith(SPIFFE_KEYS) ? parseTrustDomain(keys.slice(SPIFFE_KEYS.length)) : undefined;
  return domain === undefined ? { kind: 'file', file: absolute(keys) } : { kind: 'spiffe', domain };
}

function issuerOf(token: TokenConfig, absolute: Absolute): IssuerSettings {
  const keys = keysOf(token, absolute);
  return {
    issuer: token.issuer,
    keys,
    audiences: token.audiences,
    algorithms: token.algorithms,
    types: keys.kind === 'spiffe' ? SVID_TYPES : token.types,
    from: token.from,
    scopeClaims: token.scopes === null ? SCOPE_CLAIMS : [token.scopes],
    grants: token.grants ?? ALL_SCOPES,
    presenters: token.presenters,
    identity: token.identity,
    domains: token.domains === null || token.domains.length === 0 ? null : token.domains,
    binding: token.binding,
    pinBy: token.pinBy,
    pinScope: token.pinScope,
    onConflict: token.onConflict,
    suspectAfter: token.suspectAfter,
    maxLifetime: token.maxLifetime,
    clockSkew: token.clockSkew,
    forward: token.forward,
  };
}

function storeOf(store: Config['store'], absolute: Absolute): StoreSettings {
  if (store.kind === 'memory') return store;
  const { ca, usernameFile, passwordFile, keyFile } = store;
  return {
    ...store,
    ca: orNull(ca, absolute),
    usernameFile: orNull(usernameFile, absolute),
    passwordFile: orNull(passwordFile, absolute),
    keyFile: orNull(keyFile, absolute),
  };
}

function policyOf(policy: Config['policy'], absolute: Absolute): PolicySettings {
  const { annotations, scopes } = policy;
  return {
    source:
      annotations === null
        ? { kind: 'scopes', file: absolute(scopes ?? '') }
        : { kind: 'annotations', file: absolute(annotations) },
    reload: policy.reload,
    maxLastGood: policy.maxLastGood,
    guardrails: policy.guardrails,
    ownersMay: policy.ownersMay,
    mode: policy.mode,
    candidate: orNull(policy.candidate, absolute),
  };
}

function warningsOf({ listen, origin, policy, store, tokens }: Config): string[] {
  const open =
    listen.check.some((address) => address.kind === 'tcp') && listen.tls === null && listen.secretFile === null;
  return [
    ...(open
      ? ['listen.plaintext: anyone who reaches the TCP listener can ask for decisions and read the answers']
      : []),
    ...(origin.peer === 'principal'
      ? [
          "peer_not_verified: with origin.peer: principal the peer is what Envoy says; the guard verifies no peer's certificate",
        ]
      : []),
    ...(policy.mode === 'shadow'
      ? ['policy.mode: shadow: whatever is refused after the form of the request is answered OK, and only recorded']
      : []),
    ...storeWarnings(store, tokens),
  ];
}

function storeWarnings(store: Config['store'], tokens: Config['tokens']): string[] {
  if (store.kind === 'memory')
    return [
      'store: memory forgets at restart: pins, tokens used once, and revocations that were not made in the revocation file',
      ...(tokens.some(({ pinScope }) => pinScope === 'fleet')
        ? [
            'tokens[].pinScope: fleet needs a store that guards share; with store: memory each guard has pins of its own',
          ]
        : []),
    ];
  if (store.keyFile !== null) return [];
  return ['store.keyFile is not set: whoever can read the store can tell which tokens and workloads it is about'];
}
