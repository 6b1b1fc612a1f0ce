/**
 * Step 3: the workload that started the call, as verified. The only file that makes a VerifiedOrigin.
 * In: the verified peer and the forwarded elements. Refuses: xfcc_malformed, chain_*, forwarder_not_allowed,
 * origin_certificate_invalid, peer_untrusted (an identity of a trust domain that is not configured), bundle_unavailable.
 * Does NOT decide whether outside is acceptable: only the line can say that.
 */
import type { ForwardedElement } from '../model/evidence.js';
import { parseSha256Hex, trustDomainOf } from '../model/ids.js';
import type { Sha256Hex, SpiffeId } from '../model/ids.js';
import { matchesId } from '../model/patterns.js';
import type { CertificateName, OutsideOrigin, VerifiedOrigin, VerifiedPeer, WorkloadOrigin } from '../model/origin.js';
import type { VerifiedLeaf } from '../model/ports.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';
import { walkChain } from './chain.js';
import type { Walk } from './chain.js';
import { hasOwnElement, usableNow } from './peer.js';
import type { PeerQuestion } from './peer.js';

const verified = new WeakSet<object>();

/** Whether this very object was made here. */
export const isVerifiedOrigin = (value: VerifiedOrigin): boolean => verified.has(value);

export function verifyOrigin(peer: VerifiedPeer, question: PeerQuestion): Result<VerifiedOrigin> {
  const elements = elementsBehind(peer, question);
  if (!elements.ok) return elements;
  const walk = walkChain(peer.id, elements.value, question.settings.origin);
  if (!walk.ok) return walk;
  const unknown = [walk.value.origin, ...walk.value.forwarders.map(({ id }) => id)].find(
    (id) => id !== undefined && !question.settings.trust.has(trustDomainOf(id)),
  );
  if (unknown !== undefined) return refuse('peer_untrusted', `the trust domain of ${unknown} is not configured`);
  const origin = originOf(peer, walk.value, question);
  return origin.ok ? ok(seal(peer, walk.value, origin.value, question.guard)) : origin;
}

/** The elements that may speak of what is behind the peer, the oldest first. */
function elementsBehind(peer: VerifiedPeer, question: PeerQuestion): Result<readonly ForwardedElement[]> {
  const { xfcc, forwarders } = question.settings.origin;
  if (xfcc === 'ignore' || (xfcc === 'forward-only' && !forwarders.has(peer.id))) return ok([]);
  const elements = question.forwarded();
  if (!elements.ok || !hasOwnElement(xfcc)) return elements;
  return ok(elements.value.slice(0, -1));
}

function originOf(peer: VerifiedPeer, walk: Walk, question: PeerQuestion): Result<WorkloadOrigin | OutsideOrigin> {
  const [farthest] = walk.forwarders;
  if (walk.origin === undefined) return ok({ kind: 'outside', behind: farthest?.id ?? peer.id });
  const id = walk.origin;
  if (farthest === undefined) return ok({ kind: 'workload', id, sha256: peer.sha256, certificate: peer.certificate });
  const guardDomain = question.guard && trustDomainOf(question.guard);
  const silent = walk.forwarders.find(({ origins }) => !origins.some((pattern) => matchesId(pattern, id, guardDomain)));
  if (silent !== undefined) {
    return refuse(
      'forwarder_not_allowed',
      `${silent.id} may not speak for ${id}`,
      `origins of the forwarder ${silent.id} does not list ${id}`,
    );
  }
  return originBehind(id, walk, question);
}

/** An origin that a forwarder vouches for; its element's Cert is verified where there is one. */
function originBehind(id: SpiffeId, walk: Walk, question: PeerQuestion): Result<WorkloadOrigin> {
  const element = walk.read[0];
  const sha256 = parseSha256Hex(element?.hash ?? '');
  if (element?.cert === undefined) {
    const demanding = walk.forwarders.find(({ originCertificate }) => originCertificate === 'require');
    if (demanding === undefined) return ok({ kind: 'workload', id, sha256, certificate: undefined });
    return invalid(`${demanding.id} demands the Cert of the origin, and there is none`);
  }
  const chain = element.chain === undefined ? undefined : ({ encoding: 'plain', text: element.chain } as const);
  const leaf = question.verifyCertificate({ encoding: 'plain', text: element.cert }, chain);
  if (!leaf.ok) return leaf.reason === 'bundle_unavailable' ? leaf : invalid(leaf.detail);
  const problem = mismatch(leaf.value, id, sha256);
  if (problem !== undefined) return invalid(problem);
  const usable = usableNow(leaf.value, question);
  return usable.ok ? ok({ kind: 'workload', id, sha256, certificate: leaf.value.facts }) : invalid(usable.detail);
}

function mismatch({ facts }: VerifiedLeaf, id: SpiffeId, sha256: Sha256Hex | undefined): string | undefined {
  if (facts.sha256 !== sha256) return 'Hash is not the SHA-256 of Cert';
  return facts.id === id ? undefined : 'URI is not the URI SAN of Cert';
}

const invalid = (problem: string): Refusal =>
  refuse('origin_certificate_invalid', `the certificate of the origin: ${problem}`);

function seal(
  peer: VerifiedPeer,
  walk: Walk,
  origin: WorkloadOrigin | OutsideOrigin,
  guard: SpiffeId | undefined,
): VerifiedOrigin {
  const forwarders = walk.forwarders.map(({ id }) => id);
  const chain = exactly([walk.origin, ...forwarders, guard].filter((id) => id !== undefined));
  const ignoredHistory = walk.ignored.flatMap(({ uri }) => uri);
  const certificates = certificateNames(peer, walk, origin);
  const value = Object.freeze(
    origin.kind === 'workload'
      ? workload(origin, { peer, forwarders, chain, ignoredHistory, certificates })
      : { kind: origin.kind, behind: origin.behind, peer, forwarders, chain, ignoredHistory, certificates },
  ) as unknown as VerifiedOrigin;
  verified.add(value);
  return value;
}

/** Field by field: a literal that begins with a spread gets a hidden class of its own, which costs more than the object. */
const workload = (
  { kind, id, sha256, certificate }: WorkloadOrigin,
  { peer, forwarders, chain, ignoredHistory, certificates }: Omit<VerifiedOrigin, 'kind' | symbol>,
): object => ({ kind, id, sha256, certificate, peer, forwarders, chain, ignoredHistory, certificates });

/** A list that grew has room for more; this one is kept with each decision, and does not grow. */
const exactly = <T>(list: T[]): T[] => list.slice();

/** Every certificate of the chain by the names that a revocation may use. */
function certificateNames(peer: VerifiedPeer, walk: Walk, origin: WorkloadOrigin | OutsideOrigin): CertificateName[] {
  const own = origin.kind === 'workload' ? origin.certificate : undefined;
  const known = [peer.certificate, own].filter((facts) => facts !== undefined);
  const names = new Map<Sha256Hex, CertificateName>(
    [peer.sha256, ...walk.read.map(({ hash }) => parseSha256Hex(hash ?? ''))]
      .filter((sha256) => sha256 !== undefined)
      .map((sha256) => [sha256, { sha256, serial: undefined, issuer: undefined }]),
  );
  for (const { sha256, serial, issuer } of known) names.set(sha256, { sha256, serial, issuer });
  return exactly([...names.values()]);
}
