/** The step that usually gives a reason: for records, which say the reason and not how far the check came. */
import type { DenyReason } from '../model/reasons.js';
import type { StepName } from './failed-step.js';

export const USUAL_STEP: Readonly<Record<DenyReason, StepName | undefined>> = {
  request_malformed: 'shape',
  path_ambiguous: 'shape',
  header_ambiguous: 'shape',
  limit_exceeded: 'shape',
  policy_invalid: 'shape',

  peer_unauthenticated: 'peer',
  peer_certificate_invalid: 'peer',
  peer_untrusted: 'peer',
  peer_expired: 'peer',
  peer_lifetime_excess: 'peer',
  bundle_unavailable: 'peer',
  xfcc_malformed: 'peer',
  xfcc_anchor: 'peer',

  chain_broken: 'origin',
  chain_too_long: 'origin',
  forwarder_not_allowed: 'origin',
  origin_certificate_invalid: 'origin',
  origin_unresolved: 'origin',
  route_undeclared: 'origin',

  token_missing: 'credential',
  token_malformed: 'credential',
  token_type: 'credential',
  token_issuer_unknown: 'credential',
  token_algorithm: 'credential',
  token_key_unknown: 'credential',
  token_signature: 'credential',
  token_audience: 'credential',
  token_expired: 'credential',
  token_not_yet_valid: 'credential',
  token_lifetime_excess: 'credential',
  credentials_conflict: 'credential',
  presenter_not_allowed: 'credential',
  keys_unavailable: 'credential',

  binding_missing: 'binding',
  binding_mismatch: 'binding',
  binding_unavailable: 'binding',
  token_presenter_changed: 'binding',

  token_revoked: 'state',
  token_replayed: 'state',
  identity_revoked: 'state',
  certificate_revoked: 'state',
  transaction_revoked: 'state',
  store_unavailable: 'state',
  revocation_stale: 'state',

  scope_missing: 'policy',
  caller_not_allowed: 'policy',
  via_mismatch: 'policy',
  host_mismatch: 'policy',
  environment_mismatch: 'policy',
  token_too_old: 'policy',
  data_ceiling: 'policy',
  scope_ceiling: 'policy',
  upgrade_not_declared: 'policy',
  guardrail: 'policy',

  deadline_exceeded: undefined,
  internal_error: undefined,
};
