/**
 * Certificates that throw-away authorities sign in a supposed world, and x-forwarded-client-cert written about them. In: an
 * identity, elements. Out: the world in which the one is trusted and the others are sent. Does NOT ask whether they link.
 */
import { trustDomainOf } from '../model/ids.js';
import type { SpiffeId, TrustDomain } from '../model/ids.js';
import type { ForwardedElement } from '../model/evidence.js';
import { FORWARDED_HEADER } from '../request/shape.js';
import { createAuthority } from './forge-authority.js';
import type { Authority, Svid } from './forge-authority.js';
import { withLines } from './supposed.js';
import type { Supposed } from './supposed.js';

/** A certificate of this identity, and the world in which its authority is trusted. */
export async function signed(id: SpiffeId, world: Supposed): Promise<readonly [Supposed, Svid]> {
  const domain = trustDomainOf(id);
  const authority = world.authorities.get(domain) ?? (await authorityOf(domain, world));
  return [{ ...world, authorities: new Map([...world.authorities, [domain, authority]]) }, await authority.svid(id)];
}

function authorityOf(domain: TrustDomain, { context, outcome }: Supposed): Promise<Authority> {
  const max = context.settings.trust.get(domain)?.maxCertificateLifetime ?? null;
  return createAuthority(domain, max, () => outcome.time);
}

export const elementAbout = (
  { id, sha256, pem }: Svid,
  by: readonly string[],
  withCertificate: boolean,
): ForwardedElement => ({
  by,
  uri: [id],
  hash: sha256.toString('hex'),
  cert: withCertificate ? pem : undefined,
  chain: undefined,
});

export function withElements(elements: readonly ForwardedElement[], world: Supposed): Supposed {
  const text = elements.map(elementText).join(',');
  const lines = text === '' ? [] : [[FORWARDED_HEADER, text] as const];
  return { ...world, attributes: withLines(world.attributes, [FORWARDED_HEADER], lines) };
}

/** In Envoy's order of fields. */
const elementText = ({ by, hash, cert, chain, uri }: ForwardedElement): string =>
  [
    ...by.map((id) => `By=${id}`),
    ...(hash === undefined ? [] : [`Hash=${hash}`]),
    ...(cert === undefined ? [] : [`Cert="${encodeURIComponent(cert)}"`]),
    ...(chain === undefined ? [] : [`Chain="${encodeURIComponent(chain)}"`]),
    ...(uri.length === 0 ? ['URI='] : uri.map((id) => `URI=${id}`)),
  ].join(';');
