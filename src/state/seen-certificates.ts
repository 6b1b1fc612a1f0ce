/**
 * Which certificates were seen of whom, for the events `certificate_seen`, `certificate_rotated`, `certificate_expiring`.
 * Bounded: an identity that was not seen for long is new again. Decides nothing.
 */
import { LRUCache } from 'lru-cache';
import type { CertificateFacts } from '../model/evidence.js';
import type { Sha256Hex, SpiffeId } from '../model/ids.js';

export type CertificateEvent = 'certificate_seen' | 'certificate_rotated' | 'certificate_expiring';

/** Identities that are remembered. */
const MAX_IDENTITIES = 10_000;
/** Certificates of one identity: its replicas, and the old ones of a rotation. */
const MAX_CERTIFICATES = 64;
/** A certificate within this share of its end is about to expire. */
const EXPIRING_SHARE = 0.25;

interface Known {
  newest: number;
  readonly certificates: LRUCache<Sha256Hex, { expiringSaid: boolean }>;
}

export function createSeenCertificates(): (facts: CertificateFacts, now: number) => readonly CertificateEvent[] {
  const identities = new LRUCache<SpiffeId, Known>({ max: MAX_IDENTITIES });
  return (facts, now) => {
    const events: CertificateEvent[] = [];
    const known: Known = identities.get(facts.id) ?? {
      newest: -Infinity,
      certificates: new LRUCache({ max: MAX_CERTIFICATES }),
    };
    let certificate = known.certificates.get(facts.sha256);
    if (certificate === undefined) {
      events.push(
        known.newest < facts.notBefore && known.newest !== -Infinity ? 'certificate_rotated' : 'certificate_seen',
      );
      certificate = { expiringSaid: false };
      known.certificates.set(facts.sha256, certificate);
      known.newest = Math.max(known.newest, facts.notBefore);
      identities.set(facts.id, known);
    }
    if (!certificate.expiringSaid && facts.notAfter - now < (facts.notAfter - facts.notBefore) * EXPIRING_SHARE) {
      certificate.expiringSaid = true;
      events.push('certificate_expiring');
    }
    return events;
  };
}
