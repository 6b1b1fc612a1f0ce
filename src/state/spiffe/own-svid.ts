/**
 * Our own X.509-SVID as the Workload API gives it. In: the entry of an answer, and how certificates are judged. Out: the
 * facts of its leaf. Refuses an SVID whose name, key, or path to its own domain's bundle does not fit: a key that somebody
 * mixed up would fail at the first handshake, and not here. The private key is looked at and not kept. Does NOT compare
 * dates with the clock: an SVID that has expired is still the one we have, and its end is told in a metric.
 */
import { createPrivateKey, createPublicKey, hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { CertificateFacts } from '../../model/evidence.js';
import type { VerifiedLeaf } from '../../model/ports.js';
import { Malformed, reading } from '../../x509/der.js';
import type { Reading } from '../../x509/der.js';
import { checkAnchors } from '../anchors.js';
import type { SvidMessage, SvidsMessage } from './messages.js';
import { keyProblem } from './svid-key.js';
import { certificatesIn } from './updates.js';

/** The rules of an X.509-SVID's leaf, and a path from it to one of the anchors. */
export type CheckSvid = (chain: readonly Uint8Array[], anchors: readonly Uint8Array[]) => Reading<VerifiedLeaf>;

/** The first one is the default (Workload API §5.2.1). All of its fields are mandatory (§4.5). */
export function ownSvidOf({ svids }: SvidsMessage): SvidMessage {
  const [own] = svids;
  if (own === undefined) throw new Malformed('the answer holds no SVID');
  if ([own.spiffe_id, own.x509_svid, own.x509_svid_key, own.bundle].some(({ length }) => length === 0))
    throw new Malformed('a field of the SVID is empty');
  return own;
}

export const svidId = ({ spiffe_id, x509_svid, x509_svid_key, bundle }: SvidMessage): string =>
  hash(
    'sha256',
    JSON.stringify([spiffe_id, ...[x509_svid, x509_svid_key, bundle].map((part) => part.toString('hex'))]),
  );

export function readOwnSvid(own: SvidMessage, checkSvid: CheckSvid): Reading<CertificateFacts> {
  const parts = reading(() => ({
    chain: certificatesIn(own.x509_svid),
    anchors: checkAnchors(certificatesIn(own.bundle)),
  }));
  if (!parts.ok) return parts;
  const svid = checkSvid(parts.value.chain, parts.value.anchors);
  if (!svid.ok) return { ok: false, problem: `our own SVID: ${svid.problem}` };
  const { facts } = svid.value;
  if (facts.id !== own.spiffe_id)
    return { ok: false, problem: 'our own SVID is not of the name that it was sent under' };
  const key = publicKeyOf(own.x509_svid_key);
  if (key === undefined) return { ok: false, problem: 'the key of our own SVID is not a private key in PKCS#8' };
  const problem = keyProblem(facts.der, key);
  return problem === undefined ? { ok: true, value: facts } : { ok: false, problem };
}

function publicKeyOf(key: Buffer): KeyObject | undefined {
  try {
    return createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
  } catch {
    return undefined;
  }
}
