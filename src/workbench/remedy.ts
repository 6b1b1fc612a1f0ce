/**
 * The smallest change that would allow a denied request, or that none should be made. In: a case. Out: one remedy for
 * each reason; the switch has no default, so that a new reason is thought about here. Does NOT try the change: the test
 * beside it applies each one and asks the engine again (test/workbench/remedy.test.ts).
 */
import type { Case } from './case.js';
import type { Remedy } from './change.js';
import * as binding from './remedy-binding.js';
import * as ceiling from './remedy-ceiling.js';
import * as chain from './remedy-chain.js';
import * as guard from './remedy-guard.js';
import * as peer from './remedy-peer.js';
import * as policy from './remedy-policy.js';
import * as request from './remedy-request.js';
import { undeclared } from './remedy-route.js';
import * as token from './remedy-token.js';

export function remedyOf(told: Case): Remedy {
  switch (told.cause.reason) {
    case 'request_malformed':
      return request.malformedRequest(told);
    case 'path_ambiguous':
      return request.ambiguousPath(told);
    case 'header_ambiguous':
      return request.ambiguousHeader(told);
    case 'xfcc_malformed':
      return request.malformedForwarded();
    case 'limit_exceeded':
      return request.beyondLimit(told);

    case 'peer_unauthenticated':
      return peer.unauthenticatedPeer(told);
    case 'peer_certificate_invalid':
      return peer.invalidPeer(told);
    case 'peer_untrusted':
      return peer.untrustedPeer(told);
    case 'peer_expired':
      return peer.expiredPeer(told);
    case 'peer_lifetime_excess':
      return peer.longLivedPeer(told);
    case 'origin_certificate_invalid':
      return peer.invalidOrigin(told);

    case 'xfcc_anchor':
      return chain.unanchored(told);
    case 'chain_broken':
      return chain.broken(told);
    case 'chain_too_long':
      return chain.tooLong(told);
    case 'forwarder_not_allowed':
      return chain.forwarderRefused(told);
    case 'origin_unresolved':
      return chain.outsideRefused(told);

    case 'token_missing':
      return token.missingToken(told);
    case 'token_malformed':
      return token.malformedToken(told);
    case 'token_type':
      return token.wrongType(told);
    case 'token_issuer_unknown':
      return token.unknownIssuer(told);
    case 'token_algorithm':
      return token.wrongAlgorithm(told);
    case 'token_key_unknown':
      return token.unknownKey(told);
    case 'token_signature':
      return token.badSignature();
    case 'token_audience':
      return token.wrongAudience(told);
    case 'token_expired':
      return token.expiredToken();
    case 'token_not_yet_valid':
      return token.earlyToken(told);
    case 'token_lifetime_excess':
      return token.longToken(told);
    case 'token_revoked':
      return token.revokedToken(told);
    case 'token_replayed':
      return token.usedToken(told);
    case 'token_presenter_changed':
      return binding.otherPresenter(told);
    case 'binding_missing':
      return binding.unboundToken(told);
    case 'binding_mismatch':
      return binding.foreignToken(told);
    case 'binding_unavailable':
      return binding.unprovable(told);
    case 'credentials_conflict':
      return token.twoTokens(told);
    case 'presenter_not_allowed':
      return token.strangePresenter(told);

    case 'route_undeclared':
      return undeclared(told);
    case 'scope_missing':
      return policy.missingScope(told);
    case 'caller_not_allowed':
      return policy.strangeCaller(told);
    case 'via_mismatch':
      return policy.otherWay(told);
    case 'host_mismatch':
      return policy.otherHost(told);
    case 'environment_mismatch':
      return policy.otherEnvironment(told);
    case 'token_too_old':
      return policy.oldToken(told);
    case 'data_ceiling':
      return ceiling.dataAbove(told);
    case 'scope_ceiling':
      return ceiling.scopeAbove(told);
    case 'upgrade_not_declared':
      return policy.noUpgrade(told);
    case 'guardrail':
      return { text: 'none: a rule of the mesh operator refuses the request; ask them what it asks for' };

    case 'identity_revoked':
      return guard.revokedIdentity(told);
    case 'certificate_revoked':
      return guard.revokedCertificate(told);
    case 'transaction_revoked':
      return guard.revokedTransaction();
    case 'keys_unavailable':
      return guard.keysMissing(told);
    case 'bundle_unavailable':
      return guard.bundleMissing(told);
    case 'store_unavailable':
      return guard.storeFull(told);
    case 'revocation_stale':
      return guard.revocationsStale();
    case 'policy_invalid':
      return guard.policyMissing(told);
    case 'deadline_exceeded':
      return guard.tooLate();
    case 'internal_error':
      return guard.broke(told);
  }
}
