/**
 * The one table of keys: every key of the configuration, its form and its default. In: plain values. Out: typed values
 * and, as `configJsonSchema()`, the published JSON Schema. What one key alone can't know (two keys together, files,
 * folders) is in rules/ and settings.ts. Words whose feature is not built are refused with "not yet supported".
 *
 * Absolute bounds: a number beyond them is a slip of the keyboard, or would take the machine's memory.
 */
import * as z from 'zod';
import { ALGORITHMS } from '../model/settings.js';
import { adminAddress, anyAddress, probeAddress, workloadApiAddress } from './address.js';
import { allowedShare, auditTarget } from './audit-leaves.js';
import { onIncident } from './revocation-leaves.js';
import { distinct, leaf } from './leaf.js';
import * as one from './leaves.js';
import { addressList, allowHeader, count, later, laterEmpty, laterNull, list, section, word } from './pieces.js';
import { addressRange } from './remote-leaves.js';
import { store } from './store-leaves.js';
import { identityRule, tokenPlace, tokenType } from './token-leaves.js';

const DURATION = String.raw`^(0|[1-9][0-9]*)(ms|s|m|h|d)$`;
const duration = (least: string, most: string) => leaf(one.duration(least, most), DURATION);
const lifetime = duration('1ms', '36500d');

// Below a few seconds every hiccup of the source would be an outage.
const stale = duration('1s', '365d').prefault('24h');

const file = leaf(one.fileName);
const name = leaf(one.plainText);
const orNull = <T extends z.ZodType>(type: T) => type.nullable().prefault(null as z.input<T> | null);

const listen = section({
  check: addressList(anyAddress).prefault(['unix:/run/firsthand/check.sock']),
  socketMode: leaf(one.socketMode, '^0?[0-7]{3}$').prefault('0660'),
  transport: word(['lean', 'grpc-js']).prefault('lean'),
  tls: orNull(section({ certificate: file, key: file, clientCA: orNull(file) })),
  secretFile: orNull(file),
  plaintext: z.boolean().prefault(false),
  reflection: z.boolean().prefault(false),
  admin: leaf(adminAddress).prefault('127.0.0.1:9192'),
  adminTokenFile: orNull(file),
  health: leaf(probeAddress).prefault('off'),
  metrics: leaf(probeAddress).prefault('off'),
  // Kubernetes gives a pod 30 s to end unless told otherwise.
  drainDelay: duration('0s', '10m').prefault('5s'),
});

const identity = section({
  workloadApi: orNull(leaf(workloadApiAddress, '^(unix:|tcp://)')),
  certificate: orNull(file),
  key: orNull(file),
});

const dataLabel = word(['public', 'internal', 'confidential', 'restricted']);

const trustEntry = section({
  bundle: leaf(one.bundleFile),
  bundleCA: orNull(file),
  bundleAllow: list(leaf(addressRange)).transform(distinct).prefault([]),
  maxStale: stale,
  endpointSpiffeId: orNull(leaf(one.spiffeId)),
  bootstrap: orNull(file),
  intermediates: orNull(file),
  environment: orNull(name),
  maxCertificateLifetime: orNull(lifetime),
  ceiling: orNull(section({ scopes: orNull(list(leaf(one.scopePattern))), data: orNull(dataLabel) })),
});

const forwarder = section({
  id: leaf(one.spiffeId),
  origins: list(leaf(one.absolutePattern), 1),
  behind: list(leaf(one.spiffeId)).prefault([]),
  originCertificate: word(['optional', 'require']).prefault('optional'),
});

const origin = section({
  peer: word(['certificate', 'xfcc', 'principal']).prefault('certificate'),
  xfcc: word(['append-forward', 'sanitize-set', 'forward-only', 'ignore']).prefault('append-forward'),
  // An XFCC header has at most 16 elements, one of them the origin's.
  maxHops: count(1, 15).prefault(5),
  forwarders: list(forwarder).prefault([]),
  hops: later('off', ['accept', 'require']).prefault('off'),
});

const token = section({
  issuer: name,
  keys: leaf(one.keysFile),
  audiences: list(name, 1),
  algorithms: list(word(ALGORITHMS), 1).transform(distinct).prefault(['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA']),
  types: list(leaf(tokenType), 1).transform(distinct).prefault(['at+jwt', 'JWT']),
  from: leaf(tokenPlace).prefault('authorization'),
  scopes: orNull(name),
  grants: orNull(list(leaf(one.scopePattern))),
  presenters: list(leaf(one.presenterPattern)).prefault(['**']),
  identity: orNull(leaf(identityRule)),
  domains: orNull(list(leaf(one.trustDomain)).transform(distinct)),
  binding: word(['strongest', 'exact', 'window', 'identity', 'pin', 'none']).prefault('strongest'),
  keysCA: orNull(file),
  keysAllow: list(leaf(addressRange)).transform(distinct).prefault([]),
  maxStale: stale,
  pinBy: word(['origin', 'instance']).prefault('origin'),
  suspectAfter: orNull(lifetime),
  pinScope: word(['workload', 'fleet']).prefault('workload'),
  onConflict: word(['later', 'both']).prefault('later'),
  maxLifetime: lifetime.prefault('1h'),
  // RFC 7519 §4.1.4: no more than a few minutes.
  clockSkew: duration('0s', '10m').prefault('30s'),
  forward: z.boolean().prefault(true),
});

const policy = section({
  annotations: orNull(file),
  scopes: orNull(file),
  reload: word(['live', 'restart']).prefault('live'),
  maxLastGood: lifetime.prefault('24h'),
  guardrails: z.string().prefault(''),
  ownersMay: list(word(['workload', 'anyone', 'shadow']))
    .transform(distinct)
    .prefault(['workload']),
  mode: word(['enforce', 'shadow']).prefault('enforce'),
  candidate: orNull(file),
});

export const Config = section({
  workload: orNull(leaf(one.spiffeId)),
  environment: orNull(name),
  listen: listen.prefault({}),
  identity: identity.nullable().prefault(null),
  trust: z.record(z.string(), trustEntry).prefault({}).meta({ minProperties: 1 }),
  origin: origin.prefault({}),
  tokens: list(token).prefault([]),
  request: section({ allowHeaders: list(leaf(allowHeader)).transform(distinct).prefault([]) }).prefault({}),
  identities: laterNull(),
  kinds: laterEmpty('mapping'),
  policy: policy.prefault({}),
  cache: section({
    entries: count(1, 10_000_000).prefault(50_000),
    maxAge: duration('1ms', '1d').prefault('60s'),
    pins: count(1, 10_000_000).prefault(200_000),
  }).prefault({}),
  store: store.prefault('memory'),
  revocation: section({
    file: orNull(file),
    maxStaleness: lifetime.prefault('60s'),
    onIncident: leaf(onIncident, '^(alert|revoke:[0-9]+(ms|s|m|h|d))$').prefault('alert'),
  }).prefault({}),
  audit: section({
    to: leaf(auditTarget, '^(stdout|file:.+)$').prefault('stdout'),
    allowed: leaf(allowedShare, '^(all|none|sampled:[01](\\.[0-9]+)?)$').prefault('all'),
    path: word(['raw', 'template', 'none']).prefault('raw'),
    onFailure: word(['allow', 'deny']).prefault('allow'),
  }).prefault({}),
  log: section({
    level: word(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).prefault('info'),
  }).prefault({}),
  denials: section({ detail: word(['none', 'reason', 'hint', 'auto']).prefault('auto') }).prefault({}),
  tracing: section({ otlp: laterNull() }).prefault({}),
});

export type Config = z.output<typeof Config>;
export type TokenConfig = Config['tokens'][number];
export type TrustConfig = Config['trust'][string];

/** JSON Schema (2020-12) of the file as written. An editor's help; what the loader says is what counts. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(Config, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const words = jsonSchema.enum;
      if (words === undefined) return;
      delete jsonSchema.enum;
      delete jsonSchema.type;
      jsonSchema.anyOf = [{ enum: words }, { type: 'string', pattern: String.raw`\$\{` }];
    },
  });
  return { ...schema, title: 'Firsthand configuration', required: ['trust', 'policy'] };
}
