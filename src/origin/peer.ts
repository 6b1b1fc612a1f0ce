/**
 * Step 2: who holds the connection, from the one source that `origin.peer` names, and the anchor that ties the newest
 * x-forwarded-client-cert element to this connection. In: attributes, elements. Out: VerifiedPeer.
 * Refuses: peer_*, bundle_unavailable, xfcc_anchor. Does NOT read any element but the own one.
 */
import type { Attributes } from '../model/attributes.js';
import type { ForwardedElement } from '../model/evidence.js';
import { parseSpiffeId, trustDomainOf } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import type { Instant } from '../model/instant.js';
import type { VerifiedPeer } from '../model/origin.js';
import type { PemText, VerifiedLeaf, VerifyCertificate } from '../model/ports.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';
import type { Settings } from '../model/settings.js';
import { validNow, withinLifetime } from './certificate-times.js';

export interface PeerQuestion {
  readonly attributes: Attributes;
  /** Read lazily: with `xfcc: ignore` the header is not even parsed. */
  readonly forwarded: () => Result<readonly ForwardedElement[]>;
  readonly guard: SpiffeId | undefined;
  readonly settings: Pick<Settings, 'origin' | 'trust' | 'workload'>;
  readonly verifyCertificate: VerifyCertificate;
  readonly instant: Instant;
}

export function verifyPeer(question: PeerQuestion): Result<VerifiedPeer> {
  if (question.attributes.principal === '') {
    return refuse('peer_unauthenticated', 'source.principal is empty', 'call over mTLS with an X.509-SVID');
  }
  switch (question.settings.origin.peer) {
    case 'certificate':
      return peerByCertificate(question);
    case 'xfcc':
      return peerByElement(question);
    case 'principal':
      return peerByPrincipal(question);
  }
}

/** Whether this Envoy writes an element about the connection: then the rightmost one is its own. */
export const hasOwnElement = (mode: Settings['origin']['xfcc']): boolean =>
  mode === 'append-forward' || mode === 'sanitize-set';

function peerByCertificate(question: PeerQuestion): Result<VerifiedPeer> {
  const { attributes, settings } = question;
  if (attributes.certificate === '') {
    return refuse(
      'peer_unauthenticated',
      'source.certificate is empty',
      'set include_peer_certificate: true in the ext_authz filter',
    );
  }
  const own = hasOwnElement(settings.origin.xfcc);
  const chain = own ? newest(question.forwarded())?.chain : undefined;
  const peer = verifiedLeaf(question, { encoding: 'percent', text: attributes.certificate }, chain);
  if (!peer.ok || !own) return peer;
  const anchored = anchoredElement(question, peer.value.id, peer.value.sha256);
  return anchored.ok ? peer : anchored;
}

function peerByElement(question: PeerQuestion): Result<VerifiedPeer> {
  const element = ownElement(question);
  if (!element.ok) return element;
  const { cert, chain } = element.value;
  if (cert === undefined) {
    return refuse(
      'peer_unauthenticated',
      'the own element has no Cert',
      'set set_current_client_cert_details.cert: true',
    );
  }
  const peer = verifiedLeaf(question, { encoding: 'plain', text: cert }, chain);
  if (!peer.ok) return peer;
  const anchored = anchoredElement(question, peer.value.id, peer.value.sha256);
  return anchored.ok ? peer : anchored;
}

function peerByPrincipal(question: PeerQuestion): Result<VerifiedPeer> {
  const id = parseSpiffeId(question.attributes.principal);
  if (id === undefined) return refuse('peer_certificate_invalid', 'source.principal is no SPIFFE ID of a workload');
  const domain = trustDomainOf(id);
  // Envoy's own check is trusted here, and that says nothing about which bundle it was made with.
  if (
    question.guard === undefined ||
    trustDomainOf(question.guard) !== domain ||
    !question.settings.trust.has(domain)
  ) {
    return refuse('peer_untrusted', `the principal is not of the guard's own trust domain`);
  }
  const element = anchoredElement(question, id, undefined);
  if (!element.ok) return element;
  if (element.value.hash === undefined) return anchorMismatch('the own element has no Hash');
  return ok({ id, sha256: element.value.hash as VerifiedPeer['sha256'], certificate: undefined });
}

function verifiedLeaf(question: PeerQuestion, pem: PemText, chain: string | undefined): Result<VerifiedPeer> {
  const leaf = question.verifyCertificate(pem, chain === undefined ? undefined : { encoding: 'plain', text: chain });
  if (!leaf.ok) return leaf;
  const { facts } = leaf.value;
  if (facts.id !== question.attributes.principal) {
    return refuse('peer_certificate_invalid', 'source.principal is not the URI SAN of the certificate');
  }
  const usable = usableNow(leaf.value, question);
  return usable.ok ? ok({ id: facts.id, sha256: facts.sha256, certificate: facts }) : usable;
}

/** Times and lifetime of a verified leaf; the same for a peer's and an origin's certificate. */
export function usableNow(leaf: VerifiedLeaf, question: Pick<PeerQuestion, 'settings' | 'instant'>): Result<void> {
  const valid = validNow(leaf, question.instant);
  if (!valid.ok) return valid;
  const trust = question.settings.trust.get(trustDomainOf(leaf.facts.id));
  return withinLifetime(leaf, trust?.maxCertificateLifetime ?? null);
}

const newest = (elements: Result<readonly ForwardedElement[]>): ForwardedElement | undefined =>
  elements.ok ? elements.value.at(-1) : undefined;

function ownElement(question: PeerQuestion): Result<ForwardedElement> {
  const elements = question.forwarded();
  if (!elements.ok) return elements;
  const own = elements.value.at(-1);
  if (own === undefined) {
    return refuse(
      'xfcc_anchor',
      'there is no x-forwarded-client-cert element',
      `the listener is not in the mode that origin.xfcc says (${question.settings.origin.xfcc}): see forward_client_cert_details`,
    );
  }
  if (question.settings.origin.xfcc === 'sanitize-set' && elements.value.length !== 1) {
    return anchorMismatch('with sanitize-set there must be exactly one element');
  }
  return ok(own);
}

/** The own element, after Hash, URI and By were compared with the connection. `sha256` undefined: the Hash is not compared. */
function anchoredElement(question: PeerQuestion, id: SpiffeId, sha256: string | undefined): Result<ForwardedElement> {
  const own = ownElement(question);
  if (!own.ok) return own;
  const { hash, uri, by } = own.value;
  if (sha256 !== undefined && hash !== sha256) return anchorMismatch('Hash is not the SHA-256 of the peer certificate');
  if (uri.length === 0) return anchorMismatch('URI is missing', 'set set_current_client_cert_details.uri: true');
  if (uri.length !== 1 || uri[0] !== id) return anchorMismatch('URI is not the peer');
  if (by.length > 0 && !namesGuard(by, question)) return anchorMismatch('By is not the guarded workload');
  return own;
}

function namesGuard(by: readonly string[], { attributes, settings }: PeerQuestion): boolean {
  if (by.length !== 1 || by[0] !== attributes.destinationPrincipal) return false;
  return settings.workload === null || by[0] === settings.workload;
}

const anchorMismatch = (problem: string, hint?: string): Refusal =>
  refuse('xfcc_anchor', `own x-forwarded-client-cert element: ${problem}`, hint ?? `own element: ${problem}`);
