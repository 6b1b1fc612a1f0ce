/**
 * What an answer of the Workload API says of the trust domains that somebody asked for. In: a message, and the domains. Out:
 * for each domain a value, a problem, or that the answer says nothing of it, which takes back what an earlier one said (each
 * answer is the full state: Workload API §4.3, §4.4). Throws `Malformed` where the answer as a whole is no state: it names
 * no domain, names one twice or not by its SPIFFE ID, or holds revocation lists, which are not supported and so would be
 * ignored. What is wrong with one domain's bundle concerns that domain alone: a partner must not stop our own rotation.
 */
import { parseTrustDomain } from '../../model/ids.js';
import type { TrustDomain } from '../../model/ids.js';
import { elementsOf, expect, Malformed, reading, TAG } from '../../x509/der.js';
import type { Reading } from '../../x509/der.js';
import { checkAnchors, MAX_CERTIFICATES } from '../anchors.js';
import type { SpiffeBundle } from './bundle.js';
import { readJwtBundle } from './bundle.js';
import type { DomainBundle, JwtBundlesMessage, X509BundlesMessage } from './messages.js';

export type Anchors = readonly Uint8Array[];
export type Authorities = SpiffeBundle['keys'];

/** The bytes by domain, as sent. */
export function domainsOf(bundles: readonly DomainBundle[]): ReadonlyMap<TrustDomain, Buffer> {
  if (bundles.length === 0) throw new Malformed('the answer names no trust domain');
  const domains = new Map<TrustDomain, Buffer>();
  for (const { key, value } of bundles) {
    const domain = key.startsWith('spiffe://') ? parseTrustDomain(key.slice('spiffe://'.length)) : undefined;
    if (domain === undefined) throw new Malformed('the answer has a bundle whose name is not spiffe:// and a domain');
    if (domains.has(domain)) throw new Malformed(`the answer has two bundles of ${domain}`);
    domains.set(domain, value);
  }
  return domains;
}

export function x509BundlesOf({ bundles, crl }: X509BundlesMessage): ReadonlyMap<TrustDomain, Buffer> {
  refuseRevocationLists(crl);
  return domainsOf(bundles);
}

export const jwtBundlesOf = ({ bundles }: JwtBundlesMessage): ReadonlyMap<TrustDomain, Buffer> => domainsOf(bundles);

/** They would count for every authority (Workload API §5.2.2), and ignoring one is an allow that somebody took back. */
function refuseRevocationLists(crl: readonly Buffer[]): void {
  if (crl.length > 0) throw new Malformed('the answer holds certificate revocation lists, which are not supported');
}

/** No bytes are a domain without X.509 authorities: nothing of it is trusted. */
export const readX509Bundle = (bytes: Buffer): Reading<Anchors> => reading(() => checkAnchors(certificatesIn(bytes)));

export async function readJwtAuthorities(bytes: Buffer): Promise<Reading<Authorities>> {
  const text = textOf(bytes);
  return text === undefined ? { ok: false, problem: 'the bundle is not UTF-8' } : readJwtBundle(text);
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** DER, one behind the other; copied, so that nothing holds on to the message. */
export function certificatesIn(bytes: Buffer): Uint8Array[] {
  const elements = elementsOf(bytes);
  if (elements.length > MAX_CERTIFICATES) throw new Malformed(`there are more than ${MAX_CERTIFICATES} certificates`);
  return elements.map((element) => Uint8Array.from(expect(element, TAG.sequence, 'a certificate').whole));
}
