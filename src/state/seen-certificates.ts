/**
 * Which certificates were seen of whom, for the events `certificate_seen`, `certificate_rotated`, `certificate_expiring`.
 * Bounded: an identity that was not seen for long is new again. Decides nothing.
 */
import { createLru } from './lru.js';
import type { Lru } from './lru.js';

/** An X.509-SVID, a server's certificate, or a root. Times in ms, both ends valid. */
export interface KnownCertificate {
  /** A SPIFFE ID, or another name of a bounded set. */
  readonly id: string;
  /** Hex. */
  readonly sha256: string;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface CertificateNews {
  readonly event: 'certificate_seen' | 'certificate_rotated' | 'certificate_expiring';
  readonly detail?: string;
}

/** Identities that are remembered. */
const MAX_IDENTITIES = 10_000;
/** Certificates of one identity: its replicas, and the old ones of a rotation. */
const MAX_CERTIFICATES = 64;
/** A certificate within this share of its end is about to expire. */
const EXPIRING_SHARE = 0.25;

type Stage = 'fresh' | 'expiring' | 'ended';
const DETAILS: Readonly<Record<Exclude<Stage, 'fresh'>, string>> = {
  expiring: 'less than a quarter of its life is left',
  ended: 'it has ended and was not replaced in time',
};

interface Known {
  newest: number;
  /** What was told of each, by its SHA-256. */
  readonly certificates: Lru<string, Stage>;
}

export function createSeenCertificates(): (facts: KnownCertificate, now: number) => readonly CertificateNews[] {
  const identities = createLru<string, Known>(MAX_IDENTITIES);
  return (facts, now) => {
    const known: Known = identities.get(facts.id) ?? {
      newest: -Infinity,
      certificates: createLru(MAX_CERTIFICATES),
    };
    const told = known.certificates.get(facts.sha256);
    const stage = stageOf(facts, now);
    if (told === stage) return [];
    known.certificates.set(facts.sha256, stage);
    identities.set(facts.id, known);
    const expiring = stage === 'fresh' ? [] : [{ event: 'certificate_expiring', detail: DETAILS[stage] } as const];
    if (told !== undefined) return expiring;
    const rotated = known.newest < facts.notBefore && known.newest !== -Infinity;
    known.newest = Math.max(known.newest, facts.notBefore);
    return [{ event: rotated ? 'certificate_rotated' : 'certificate_seen' }, ...expiring];
  };
}

function stageOf({ notBefore, notAfter }: KnownCertificate, now: number): Stage {
  if (now > notAfter) return 'ended';
  return notAfter - now < (notAfter - notBefore) * EXPIRING_SHARE ? 'expiring' : 'fresh';
}
