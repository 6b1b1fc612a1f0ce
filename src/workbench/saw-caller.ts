/** What steps 2 and 3 saw: who holds the connection, and who stands behind. */
import type { CertificateFacts } from '../model/evidence.js';
import { trustDomainOf } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import type { VerifiedOrigin } from '../model/origin.js';
import { elementsOf } from './behind.js';
import { presentedLeaf } from './remedy-peer.js';
import type { Scene } from './scene.js';
import { shown, shownList } from './shown.js';
import { dateText, spanText } from '../model/duration.js';
import { sourceText } from './story-context.js';

export function sawPeer(scene: Scene): string[] {
  const { peer } = scene.outcome.findings;
  if (peer === undefined) return sawStranger(scene);
  const facts = [`peer ${shown(peer.id)}`, `certificate sha256 ${peer.sha256}`];
  if (peer.certificate === undefined)
    return [...facts, "taken from Envoy's word: origin.peer is principal, no certificate was verified here"];
  return [...facts, validity(peer.certificate, scene), bundle(peer.id, scene)];
}

/** The peer was refused: what it says of itself, none of it verified. */
function sawStranger(scene: Scene): string[] {
  const { attributes } = scene;
  if (attributes === undefined || attributes.principal === '')
    return ['Envoy names no principal: no client certificate'];
  const leaf = presentedLeaf(scene);
  const facts = [`Envoy names the principal ${shown(attributes.principal)} (not verified)`];
  if (leaf === undefined)
    return [
      ...facts,
      attributes.certificate === ''
        ? 'no certificate was handed over that can be read'
        : 'the certificate is no X.509-SVID',
    ];
  const claimed = [`certificate for ${shown(leaf.id)}, sha256 ${leaf.sha256}`, `issued by ${shown(leaf.issuer)}`];
  return [...facts, ...claimed, validity(leaf, scene), bundle(leaf.id, scene)];
}

function validity({ notBefore, notAfter }: CertificateFacts, { outcome: { time } }: Scene): string {
  if (time < notBefore) return `valid only in ${spanText(notBefore - time)}, from ${dateText(notBefore)}`;
  if (time > notAfter) return `expired ${spanText(time - notAfter)} ago, at ${dateText(notAfter)}`;
  return `valid for ${spanText(notAfter - time)} more, until ${dateText(notAfter)}`;
}

function bundle(id: SpiffeId, { context }: Scene): string {
  const domain = trustDomainOf(id);
  const version = context.versions.find(({ what, name }) => what === 'bundle' && name === domain);
  if (version === undefined) return `the trust domain ${domain} is not configured`;
  const from = version.source === undefined ? '' : `, from ${sourceText(version.source)}`;
  return `bundle of ${domain}: ${version.version}${from}`;
}

export function sawOrigin(scene: Scene): string[] {
  const { origin, peer } = scene.outcome.findings;
  if (origin === undefined) return sawElements(scene, peer?.id);
  const facts = [drawn(origin, scene.outcome.guard)];
  if (origin.kind === 'workload' && origin.forwarders.length > 0) {
    const how =
      origin.certificate === undefined
        ? `vouched for by ${origin.forwarders.map(short).join(' and ')}`
        : 'its certificate was verified here';
    facts.push(`origin ${shown(origin.id)}, ${how}`, `certificate sha256 ${origin.sha256 ?? 'not told'}`);
    if (origin.certificate !== undefined) facts.push(validity(origin.certificate, scene));
  }
  const { route } = scene.outcome.findings;
  if (route !== undefined && route.line === undefined) facts.push('the origin stands, but no line declares the route');
  if (origin.kind === 'outside') facts.push(`no workload stands behind ${shown(origin.behind)}`);
  if (origin.ignoredHistory.length > 0)
    facts.push(`ignored history (claims of strangers): ${shownList(origin.ignoredHistory)}`);
  return facts;
}

/** `ns/shop/sa/frontend → ns/edge/sa/gateway → ns/shop/sa/orders`; ids of the guard's own trust domain without it. */
export function drawn(origin: VerifiedOrigin, guard: SpiffeId | undefined): string {
  const domain = guard && trustDomainOf(guard);
  const chain = origin.chain.map((id) => (trustDomainOf(id) === domain ? short(id) : shown(id)));
  const first = origin.kind === 'outside' ? ['outside'] : [];
  return `chain ${[...first, ...chain, ...(guard === undefined ? ['this guard'] : [])].join(' → ')}`;
}

const short = (id: SpiffeId): string => shown(id.slice(id.indexOf('/', 'spiffe://'.length) + 1));

function sawElements(scene: Scene, peer: SpiffeId | undefined): string[] {
  const mode = `origin.xfcc is ${scene.context.settings.origin.xfcc}`;
  const elements = elementsOf(scene);
  if (elements === undefined) return [mode, 'x-forwarded-client-cert can not be read'];
  const told = elements.map(
    ({ by, uri }) =>
      `By ${by.length === 0 ? 'nobody' : shownList(by)}: URI ${uri.length === 0 ? 'none' : shownList(uri)}`,
  );
  const listed = peer !== undefined && scene.context.settings.origin.forwarders.has(peer);
  const who = peer === undefined ? [] : [`peer ${shown(peer)} is ${listed ? 'a' : 'no'} listed forwarder`];
  return [mode, ...who, ...(told.length === 0 ? ['no element'] : told.map((text) => `element (claim): ${text}`))];
}
