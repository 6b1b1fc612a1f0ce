/**
 * The request of another caller: with a certificate that a throw-away authority made, another way, or a listener that
 * writes what it did not. In: the change, the world. Out: the world with another certificate and header, or why nobody can
 * know who called. A token that was bound to a certificate which had to be made again is bound to the new one.
 */
import { parseSpiffeId, trustDomainOf } from '../model/ids.js';
import type { SpiffeId, TrustDomain } from '../model/ids.js';
import type { ForwardedElement } from '../model/evidence.js';
import { hasOwnElement } from '../origin/peer.js';
import { elementsBehind, elementsOf } from './behind.js';
import type { CallerChange, Change } from './change.js';
import type { Svid } from './forge-authority.js';
import { presentedLeaf } from './remedy-peer.js';
import { rebound } from './suppose-token.js';
import { elementAbout, signed, withElements } from './suppose-forwarded.js';
import { supposing } from './supposed.js';
import type { Supposed, Unknown } from './supposed.js';

const NOBODY: Unknown = { unknown: 'who calls is not known, so neither is what the lines say about it' };

export async function supposeCaller(change: CallerChange, world: Supposed): Promise<Supposed | Unknown> {
  if (change.via !== undefined) return supposeWay(change.via, world);
  const { peer, origin } = world.outcome.findings;
  return peer !== undefined && origin === undefined ? reissuedOrigin(world) : renewed(world);
}

/** A new certificate of the peer's; what was bound to the old one stays bound to it. */
const renewed = (world: Supposed): Promise<Supposed | Unknown> => reissued(world, 'renewed');

/** The peer with a certificate that its domain is taken to have signed. `same`: it stands for the one that it had. */
export async function reissued(world: Supposed, as: 'same' | 'renewed' = 'same'): Promise<Supposed | Unknown> {
  const { attributes, context } = world;
  const id = parseSpiffeId(attributes.principal);
  if (id === undefined) return NOBODY;
  const { origin } = context.settings;
  const [next, svid] = await signed(id, world);
  const elements = elementsOf(world) ?? [];
  const own = elements.at(-1);
  const about: ForwardedElement = { ...own, ...elementAbout(svid, own?.by ?? [], origin.peer === 'xfcc') };
  const written = hasOwnElement(origin.xfcc) && own !== undefined ? [...elements.slice(0, -1), about] : elements;
  const before = presentedLeaf(world)?.sha256 ?? own?.hash;
  const certificate = origin.peer === 'certificate' ? encodeURIComponent(svid.pem) : attributes.certificate;
  const called = withElements(written, { ...next, attributes: { ...attributes, certificate } });
  if (as === 'renewed') return called;
  return unseen(before === undefined ? called : rebound(before, svid.sha256.toString('hex'), called));
}

const unseen = (world: Supposed): Supposed =>
  supposing('the certificate, which the guard could not look at, is valid', world);

/** The oldest element that the walk can reach, with the origin's certificate in it. */
export async function reissuedOrigin(world: Supposed): Promise<Supposed | Unknown> {
  const [oldest] = elementsBehind(world);
  const id = parseSpiffeId(oldest?.uri[0] ?? '');
  if (oldest === undefined || id === undefined) return NOBODY;
  const [next, svid] = await signed(id, world);
  const [, ...newer] = elementsOf(world) ?? [];
  const called = withElements([elementAbout(svid, oldest.by, true), ...newer], next);
  return oldest.hash === undefined ? called : rebound(oldest.hash, svid.sha256.toString('hex'), called);
}

/** Whoever is of that domain has a certificate that its bundle leads to. */
export function trustedIn(domain: TrustDomain | undefined, world: Supposed): Promise<Supposed | Unknown> {
  const peer = parseSpiffeId(world.attributes.principal);
  if (peer !== undefined && trustDomainOf(peer) === domain) return reissued(world);
  // Elements without a certificate are believed as soon as the domain is one that is configured.
  return elementsBehind(world)[0]?.cert === undefined ? Promise.resolve(world) : reissuedOrigin(world);
}

/** The same origin, through these forwarders; its token stays its own. */
async function supposeWay(via: readonly SpiffeId[], world: Supposed): Promise<Supposed | Unknown> {
  const { origin } = world.outcome.findings;
  if (origin?.kind !== 'workload') return NOBODY;
  const [first, svid] = await signed(origin.id, world);
  const hops: Svid[] = [svid];
  let next = first;
  for (const id of via) {
    const [more, proxy] = await signed(id, next);
    hops.push(proxy);
    next = more;
  }
  const { settings } = world.context;
  const guard = world.outcome.guard ?? world.attributes.destinationPrincipal;
  const own = hasOwnElement(settings.origin.xfcc);
  const elements = hops.map((hop, index) => {
    const withCertificate = index === hops.length - 1 ? settings.origin.peer === 'xfcc' : true;
    return elementAbout(hop, [hops[index + 1]?.id ?? guard], withCertificate);
  });
  const peer = hops.at(-1) ?? svid;
  const certificate = settings.origin.peer === 'certificate' ? encodeURIComponent(peer.pem) : '';
  const attributes = { ...world.attributes, principal: peer.id, certificate };
  const called = withElements(own ? elements : elements.slice(0, -1), { ...next, attributes });
  return origin.sha256 === undefined ? called : rebound(origin.sha256, svid.sha256.toString('hex'), called);
}

type EnvoyChange = Extract<Change, { readonly kind: 'envoy' }>;

export async function supposeEnvoy({ at, setting }: EnvoyChange, world: Supposed): Promise<Supposed | Unknown> {
  if (at !== 'guard') {
    const seen = setting.endsWith('.cert') ? await reissuedOrigin(world) : NOBODY;
    return 'unknown' in seen ? seen : unseen(seen);
  }
  const { attributes, outcome } = world;
  const elements = elementsOf(world) ?? [];
  const guard = outcome.guard ?? attributes.destinationPrincipal;
  switch (setting) {
    case 'forward_client_cert_details': {
      const leaf = presentedLeaf(world);
      const own = { by: [guard], uri: [attributes.principal], hash: leaf?.sha256, cert: undefined, chain: undefined };
      return withElements([...elements, own], world);
    }
    case 'set_current_client_cert_details.uri':
      return withElements(
        elements.map((element, index) =>
          index === elements.length - 1 ? { ...element, uri: [attributes.principal] } : element,
        ),
        world,
      );
    default:
      return reissued(world);
  }
}
