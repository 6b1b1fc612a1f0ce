/**
 * Signatures on certificates: which algorithms count, and whether one certificate was signed with another's key. SHA-1,
 * MD5, DSA and whatever else is not in the table are no signatures. RSASSA-PSS counts in the forms that are in use
 * (RFC 4055 §3.1: MGF1 with the same hash, a salt as long as the hash). Does NOT look at names, dates or CA rules.
 */
import { constants, verify } from 'node:crypto';
import type { KeyKind } from './keys.js';
import type { X509 } from './x509.js';

export interface SignatureAlgorithm {
  readonly key: KeyKind;
  /** null where the algorithm has its own (Ed25519). */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  readonly pss: boolean;
}

const rsa = (hash: SignatureAlgorithm['hash']): SignatureAlgorithm => ({ key: 'rsa', hash, pss: false });
const pss = (hash: SignatureAlgorithm['hash']): SignatureAlgorithm => ({ key: 'rsa', hash, pss: true });
const ecdsa = (hash: SignatureAlgorithm['hash']): SignatureAlgorithm => ({ key: 'ec', hash, pss: false });

/** RSASSA-PSS: hash and MGF1 hash are the last octet of a NIST hash OID, then the length of the salt. */
const pssWithNull = (hash: number, salt: string): string =>
  `304106092a864886f70d01010a3034a00f300d060960864801650304020${hash}0500` +
  `a11c301a06092a864886f70d010108300d060960864801650304020${hash}0500a2030201${salt}`;
const pssWithoutNull = (hash: number, salt: string): string =>
  `303d06092a864886f70d01010a3030a00d300b060960864801650304020${hash}` +
  `a11a301806092a864886f70d010108300b060960864801650304020${hash}a2030201${salt}`;

/** AlgorithmIdentifier (hex of the DER). RFC 4055 §§2.1, 5: with RSA the NULL may be left out. */
const SIGNATURE_ALGORITHMS = new Map<string, SignatureAlgorithm>([
  ['300d06092a864886f70d01010b0500', rsa('sha256')],
  ['300d06092a864886f70d01010c0500', rsa('sha384')],
  ['300d06092a864886f70d01010d0500', rsa('sha512')],
  ['300b06092a864886f70d01010b', rsa('sha256')],
  ['300b06092a864886f70d01010c', rsa('sha384')],
  ['300b06092a864886f70d01010d', rsa('sha512')],
  [pssWithNull(1, '20'), pss('sha256')],
  [pssWithNull(2, '30'), pss('sha384')],
  [pssWithNull(3, '40'), pss('sha512')],
  [pssWithoutNull(1, '20'), pss('sha256')],
  [pssWithoutNull(2, '30'), pss('sha384')],
  [pssWithoutNull(3, '40'), pss('sha512')],
  ['300a06082a8648ce3d040302', ecdsa('sha256')],
  ['300a06082a8648ce3d040303', ecdsa('sha384')],
  ['300a06082a8648ce3d040304', ecdsa('sha512')],
  ['300506032b6570', { key: 'ed25519', hash: null, pss: false }],
]);

export const signatureAlgorithmOf = (identifier: string): SignatureAlgorithm | undefined =>
  SIGNATURE_ALGORITHMS.get(identifier);

/** Whether `issuer`'s key made the signature on `certificate`. False for an algorithm or a key that does not count. */
export function isSignedBy(certificate: X509, issuer: X509): boolean {
  const algorithm = certificate.signatureAlgorithm;
  if (algorithm === undefined || algorithm.key !== issuer.keyKind) return false;
  const key = issuer.publicKey();
  if (key === undefined) return false;
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(algorithm.hash, certificate.tbs, algorithm.pss ? pss : key, certificate.signature);
}
