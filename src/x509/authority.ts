/**
 * What a certificate must be to vouch for others. In: a certificate. Out: what is wrong with it as an authority, or
 * undefined. An anchor is trusted because the operator says so, so its own signature, its purposes and a keyUsage that it
 * does not have are not held against it (RFC 5280 §6.1.1 d). Does NOT compare dates, names or signatures.
 */
import { EXTENDED_KEY_USAGE, KEY_USAGE } from './extensions.js';
import { dotted } from './der.js';
import type { X509 } from './x509.js';

export type AuthorityRole = 'anchor' | 'intermediate';

export function authorityProblem(certificate: X509, role: AuthorityRole): string | undefined {
  const [first] = authorityProblems(certificate, role);
  return first;
}

/** Everything that is wrong with it. */
export function* authorityProblems(certificate: X509, role: AuthorityRole): Generator<string> {
  const { extensions } = certificate;
  if (extensions.basicConstraints?.ca !== true) yield 'it is not a CA: basicConstraints has no cA true';
  if (certificate.subjectText === '') yield 'it is a CA without a subject';
  const [unknown] = extensions.unknownCritical;
  if (unknown !== undefined) yield `it has the critical extension ${unknown}, which is not supported`;
  if (extensions.nameConstraints) yield 'it has name constraints, which are not supported';
  if (!maySign(extensions.keyUsage, role)) yield 'its keyUsage does not allow to sign certificates (keyCertSign)';
  if (role === 'intermediate') yield* intermediateProblems(certificate);
}

function maySign(keyUsage: number | undefined, role: AuthorityRole): boolean {
  return keyUsage === undefined ? role === 'anchor' : (keyUsage & KEY_USAGE.keyCertSign) !== 0;
}

function* intermediateProblems({ extensions, signatureAlgorithm }: X509): Generator<string> {
  if (signatureAlgorithm === undefined) yield 'its signature algorithm is not accepted';
  const purposes = extensions.extendedKeyUsage;
  // The RFC does not say that purposes are inherited, but TLS libraries do: a CA for mail must not make workloads.
  const fits = purposes?.some((oid) => oid === EXTENDED_KEY_USAGE.clientAuth || oid === EXTENDED_KEY_USAGE.any);
  if (fits === false) yield `its extKeyUsage lacks ${dotted(EXTENDED_KEY_USAGE.clientAuth)} (clientAuth)`;
}
