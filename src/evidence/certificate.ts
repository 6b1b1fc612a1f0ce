/**
 * Client certificates as evidence. In: the PEM texts that Envoy hands over, and the DER inside. Out: the DER list, and
 * the facts of an X.509-SVID leaf. Refuses what breaks X509-SVID §§2-5 or RFC 5280 in the leaf itself. Does NOT verify
 * any signature, path, date or lifetime, nor whether the trust domain is known: a fact here is still only a claim.
 */
import { hash } from 'node:crypto';
import type { CertificateFacts } from '../model/evidence.js';
import { parseSpiffeId } from '../model/ids.js';
import type { Sha256Hex, SpiffeId } from '../model/ids.js';
import { dotted, reading } from '../x509/der.js';
import { EXTENDED_KEY_USAGE, KEY_USAGE } from '../x509/extensions.js';
import { readPem } from '../x509/pem.js';
import { readX509 } from '../x509/x509.js';
import type { X509 } from '../x509/x509.js';

export type ChainReading =
  | { readonly ok: true; readonly certificates: readonly Uint8Array[] }
  | { readonly ok: false; readonly problem: string };

export type SvidReading =
  | { readonly ok: true; readonly facts: CertificateFacts; readonly certificate: X509 }
  | { readonly ok: false; readonly problem: string };

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
  const [fault] = leafFaults(certificate.value);
  if (fault !== undefined) return { ok: false, problem: fault.problem };
  const id = parseSpiffeId(certificate.value.extensions.subjectAltName?.uris[0] ?? '');
  if (id === undefined) return { ok: false, problem: NO_ID };
  return { ok: true, facts: factsOf(certificate.value, id), certificate: certificate.value };
}

function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What a leaf breaks, and whose rule that is; `readSvid` goes by the first. */
export interface LeafFault {
  readonly problem: string;
  readonly rule: string;
}

const NO_ID = 'the URI name of the certificate is not the SPIFFE ID of a workload';

const fault = (problem: string, rule: string): LeafFault => ({ problem, rule });

/** X509-SVID §4 and §5.2. That keyUsage be marked critical is not demanded: it is obeyed either way. */
export function* leafFaults({ extensions, signatureAlgorithm, subjectText }: X509): Generator<LeafFault> {
  const { keyUsage, extendedKeyUsage, unknownCritical, subjectAltName } = extensions;
  if (signatureAlgorithm === undefined)
    yield fault('the signature algorithm of the certificate is not accepted', 'SHA-1, MD5 and DSA sign nothing here');
  if (extensions.basicConstraints?.ca === true)
    yield fault('the certificate is a CA, not a workload', 'X509-SVID §4.1');
  if (unknownCritical[0] !== undefined)
    yield fault(
      `the certificate has the critical extension ${unknownCritical[0]}, which is not supported`,
      'RFC 5280 §4.2',
    );
  if (keyUsage === undefined) yield fault('the certificate has no keyUsage', 'X509-SVID §4.3');
  else {
    if ((keyUsage & KEY_USAGE.digitalSignature) === 0)
      yield fault('its keyUsage lacks digitalSignature', 'X509-SVID §4.3');
    if ((keyUsage & (KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign)) !== 0)
      yield fault('its keyUsage has keyCertSign or cRLSign, which only a CA may have', 'X509-SVID §4.3');
  }
  if (extendedKeyUsage !== undefined && !extendedKeyUsage.includes(EXTENDED_KEY_USAGE.clientAuth))
    yield fault(`its extKeyUsage lacks ${dotted(EXTENDED_KEY_USAGE.clientAuth)} (clientAuth)`, 'X509-SVID §4.4');
  if (subjectText === '' && subjectAltName?.critical === false)
    yield fault('its subject is empty, but its subjectAltName is not critical', 'RFC 5280 §4.1.2.6');
  yield* nameFaults(subjectAltName?.uris ?? []);
}

/** Exactly one URI over all names, and that is a SPIFFE ID with a path. */
function* nameFaults(uris: readonly string[]): Generator<LeafFault> {
  const [uri] = uris;
  if (uri === undefined || uris.length > 1)
    yield fault(`the certificate has ${uris.length} URI names, expected exactly one`, 'X509-SVID §2 and §5.2');
  else if (parseSpiffeId(uri) === undefined) yield fault(NO_ID, 'X509-SVID §5.2, SPIFFE-ID §2');
}

function factsOf(certificate: X509, id: SpiffeId): CertificateFacts {
  return {
    id,
    der: certificate.der,
    sha256: hash('sha256', certificate.der, 'hex') as Sha256Hex,
    serial: certificate.serial,
    issuer: certificate.issuerText,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}
