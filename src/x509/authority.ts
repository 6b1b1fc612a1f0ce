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
  const { extensions } = certificate;
  if (extensions.basicConstraints?.ca !== true) return 'it is not a CA: basicConstraints has no cA true';
  if (certificate.subjectText === '') return 'it is a CA without a subject';
  const [unknown] = extensions.unknownCritical;
  if (unknown !== undefined) return `it has the critical extension ${unknown}, which is not supported`;
  if (extensions.nameConstraints) return 'it has name constraints, which are not supported';
  if (!maySign(extensions.keyUsage, role)) return 'its keyUsage does not allow to sign certificates (keyCertSign)';
  return role === 'intermediate' ? intermediateProblem(certificate) : undefined;
}

function maySign(keyUsage: number | undefined, role: AuthorityRole): boolean {
  return keyUsage === undefined ? role === 'anchor' : (keyUsage & KEY_USAGE.keyCertSign) !== 0;
}

function intermediateProblem({ extensions, signatureAlgorithm }: X509): string | undefined {
  if (signatureAlgorithm === undefined) return 'its signature algorithm is not accepted';
  const purposes = extensions.extendedKeyUsage;
  // The RFC does not say that purposes are inherited, but TLS libraries do: a CA for mail must not make workloads.
  const fits = purposes?.some((oid) => oid === EXTENDED_KEY_USAGE.clientAuth || oid === EXTENDED_KEY_USAGE.any);
  return fits === false ? `its extKeyUsage lacks ${dotted(EXTENDED_KEY_USAGE.clientAuth)} (clientAuth)` : undefined;
}
