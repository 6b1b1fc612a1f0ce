/**
 * Client certificates as evidence. In: the PEM texts that Envoy hands over, and the DER inside. Out: the DER list, and
 * the facts of an X.509-SVID leaf. Refuses what breaks X509-SVID §§2-5 or RFC 5280 in the leaf itself. Does NOT verify
 * any signature, path, date or lifetime, nor whether the trust domain is known: a fact here is still only a claim.
 */
import { createHash } from 'node:crypto';
import type { CertificateFacts } from '../model/evidence.js';
import { parseSpiffeId } from '../model/ids.js';
import type { Sha256Hex, SpiffeId } from '../model/ids.js';
import { dotted, Malformed, reading } from '../x509/der.js';
import { EXTENDED_KEY_USAGE, KEY_USAGE } from '../x509/extensions.js';
import { readPem } from '../x509/pem.js';
import { readX509 } from '../x509/x509.js';
import type { X509 } from '../x509/x509.js';

export type ChainReading =
  | { readonly ok: true; readonly certificates: readonly Uint8Array[] }
  | { readonly ok: false; readonly problem: string };

export type SvidReading =
  { readonly ok: true; readonly facts: CertificateFacts } | { readonly ok: false; readonly problem: string };

/** A leaf and its intermediates; Envoy's own limit for a header line is the same 64 KiB. */
const LIMITS = { style: 'machine', maxLength: 65_536, maxBlocks: 10 } as const;

/** Percent-encoded PEM: `source.certificate`, and Cert and Chain of a text XFCC before they are decoded. */
export function readPemChain(urlEncodedPem: string): ChainReading {
  if (urlEncodedPem.length > LIMITS.maxLength)
    return { ok: false, problem: `the encoded PEM is longer than ${LIMITS.maxLength} characters` };
  const pem = percentDecode(urlEncodedPem);
  return pem === undefined ? { ok: false, problem: 'the percent-encoding of the PEM is broken' } : readPemText(pem);
}

/** Plain PEM: Cert and Chain of a JSON XFCC, or of a text XFCC once they are decoded. */
export function readPemText(pem: string): ChainReading {
  const blocks = reading(() => readPem(pem, LIMITS));
  return blocks.ok ? { ok: true, certificates: blocks.value } : blocks;
}

/** The leaf itself. The caller knows whose it is, and so which reason a problem has. */
export function readSvid(der: Uint8Array): SvidReading {
  const certificate = readX509(der);
  if (!certificate.ok) return certificate;
  const leaf = reading(() => {
    checkLeaf(certificate.value);
    return workloadIdOf(certificate.value);
  });
  return leaf.ok ? { ok: true, facts: factsOf(certificate.value, leaf.value) } : leaf;
}

function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** X509-SVID §4 and §5.2. That keyUsage be marked critical is not demanded: it is obeyed either way. */
function checkLeaf({ extensions, signatureAlgorithm, subjectText }: X509): void {
  const { keyUsage, extendedKeyUsage, unknownCritical, subjectAltName } = extensions;
  if (signatureAlgorithm === undefined)
    throw new Malformed('the signature algorithm of the certificate is not accepted');
  if (extensions.basicConstraints?.ca === true) throw new Malformed('the certificate is a CA, not a workload');
  if (unknownCritical[0] !== undefined)
    throw new Malformed(`the certificate has the critical extension ${unknownCritical[0]}, which is not supported`);
  if (keyUsage === undefined) throw new Malformed('the certificate has no keyUsage');
  if ((keyUsage & KEY_USAGE.digitalSignature) === 0) throw new Malformed('its keyUsage lacks digitalSignature');
  if ((keyUsage & (KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign)) !== 0)
    throw new Malformed('its keyUsage has keyCertSign or cRLSign, which only a CA may have');
  if (extendedKeyUsage !== undefined && !extendedKeyUsage.includes(EXTENDED_KEY_USAGE.clientAuth))
    throw new Malformed(`its extKeyUsage lacks ${dotted(EXTENDED_KEY_USAGE.clientAuth)} (clientAuth)`);
  // RFC 5280 §4.1.2.6
  if (subjectText === '' && subjectAltName?.critical === false)
    throw new Malformed('its subject is empty, but its subjectAltName is not critical');
}

/** X509-SVID §2 and §5.2: exactly one URI over all names, and that is a SPIFFE ID with a path. */
function workloadIdOf({ extensions }: X509): SpiffeId {
  const uris = extensions.subjectAltName?.uris ?? [];
  const [uri] = uris;
  if (uri === undefined || uris.length > 1)
    throw new Malformed(`the certificate has ${uris.length} URI names, expected exactly one`);
  const id = parseSpiffeId(uri);
  if (id === undefined) throw new Malformed('the URI name of the certificate is not the SPIFFE ID of a workload');
  return id;
}

function factsOf(certificate: X509, id: SpiffeId): CertificateFacts {
  return {
    id,
    der: certificate.der,
    sha256: createHash('sha256').update(certificate.der).digest('hex') as Sha256Hex,
    serial: certificate.serial,
    issuer: certificate.issuerText,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}
