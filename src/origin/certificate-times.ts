/**
 * Whether a verified certificate is valid at this very moment. Asked on every request: a kept-alive or resumed connection
 * outlives its certificate. Without clock skew (contract section 9).
 */
import type { Instant } from '../model/instant.js';
import type { PathWindow, VerifiedLeaf } from '../model/ports.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import { durationText } from '../model/duration.js';

export function validNow(leaf: VerifiedLeaf, instant: Instant): Result<void> {
  const { notBefore, notAfter } = leaf.facts;
  if (!instant.reached(notBefore, 'certificate.notBefore')) {
    return refuse(
      'peer_expired',
      'the certificate is not valid yet',
      'the certificate is not valid yet: compare the clocks',
    );
  }
  // Both ends are valid (RFC 5280 §4.1.2.5).
  if (instant.reached(notAfter + 1, 'certificate.notAfter')) {
    return refuse(
      'peer_expired',
      'the certificate has expired',
      'the certificate has expired: the connection outlived it',
    );
  }
  if (!leaf.windows.some((window) => contains(window, instant))) {
    return refuse('peer_untrusted', 'an issuing certificate is outside its validity');
  }
  return ok(undefined);
}

const contains = (window: PathWindow, instant: Instant): boolean =>
  instant.reached(window.from, 'issuer.notBefore') && !instant.reached(window.until + 1, 'issuer.notAfter');

export function withinLifetime(leaf: VerifiedLeaf, max: number | null): Result<void> {
  const lifetime = leaf.facts.notAfter - leaf.facts.notBefore;
  if (max === null || lifetime <= max) return ok(undefined);
  return refuse(
    'peer_lifetime_excess',
    `the certificate lives ${durationText(lifetime)}, at most ${durationText(max)} are accepted`,
  );
}
