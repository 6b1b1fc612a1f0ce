/**
 * One X.509 certificate, read strictly (RFC 5280 §4.1). In: DER. Out: its parts. Refuses trailing bytes, duplicate
 * extensions, versions other than 3, keys below the floor (keys.ts), names and dates that are malformed. Does NOT verify
 * the signature, compare the dates with any clock, or ask whether the extensions make a leaf or an authority.
 */
import type { KeyObject } from 'node:crypto';
import {
  elementsOf,
  expect,
  hex,
  latin1,
  Malformed,
  octetsOfBits,
  only,
  reading,
  sameBytes,
  TAG,
  unsignedOf,
} from './der.js';
import type { Element, Reading } from './der.js';
import { readExtensions } from './extensions.js';
import type { Extensions } from './extensions.js';
import { publicKeyOf, readKeyKind } from './keys.js';
import type { KeyKind } from './keys.js';
import { nameText } from './name.js';
import { signatureAlgorithmOf } from './signature.js';
import type { SignatureAlgorithm } from './signature.js';

export interface X509 {
  readonly der: Uint8Array;
  /** What is signed, as whole DER. */
  readonly tbs: Uint8Array;
  /** Lower-case hex without the sign octet. */
  readonly serial: string;
  /** DER of the names: compared byte by byte. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** RFC 4514. */
  readonly issuerText: string;
  readonly subjectText: string;
  /** ms since 1970, both ends valid. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly keyKind: KeyKind;
  /** For verifying what this certificate signed; undefined where the key is none. Made once, when first asked for. */
  readonly publicKey: () => KeyObject | undefined;
  readonly extensions: Extensions;
  /** undefined for an algorithm that does not count (SHA-1, MD5, …). */
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  readonly signature: Uint8Array;
}

/** Far above any SVID, far below what would be slow. */
const MAX_CERTIFICATE = 65_536;

export function readX509(der: Uint8Array): Reading<X509> {
  return reading(() => {
    if (der.length > MAX_CERTIFICATE) throw new Malformed(`the certificate is longer than ${MAX_CERTIFICATE} bytes`);
    const [tbs, algorithm, signature, ...rest] = elementsOf(only(der, TAG.sequence, 'the certificate').content);
    if (rest.length > 0) throw new Malformed('the certificate has more than three parts');
    const outer = expect(algorithm, TAG.sequence, 'the signature algorithm').whole;
    const signed = readSigned(expect(tbs, TAG.sequence, 'tbsCertificate'));
    // RFC 5280 §4.1.1.2: else the signature would not cover its own algorithm.
    if (!sameBytes(outer, signed.algorithm)) throw new Malformed('the two signature algorithms differ');
    return {
      ...signed,
      der,
      signatureAlgorithm: signatureAlgorithmOf(hex(outer)),
      signature: octetsOfBits(signature, 'the signature'),
    };
  });
}

type Signed = Omit<X509, 'der' | 'signatureAlgorithm' | 'signature'> & { readonly algorithm: Uint8Array };

/** version [0], serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions [3]. */
function readSigned(tbs: Element): Signed {
  const [version, serial, algorithm, issuer, validity, subject, spki, extensions, ...rest] = elementsOf(tbs.content);
  checkVersion(version);
  if (rest.length > 0) throw new Malformed('tbsCertificate has more parts than known');
  const names = { issuer: nameOf(issuer, 'the issuer'), subject: nameOf(subject, 'the subject') };
  const key = expect(spki, TAG.sequence, 'the subject public key');
  return {
    tbs: tbs.whole,
    serial: readSerial(serial),
    algorithm: expect(algorithm, TAG.sequence, 'the signature algorithm').whole,
    ...names,
    issuerText: nameText(names.issuer),
    subjectText: nameText(names.subject),
    ...readValidity(validity),
    spki: key.whole,
    keyKind: readKeyKind(key),
    publicKey: publicKeyOf(key.whole),
    extensions: readExtensions(extensions === undefined ? undefined : expect(extensions, 0xa3, 'the extensions')),
  };
}

function checkVersion(version: Element | undefined): void {
  const number = only(expect(version, 0xa0, 'the version').content, TAG.integer, 'the version');
  if (hex(number.content) !== '02') throw new Malformed('the certificate is not of version 3');
}

/** RFC 5280 §4.1.2.2: at most 20 octets. Zero is tolerated, as the RFC asks users to do; a negative one has two readings. */
function readSerial(serial: Element | undefined): string {
  const octets = unsignedOf(serial, 'the serial number');
  if (octets.length > 20) throw new Malformed('the serial number has more than 20 octets');
  return hex(octets);
}

const nameOf = (name: Element | undefined, what: string): Uint8Array => expect(name, TAG.sequence, what).whole;

function readValidity(validity: Element | undefined): { notBefore: number; notAfter: number } {
  const [notBefore, notAfter, ...rest] = elementsOf(expect(validity, TAG.sequence, 'the validity').content);
  if (rest.length > 0) throw new Malformed('the validity has more than two parts');
  return { notBefore: timeOf(notBefore, 'notBefore'), notAfter: timeOf(notAfter, 'notAfter') };
}

/** RFC 5280 §4.1.2.5: with seconds, without fractions, in Z; two-digit years are those from 1950 to 2049. */
function timeOf(element: Element | undefined, what: string): number {
  const text = latin1(element?.content ?? new Uint8Array());
  const known = element?.tag === TAG.utcTime || element?.tag === TAG.generalizedTime;
  const full = element?.tag === TAG.utcTime ? (text < '5' ? '20' : '19') + text : text;
  if (!known || !/^\d{14}Z$/.test(full)) throw new Malformed(`${what} is not a time of RFC 5280`);
  const part = (from: number, to: number): number => Number(full.slice(from, to));
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
  const [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
  const longest = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const inYear = year >= 1950 && month >= 1 && month <= 12 && day >= 1 && day <= longest;
  if (!inYear || hour > 23 || minute > 59 || second > 59) throw new Malformed(`${what} is no date`);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
