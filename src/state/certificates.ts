/**
 * X.509-SVIDs that were verified before, by their exact text, the text of their chain, and the version of the bundles.
 * What is remembered does not depend on the time: dates are compared on every request, in origin/certificate-times.ts.
 * Verifying takes a turn of the event loop, but does not wait for one: steps.ts has done that.
 */
import { hash } from 'node:crypto';
import type { CertificateFacts } from '../model/evidence.js';
import { trustDomainOf } from '../model/ids.js';
import type { PemText, VerifiedLeaf, VerifyCertificate, VerifyPath } from '../model/ports.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import type { Snapshot } from '../model/snapshot.js';
import type { X509 } from '../x509/x509.js';
import { createLru } from './lru.js';
import { noTurns } from './turns.js';
import type { Turns } from './turns.js';

export interface CertificateReaders {
  /** DER of each block, or what is wrong with the text. */
  readonly readPem: (pem: PemText) => readonly Uint8Array[] | string;
  readonly readSvid: (
    der: Uint8Array,
  ) =>
    | { readonly ok: true; readonly facts: CertificateFacts; readonly certificate: X509 }
    | { readonly ok: false; readonly problem: string };
  /** `read`: what `readSvid` made of the leaf, so that nobody reads it twice. */
  readonly verifyPath: (...asked: [...Parameters<VerifyPath>, read: X509]) => ReturnType<VerifyPath>;
}

export interface Certificates {
  readonly verify: (snapshot: Snapshot) => VerifyCertificate;
  readonly size: () => number;
}

/** Each entry holds facts of about 2 KiB. */
const MAX_ENTRIES = 8192;

export function createCertificates(readers: CertificateReaders, turns: Turns = noTurns): Certificates {
  const known = createLru<string, Result<VerifiedLeaf>>(MAX_ENTRIES);
  return {
    size: () => known.size,
    verify: (snapshot) => (certificate, chain) => {
      const key = keyOf(snapshot, certificate, chain);
      const found = known.get(key);
      if (found !== undefined) return found;
      turns.taken();
      const result = verifyLeaf(readers, snapshot, certificate, chain);
      if (result.ok || result.reason !== 'bundle_unavailable') known.set(key, result);
      return result;
    },
  };
}

function keyOf({ versions }: Snapshot, certificate: PemText, chain: PemText | undefined): string {
  const brought = chain === undefined ? 'none' : `${chain.encoding} ${chain.text}`;
  // The length says where one text ends: both may hold anything.
  const text = `${versions.trust} ${certificate.encoding} ${certificate.text.length} ${certificate.text}${brought}`;
  return hash('sha256', text, 'base64');
}

function verifyLeaf(
  { readPem, readSvid, verifyPath }: CertificateReaders,
  snapshot: Snapshot,
  certificate: PemText,
  chain: PemText | undefined,
): Result<VerifiedLeaf> {
  const leafs = readPem(certificate);
  if (typeof leafs === 'string') return refuse('peer_certificate_invalid', leafs);
  const [der] = leafs;
  if (der === undefined || leafs.length !== 1)
    return refuse('peer_certificate_invalid', 'expected exactly one certificate');
  const svid = readSvid(der);
  if (!svid.ok) return refuse('peer_certificate_invalid', svid.problem, svid.problem);
  const presented = chain === undefined ? [] : readPem(chain);
  if (typeof presented === 'string') return refuse('peer_certificate_invalid', `the chain: ${presented}`);
  const domain = trustDomainOf(svid.facts.id);
  const bundle = snapshot.findBundle(domain);
  if (bundle === 'unknown')
    return refuse(
      'peer_untrusted',
      `the trust domain ${domain} is not configured`,
      `the trust domain ${domain} is not configured`,
    );
  if (bundle === 'unavailable') return refuse('bundle_unavailable', `the bundle of ${domain} is not loaded`);
  const path = verifyPath(
    svid.facts,
    presented.filter((other) => !Buffer.from(other).equals(der)),
    bundle,
    svid.certificate,
  );
  return path.ok ? ok({ facts: svid.facts, windows: path.value }) : path;
}
