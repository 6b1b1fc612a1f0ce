/**
 * The stable codes that explain a decision. Never renamed. The HTTP status is what Envoy sends to the caller, the gRPC
 * code is what `CheckResponse.status.code` carries (google.rpc.Code); `title` is public and gives nothing away.
 */
interface ReasonEntry {
  readonly http: 200 | 400 | 401 | 403 | 413 | 503;
  readonly title: string;
}

const entry = (http: ReasonEntry['http'], title: string): ReasonEntry => ({ http, title });

export const REASONS = {
  allowed: entry(200, 'Allowed'),
  allowed_workload: entry(200, 'Allowed by workload identity'),
  allowed_anyone: entry(200, 'Allowed for anyone'),

  request_malformed: entry(400, 'The request is malformed'),
  path_ambiguous: entry(400, 'The path can be read in more than one way'),
  header_ambiguous: entry(400, 'A header can be read in more than one way'),
  xfcc_malformed: entry(400, 'The forwarded client certificate header is malformed'),

  peer_unauthenticated: entry(401, 'The caller has no verified certificate'),
  peer_certificate_invalid: entry(401, 'The certificate of the caller is not acceptable'),
  peer_untrusted: entry(401, 'The certificate of the caller is not trusted'),
  peer_expired: entry(401, 'The certificate of the caller is outside its validity'),
  token_missing: entry(401, 'A token is required'),
  token_malformed: entry(401, 'The token is malformed'),
  token_type: entry(401, 'The token is of a type that is not accepted'),
  token_issuer_unknown: entry(401, 'The issuer of the token is not known'),
  token_algorithm: entry(401, 'The algorithm of the token is not accepted'),
  token_key_unknown: entry(401, 'The key of the token is not known'),
  token_signature: entry(401, 'The signature of the token does not verify'),
  token_audience: entry(401, 'The token is meant for another audience'),
  token_expired: entry(401, 'The token has expired'),
  token_not_yet_valid: entry(401, 'The token is not valid yet'),
  token_lifetime_excess: entry(401, 'The token lives longer than is accepted'),
  token_revoked: entry(401, 'The token has been revoked'),
  token_replayed: entry(401, 'The token has been used already'),
  token_presenter_changed: entry(401, 'The token was first presented by another workload'),
  binding_missing: entry(401, 'The token is not bound as this route demands'),
  binding_mismatch: entry(401, 'The token is bound to another presenter'),

  peer_lifetime_excess: entry(403, 'The certificate of the caller lives longer than is accepted'),
  xfcc_anchor: entry(403, 'The forwarded client certificate header does not match the connection'),
  chain_broken: entry(403, 'The chain of hops does not link'),
  chain_too_long: entry(403, 'The chain of hops is too long'),
  origin_unresolved: entry(403, 'The workload that started the call could not be established'),
  origin_certificate_invalid: entry(403, 'The certificate of the origin is not acceptable'),
  forwarder_not_allowed: entry(403, 'A proxy spoke for a workload that it may not speak for'),
  binding_unavailable: entry(403, 'The binding of the token can not be verified here'),
  credentials_conflict: entry(403, 'The request carries more than one credential'),
  presenter_not_allowed: entry(403, 'This workload may not present tokens of this issuer'),
  route_undeclared: entry(403, 'The route is not declared'),
  scope_missing: entry(403, 'The token lacks a scope'),
  caller_not_allowed: entry(403, 'This workload may not call the route'),
  via_mismatch: entry(403, 'The route may not be called through these proxies'),
  host_mismatch: entry(403, 'The route is not served under this host'),
  environment_mismatch: entry(403, 'The environment of the caller may not call the route'),
  token_too_old: entry(403, 'The token is too old for this route'),
  data_ceiling: entry(403, 'The data of this route is above what the caller may reach'),
  scope_ceiling: entry(403, 'The scope is above what the caller may have'),
  upgrade_not_declared: entry(403, 'The route does not accept protocol upgrades'),
  guardrail: entry(403, 'A rule of the mesh operator refuses the request'),
  identity_revoked: entry(403, 'An identity of the call has been revoked'),
  certificate_revoked: entry(403, 'A certificate of the call has been revoked'),
  transaction_revoked: entry(403, 'The transaction has been revoked'),

  limit_exceeded: entry(413, 'The request exceeds a limit'),

  keys_unavailable: entry(503, 'The keys of the issuer are not available'),
  bundle_unavailable: entry(503, 'The trust bundle is not available'),
  store_unavailable: entry(503, 'The state store is not available'),
  revocation_stale: entry(503, 'The revocations are out of date'),
  policy_invalid: entry(503, 'No valid policy is loaded'),
  deadline_exceeded: entry(503, 'The decision was not made in time'),
  internal_error: entry(503, 'The decision failed'),
} as const satisfies Record<string, ReasonEntry>;

export type Reason = keyof typeof REASONS;
export type AllowReason = 'allowed' | 'allowed_workload' | 'allowed_anyone';
export type DenyReason = Exclude<Reason, AllowReason>;

/** google.rpc.Code for each HTTP status that a decision can have. */
const GRPC_CODE = { 200: 0, 400: 3, 401: 16, 403: 7, 413: 3, 503: 14 } as const;

export const httpStatus = (reason: Reason): ReasonEntry['http'] => REASONS[reason].http;
export const grpcCode = (reason: Reason): number => GRPC_CODE[REASONS[reason].http];
export const title = (reason: Reason): string => REASONS[reason].title;
export const isAllow = (reason: Reason): reason is AllowReason => REASONS[reason].http === 200;
