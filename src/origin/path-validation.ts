/**
 * Certification paths (RFC 5280 §6, X509-SVID §5). In: a leaf, the intermediates that came with it, and the bundle of the
 * trust domain that its ID names. Out: for every path from the leaf to an anchor, when all its authorities are valid.
 * Refuses (`peer_untrusted`) where there is no path. A pure function of bytes: it reads no clock and remembers nothing.
 * Does NOT compare any window or the leaf's own dates with now, nor check the leaf's own rules (evidence/certificate.ts)
 * or revocation. Presented certificates are candidates and nothing more: a root among them is of no use.
 */
import { trustDomainOf } from '../model/ids.js';
import type { Bundle, PathWindow, VerifyPath } from '../model/ports.js';
import { ok, refuse } from '../model/result.js';
import { latin1, sameBytes } from '../x509/der.js';
import { isSignedBy } from '../x509/signature.js';
import { readX509 } from '../x509/x509.js';
import type { X509 } from '../x509/x509.js';
import { authoritiesOf, note } from './x509-authorities.js';
import type { ReadAuthorities, ReadCertificate } from './x509-authorities.js';

/** Authorities above a leaf, the anchor counted. Meshes have two or three. */
const MAX_AUTHORITIES = 8;
/** Signatures verified for one leaf: bounds what certificates that all sign each other can cost. */
const MAX_SIGNATURES = 40;
/** Presented certificates that are looked at. */
const MAX_PRESENTED = 10;

export const verifyPath: VerifyPath = (leaf, presented, bundle) => pathVerifier(readX509)(leaf, presented, bundle);

/** `read` is the leaf where somebody has read it already: these very bytes, and by `readX509`. */
type VerifyReadPath = (...asked: [...Parameters<VerifyPath>, read?: X509]) => ReturnType<VerifyPath>;

/** The same with another reader, for example one that remembers the bundle's certificates (state/authorities.ts). */
export const pathVerifier =
  (readCertificate: ReadCertificate): VerifyReadPath =>
  (leaf, presented, bundle, read) => {
    const domain = trustDomainOf(leaf.id);
    if (bundle.anchors.length === 0)
      return refuse(
        'peer_untrusted',
        `the trust bundle of ${domain} is empty`,
        'the trust bundle of the domain is empty',
      );
    const certificate = read === undefined ? readX509(leaf.der) : ok(read);
    if (!certificate.ok) return refuse('peer_untrusted', certificate.problem);
    const readAuthorities = authoritiesOf(domain, readCertificate);
    const search = prepare(certificate.value, presented, bundle, readAuthorities);
    climb(search, { certificate: certificate.value, issuers: [], intermediates: 0, from: -Infinity, until: Infinity });
    if (search.windows.length > 0) return ok(search.windows);
    return refuse(
      'peer_untrusted',
      [`no path from ${leaf.id} (issuer ${leaf.issuer}) to the trust bundle of ${domain}`, ...search.notes].join('; '),
      'present the intermediates with the certificate, or list them in trust.<domain>.intermediates',
    );
  };

interface Search {
  readonly anchors: readonly X509[];
  readonly candidates: readonly X509[];
  readonly windows: PathWindow[];
  readonly notes: string[];
  signatures: number;
}

/** How far a path has come: its topmost certificate, and what holds for everything below that one's issuer. */
interface Step extends PathWindow {
  readonly certificate: X509;
  readonly issuers: readonly X509[];
  /** Intermediates that are not self-issued: what pathLenConstraint counts (RFC 5280 §4.2.1.9). */
  readonly intermediates: number;
}

function prepare(leaf: X509, presented: readonly Uint8Array[], bundle: Bundle, read: ReadAuthorities): Search {
  const seen = new Set([latin1(leaf.der)]);
  const notes: string[] = [];
  // The operator's own before the peer's: the limit on signatures must not be used up by strangers first.
  const anchors = read(bundle.anchors, 'anchor', seen, notes);
  const configured = read(bundle.intermediates, 'intermediate', seen, notes);
  const brought = read(presented.slice(0, MAX_PRESENTED), 'intermediate', seen, notes);
  return { anchors, candidates: [...configured, ...brought], windows: [], notes, signatures: 0 };
}

/** Depth first: each anchor that issued the topmost certificate ends a path, each intermediate carries it on. */
function climb(search: Search, step: Step): void {
  for (const anchor of search.anchors) {
    if (!issued(search, anchor, step)) continue;
    const window = narrow(step, anchor);
    if (window.from <= window.until) search.windows.push(window);
    else note(search.notes, `${anchor.subjectText}: it is never valid together with the authorities below it`);
  }
  if (step.issuers.length + 2 > MAX_AUTHORITIES) return;
  for (const candidate of search.candidates) {
    if (step.issuers.some((used) => sameAuthority(used, candidate)) || !issued(search, candidate, step)) continue;
    climb(search, {
      certificate: candidate,
      issuers: [...step.issuers, candidate],
      intermediates: step.intermediates + (sameBytes(candidate.subject, candidate.issuer) ? 0 : 1),
      ...narrow(step, candidate),
    });
  }
}

/** Whether `issuer` issued the topmost certificate of the path and may stand above all that is below. */
function issued(search: Search, issuer: X509, { certificate, intermediates }: Step): boolean {
  if (!sameBytes(issuer.subject, certificate.issuer) || !keyIdsAgree(issuer, certificate)) return false;
  if (intermediates > (issuer.extensions.basicConstraints?.pathLength ?? Infinity))
    return note(search.notes, `${issuer.subjectText}: its pathLenConstraint is exceeded`);
  if (search.signatures >= MAX_SIGNATURES) return note(search.notes, `over ${MAX_SIGNATURES} signatures to verify`);
  search.signatures += 1;
  return (
    isSignedBy(certificate, issuer) || note(search.notes, `${issuer.subjectText}: its key did not make the signature`)
  );
}

/** RFC 5280 §4.2.1.1: says which of several keys of one name; a contradiction means another one. */
function keyIdsAgree(issuer: X509, certificate: X509): boolean {
  const wanted = certificate.extensions.authorityKeyId;
  const own = issuer.extensions.subjectKeyId;
  return wanted === undefined || own === undefined || wanted === own;
}

const narrow = ({ from, until }: PathWindow, { notBefore, notAfter }: X509): PathWindow => ({
  from: Math.max(from, notBefore),
  until: Math.min(until, notAfter),
});

/** One name and one key are one authority, however many certificates it has: it stands in a path once. */
const sameAuthority = (a: X509, b: X509): boolean => sameBytes(a.subject, b.subject) && sameBytes(a.spki, b.spki);
