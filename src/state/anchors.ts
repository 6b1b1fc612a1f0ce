/**
 * Certificates that the operator, or a source that the operator named, vouches for. In: DER. Throws `Malformed` for one
 * that can be no authority, with its place and name. Does NOT compare dates with the clock, nor look for a path.
 */
import { authorityProblem } from '../x509/authority.js';
import type { AuthorityRole } from '../x509/authority.js';
import { Malformed } from '../x509/der.js';
import { readX509 } from '../x509/x509.js';
import type { X509 } from '../x509/x509.js';

/** A public root store has 150 certificates; a mesh has a handful. */
export const MAX_CERTIFICATES = 500;

/** Gives them back, so that it can stand in the middle of a reading. */
export function checkAnchors(ders: readonly Uint8Array[]): readonly Uint8Array[] {
  ders.forEach((der, index) => checkAuthority(der, index, () => 'anchor'));
  return ders;
}

export function checkAuthority(der: Uint8Array, index: number, roleOf: (certificate: X509) => AuthorityRole): void {
  const certificate = readX509(der);
  const problem = certificate.ok ? authorityProblem(certificate.value, roleOf(certificate.value)) : certificate.problem;
  if (problem === undefined) return;
  const name = certificate.ok ? ` (${certificate.value.subjectText})` : '';
  throw new Malformed(`certificate ${index + 1}${name}: ${problem}`);
}
