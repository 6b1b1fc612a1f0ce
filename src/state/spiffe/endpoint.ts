/**
 * The server of a bundle endpoint that shows an X.509-SVID (SPIFFE Federation §5.2.2, `https_spiffe`). In: who must answer,
 * the authorities of its trust domain, the chain that it has shown. Out: why it may not be believed, or undefined. Its
 * certificate is verified as a peer's is, within its dates, and by its SPIFFE ID alone: no name of a host is looked at, and
 * no public authority. Does NOT verify that the server has the key: the TLS handshake did.
 */
import { trustDomainOf } from '../../model/ids.js';
import type { SpiffeId } from '../../model/ids.js';
import type { VerifiedLeaf } from '../../model/ports.js';
import { EXTENDED_KEY_USAGE } from '../../x509/extensions.js';
import { readX509 } from '../../x509/x509.js';
import type { CheckSvid } from './own-svid.js';

export interface Endpoint {
  readonly id: SpiffeId;
  readonly anchors: readonly Uint8Array[];
  readonly checkSvid: CheckSvid;
}

export function endpointProblem(
  { id, anchors, checkSvid }: Endpoint,
  chain: readonly Uint8Array[],
  now: number,
): string | undefined {
  const leaf = checkSvid(chain, anchors);
  if (!leaf.ok) return `its certificate: ${leaf.problem}`;
  const { facts } = leaf.value;
  if (facts.id !== id) return `it is ${facts.id}, expected ${id}`;
  if (!isValid(leaf.value, now))
    return `its certificate or an authority of ${trustDomainOf(id)} is outside its validity`;
  return mayServe(facts.der) ? undefined : 'its certificate is not for servers (extKeyUsage)';
}

/** Both ends are valid (RFC 5280 §4.1.2.5). */
function isValid({ facts, windows }: VerifiedLeaf, now: number): boolean {
  const within = (from: number, until: number): boolean => from <= now && now <= until;
  return within(facts.notBefore, facts.notAfter) && windows.some(({ from, until }) => within(from, until));
}

function mayServe(der: Uint8Array): boolean {
  const certificate = readX509(der);
  const purposes = certificate.ok ? certificate.value.extensions.extendedKeyUsage : [];
  return purposes === undefined || purposes.includes(EXTENDED_KEY_USAGE.serverAuth);
}
