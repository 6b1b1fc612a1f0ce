/**
 * The authorities that may stand in a path. In: DER from the bundle, from the operator's file of intermediates, or from
 * the peer. Out: those that may sign certificates for a leaf of this trust domain; each of the others leaves a note. Does
 * NOT verify any signature or date: being in the list means nothing but "may be tried".
 */
import type { TrustDomain } from '../model/ids.js';
import { authorityProblem } from '../x509/authority.js';
import type { AuthorityRole } from '../x509/authority.js';
import { latin1 } from '../x509/der.js';
import type { Reading } from '../x509/der.js';
import type { X509 } from '../x509/x509.js';

/** How a DER becomes a certificate. */
export type ReadCertificate = (der: Uint8Array) => Reading<X509>;

/** Reads those that are not in `seen` yet, and adds them to it. */
export type ReadAuthorities = (
  ders: readonly Uint8Array[],
  role: AuthorityRole,
  seen: Set<string>,
  notes: string[],
) => X509[];

export function authoritiesOf(domain: TrustDomain, readCertificate: ReadCertificate): ReadAuthorities {
  return (ders, role, seen, notes) =>
    ders.flatMap((der) => {
      const bytes = latin1(der);
      if (seen.has(bytes)) return [];
      seen.add(bytes);
      const read = readCertificate(der);
      const problem = read.ok ? problemOf(read.value, role, domain) : read.problem;
      if (read.ok && problem === undefined) return [read.value];
      note(notes, `${role} ${read.ok ? read.value.subjectText : ''}: ${problem}`);
      return [];
    });
}

/** For which domain an anchor counts is the operator's business; what an intermediate says of itself must fit. */
function problemOf(certificate: X509, role: AuthorityRole, domain: TrustDomain): string | undefined {
  const problem = authorityProblem(certificate, role);
  if (problem !== undefined || role === 'anchor') return problem;
  const own = `spiffe://${domain}`;
  const uris = certificate.extensions.subjectAltName?.uris ?? [];
  return uris.some((uri) => uri !== own) ? `it has another URI name than ${own}` : undefined;
}

/** What a refusal tells in its detail: strangers choose these texts, so they are few and short. */
const MAX_NOTES = 6;
const MAX_NOTE = 300;

export function note(notes: string[], text: string): false {
  const short = text.slice(0, MAX_NOTE);
  if (notes.length < MAX_NOTES && !notes.includes(short)) notes.push(short);
  return false;
}
