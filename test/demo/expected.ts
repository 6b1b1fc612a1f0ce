/**
 * What must come of each row. Data, read by the judge alone: neither src/ nor the servers of the demo see it.
 * `answer`: HTTP status, or for gRPC its own status. `reason`: null where the guard is not asked. `origin`: of the audit
 * record, and of what the workload saw. `cache`: where it matters.
 */
export interface Expected {
  readonly answer: number;
  readonly reason: string | null;
  readonly origin: string | null;
  readonly cache?: 'hit' | 'miss';
  /** Where the decision is an incident: who presented the token before. */
  readonly incident?: string;
}

const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
const THIEF = 'spiffe://prod.example/ns/shop/sa/thief';
const SHORT_LIVED = 'spiffe://prod.example/ns/batch/sa/report';
const PARTNER = 'spiffe://partner.example/ns/reports/sa/reporter';

const said = (answer: number, reason: string | null, origin: string | null, cache?: 'hit' | 'miss'): Expected =>
  cache === undefined ? { answer, reason, origin } : { answer, reason, origin, cache };

export const EXPECTED: ReadonlyMap<string, Expected> = new Map([
  ['direct call', said(200, 'allowed', FRONTEND, 'miss')],
  ['the same again', said(200, 'allowed', FRONTEND, 'hit')],
  ['stolen unbound token', { ...said(401, 'token_presenter_changed', THIEF), incident: FRONTEND }],
  ['its owner goes on', said(200, 'allowed', FRONTEND)],

  ['bound token', said(200, 'allowed', FRONTEND, 'miss')],
  ['bound token through the gateway', said(200, 'allowed', FRONTEND, 'miss')],
  ['stolen bound token', said(401, 'binding_mismatch', THIEF)],
  ['stolen bound token through the gateway', said(401, 'binding_mismatch', THIEF)],
  ['same workload, another certificate', said(401, 'binding_mismatch', FRONTEND)],

  ['forged history', said(401, 'binding_mismatch', THIEF)],
  ['forged history on a workload line', said(403, 'caller_not_allowed', THIEF)],
  ['forged history at the gateway', said(403, 'caller_not_allowed', THIEF)],
  ['workload line', said(200, 'allowed_workload', FRONTEND)],
  ['workload line through the gateway', said(200, 'allowed_workload', FRONTEND)],
  ['line for anyone', said(200, 'allowed_anyone', null)],

  ['no token', said(401, 'token_missing', FRONTEND)],
  ['missing scope', said(403, 'scope_missing', FRONTEND)],
  ['expired token', said(401, 'token_expired', FRONTEND)],
  ['token of another audience', said(401, 'token_audience', FRONTEND)],
  ['token signed by a stranger', said(401, 'token_signature', FRONTEND)],
  ['more scopes than the issuer may grant', said(403, 'scope_missing', FRONTEND)],
  ['young token where age counts', said(200, 'allowed', FRONTEND)],
  ['old token where age counts', said(403, 'token_too_old', FRONTEND)],
  ['token for one use', said(200, 'allowed', FRONTEND)],
  ['the same token once more', said(401, 'token_replayed', FRONTEND)],
  ['unbound token where binding is asked', said(401, 'binding_missing', FRONTEND)],
  ['bound directly', said(200, 'allowed', FRONTEND)],
  ['bound, but not directly', said(403, 'binding_unavailable', FRONTEND)],
  ['guardrail of the operator', said(403, 'guardrail', FRONTEND)],

  ['partner within its ceiling', said(200, 'allowed', PARTNER)],
  ['partner above its data ceiling', said(403, 'data_ceiling', PARTNER)],
  ['partner above its scope ceiling', said(403, 'scope_ceiling', PARTNER)],
  ['partner that is not asked in', said(403, 'data_ceiling', PARTNER)],
  ['partner through a gateway that may not speak for it', said(403, 'forwarder_not_allowed', null)],
  ["our name, signed by the partner's root", said(401, 'peer_untrusted', null)],

  ['from outside, where the line lets it in', said(200, 'allowed', null)],
  ['from outside, elsewhere', said(403, 'origin_unresolved', null)],
  ['from outside, forged history', said(403, 'origin_unresolved', null)],

  ['undeclared route', said(403, 'route_undeclared', FRONTEND)],
  ['path with ";"', said(400, 'path_ambiguous', null)],
  ['path encoded twice', said(400, 'path_ambiguous', null)],
  ['path in other letters', said(400, 'path_ambiguous', null)],
  ['path with an encoded slash', said(400, null, null)],
  ['path that Envoy makes plain', said(200, 'allowed', FRONTEND)],
  ['lower-case method', said(400, 'request_malformed', null)],
  ['method override', said(400, 'header_ambiguous', null)],
  ['two tokens', said(400, 'header_ambiguous', null)],

  ['gRPC call', said(0, 'allowed', FRONTEND)],
  ['gRPC call without the scope', said(7, 'scope_missing', FRONTEND)],
  ['gRPC call through the gateway', said(0, 'allowed', FRONTEND)],

  ['claimed origin', said(200, 'allowed', FRONTEND)],
  ['claimed origin, line for anyone', said(200, 'allowed_anyone', null)],
  ['claimed origin where nothing is checked', said(200, null, null)],

  ['certificate of a few seconds', said(200, 'allowed', SHORT_LIVED)],
  ['it expired, the connection did not', said(401, 'peer_expired', null)],
  ['before the annotation is rewritten', said(200, 'allowed', FRONTEND)],
  ['a line that asks for more now', said(403, 'scope_missing', FRONTEND)],
  ['a line that was added', said(200, 'allowed', FRONTEND)],

  ['before its token is revoked', said(200, 'allowed', FRONTEND)],
  ['token revoked live', said(401, 'token_revoked', FRONTEND)],
  ['another token of its workload', said(200, 'allowed', FRONTEND)],
  ['before the gateway is revoked', said(200, 'allowed', FRONTEND)],
  ['gateway revoked live', said(403, 'identity_revoked', FRONTEND)],
  ['the same call without the gateway', said(200, 'allowed', FRONTEND)],
  ['certificate revoked by serial', said(403, 'certificate_revoked', FRONTEND)],
  ['another certificate of its workload', said(200, 'allowed_workload', FRONTEND)],
]);
