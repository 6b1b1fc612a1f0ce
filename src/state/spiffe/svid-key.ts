/** Whether a key is the one of a certificate. In: a leaf's DER, a public key. Out: why they are no pair, or undefined. */
import type { KeyObject } from 'node:crypto';
import { readX509 } from '../../x509/x509.js';

export function keyProblem(leaf: Uint8Array, key: KeyObject): string | undefined {
  const certificate = readX509(leaf);
  if (!certificate.ok) return certificate.problem;
  const same = key.export({ format: 'der', type: 'spki' }).equals(Buffer.from(certificate.value.spki));
  return same ? undefined : 'the key of our own SVID is not the one of its certificate';
}
