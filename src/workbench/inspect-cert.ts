/**
 * `firsthand inspect cert`. In: bytes of one or several certificates, a moment. Out: what they say, and every rule of a
 * leaf or an authority that they break. The first that is no CA is taken for the leaf. Does NOT know any trust bundle:
 * what is fine here may still be untrusted there.
 */
import { createHash } from 'node:crypto';
import { leafFaults } from '../evidence/certificate.js';
import { parseSpiffeId } from '../model/ids.js';
import { authorityProblems } from '../x509/authority.js';
import { dotted, sameBytes } from '../x509/der.js';
import { KEY_USAGE } from '../x509/extensions.js';
import { isSignedBy } from '../x509/signature.js';
import { readX509 } from '../x509/x509.js';
import type { X509 } from '../x509/x509.js';
import { fault, shownValue } from './inspection.js';
import type { Fact, Fault, Inspection, Part } from './inspection.js';
import { readCertificates } from './inspect-pem.js';
import { spanText } from '../model/duration.js';
import { momentText } from './times.js';

export function inspectCert(bytes: Uint8Array, now: number): Inspection {
  const { certificates, faults } = readCertificates(bytes);
  const wrapping: Part[] = faults.length === 0 ? [] : [{ title: 'file', facts: [], faults }];
  return { of: 'cert', parts: [...wrapping, ...certificateParts(certificates, now, '')] };
}

/** `prefix` stands in front of each title. */
export function certificateParts(ders: readonly Uint8Array[], now: number, prefix: string): Part[] {
  const read = ders.map((der) => readX509(der));
  const all = read.flatMap((each) => (each.ok ? [each.value] : []));
  return read.map((each, index) => {
    const title = `${prefix}certificate ${index + 1} of ${ders.length}`;
    const sha256: Fact = ['sha256', sha256Of(ders[index] ?? new Uint8Array())];
    if (!each.ok) return { title, facts: [sha256], faults: [fault(each.problem, 'RFC 5280 §4')] };
    const role = roleOf(each.value, index, all[0]);
    return {
      title: `${title}: ${ROLES[role]}`,
      facts: [...factsOf(each.value, now), sha256],
      faults: [...roleFaults(each.value, role), ...timeFaults(each.value, now), ...linkFaults(each.value, all, role)],
    };
  });
}

type Role = 'leaf' | 'anchor' | 'intermediate';

const ROLES: Readonly<Record<Role, string>> = {
  leaf: 'a leaf',
  anchor: 'an authority that names itself as issuer (a trust anchor, where an operator lists it)',
  intermediate: 'an authority',
};

const isSelfIssued = ({ issuer, subject }: X509): boolean => sameBytes(issuer, subject);

/** What stands behind a leaf was sent as an intermediate, whatever it says about itself. */
function roleOf(certificate: X509, index: number, first: X509 | undefined): Role {
  const isCa = certificate.extensions.basicConstraints?.ca === true;
  const behindLeaf = index > 0 && first?.extensions.basicConstraints?.ca !== true;
  if (!isCa && !behindLeaf) return 'leaf';
  return isSelfIssued(certificate) ? 'anchor' : 'intermediate';
}

export const sha256Of = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex');

function factsOf(certificate: X509, now: number): Fact[] {
  const { extensions, notBefore, notAfter } = certificate;
  const facts: Fact[] = [
    ['uris', extensions.subjectAltName?.uris ?? []],
    ['subject', certificate.subjectText === '' ? '(empty)' : certificate.subjectText],
    ['issuer', certificate.issuerText === '' ? '(empty)' : certificate.issuerText],
    ['serial', certificate.serial],
    ['not before', momentText(notBefore, now)],
    ['not after', momentText(notAfter, now)],
    ['lifetime', spanText(notAfter - notBefore)],
    ['key', keyText(certificate)],
    ['signature', signatureText(certificate)],
    ['key usage', usageText(extensions.keyUsage)],
    ['extended usage', (extensions.extendedKeyUsage ?? []).map(purposeText)],
  ];
  return facts.map(([name, value]): Fact => [name, shownValue(value)]);
}

function keyText(certificate: X509): string {
  const details = certificate.publicKey()?.asymmetricKeyDetails;
  if (certificate.keyKind === 'rsa') return `RSA ${details?.modulusLength ?? ''}`.trim();
  return certificate.keyKind === 'ec' ? `EC ${details?.namedCurve ?? ''}`.trim() : 'Ed25519';
}

function signatureText({ signatureAlgorithm }: X509): string {
  if (signatureAlgorithm === undefined) return 'none that is accepted';
  const { key, hash, pss } = signatureAlgorithm;
  return [key === 'ec' ? 'ECDSA' : key === 'rsa' ? 'RSA' : 'Ed25519', pss ? 'PSS' : '', hash ?? '']
    .filter((word) => word !== '')
    .join(' ');
}

function usageText(usage: number | undefined): string {
  if (usage === undefined) return 'none';
  const named = Object.entries(KEY_USAGE).filter(([, bit]) => (usage & bit) !== 0);
  const known = named.reduce((sum, [, bit]) => sum | bit, 0);
  return [...named.map(([name]) => name), ...((usage & ~known) === 0 ? [] : ['others'])].join(', ');
}

const PURPOSES = new Map([
  ['1.3.6.1.5.5.7.3.1', 'serverAuth'],
  ['1.3.6.1.5.5.7.3.2', 'clientAuth'],
]);

const purposeText = (oid: string): string => PURPOSES.get(dotted(oid)) ?? dotted(oid);

function roleFaults(certificate: X509, role: Role): Fault[] {
  if (role === 'leaf') return [...leafFaults(certificate)].map(({ problem, rule }) => fault(problem, rule));
  const uris = certificate.extensions.subjectAltName?.uris ?? [];
  const named = uris.find((uri) => parseSpiffeId(uri) !== undefined);
  return [
    ...[...authorityProblems(certificate, role)].map((problem) => fault(problem, 'RFC 5280 §6.1.4')),
    ...(named === undefined
      ? []
      : [fault('it is a CA with the SPIFFE ID of a workload: that of a CA has no path', 'X509-SVID §3.2')]),
  ];
}

function timeFaults({ notBefore, notAfter }: X509, now: number): Fault[] {
  const rule = 'RFC 5280 §4.1.2.5';
  if (notAfter < notBefore) return [fault('it is never valid: notAfter lies before notBefore', rule)];
  if (now < notBefore) return [fault(`it is not valid yet: only in ${spanText(notBefore - now)}`, rule)];
  if (now > notAfter) return [fault(`it expired ${spanText(now - notAfter)} ago`, rule)];
  return [];
}

/** Among the certificates that came together: who should have signed this one, and did not. */
function linkFaults(certificate: X509, all: readonly X509[], role: Role): Fault[] {
  const namesakes = all.filter((other) => other !== certificate && sameBytes(other.subject, certificate.issuer));
  const faults: Fault[] = [];
  if (namesakes.length > 0 && !isSelfIssued(certificate) && !namesakes.some((other) => isSignedBy(certificate, other)))
    faults.push(fault('its issuer is here by name, but that key did not sign it', 'RFC 5280 §6.1.3'));
  const first = all[0];
  const besideLeaf = role !== 'leaf' && first !== undefined && first.extensions.basicConstraints?.ca !== true;
  if (besideLeaf && !all.some((other) => other !== certificate && sameBytes(other.issuer, certificate.subject)))
    faults.push(fault('it issued none of the others: it adds nothing to this chain', 'RFC 5280 §6.1'));
  return faults;
}
