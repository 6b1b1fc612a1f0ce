/**
 * The extensions that Firsthand understands (RFC 5280 §4.2). In: the extension list of a certificate. Out: their
 * meaning. Refuses a second extension of the same kind and anything malformed, also where it is not critical. Unknown
 * critical ones are listed, not refused: who looks at the certificate must do that. Judges no value.
 */
import { booleanOf, dotted, elementsOf, expect, hex, latin1, Malformed, oidOf, only, TAG, unsignedOf } from './der.js';
import type { Element } from './der.js';

export interface Extensions {
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | undefined } | undefined;
  /** The first octet of the bits: see KEY_USAGE. */
  readonly keyUsage: number | undefined;
  /** OIDs as hex: see EXTENDED_KEY_USAGE. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectAltName: { readonly critical: boolean; readonly uris: readonly string[] } | undefined;
  /** Both as hex. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** Present, critical or not. They are not evaluated: an authority that has them is of no use here. */
  readonly nameConstraints: boolean;
  /** Dotted OIDs of critical extensions that are not in this list. */
  readonly unknownCritical: readonly string[];
}

export const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const;
export const EXTENDED_KEY_USAGE = {
  serverAuth: '2b06010505070301',
  clientAuth: '2b06010505070302',
  any: '551d2500',
} as const;

const OID = {
  subjectKeyId: '551d0e',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  nameConstraints: '551d1e',
  authorityKeyId: '551d23',
  extendedKeyUsage: '551d25',
} as const;

const KNOWN: ReadonlySet<string> = new Set(Object.values(OID));

interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

export function readExtensions(list: Element | undefined): Extensions {
  const byOid = collect(list);
  const value = <T>(oid: string, read: (extension: Extension) => T): T | undefined => {
    const extension = byOid.get(oid);
    return extension === undefined ? undefined : read(extension);
  };
  return {
    basicConstraints: value(OID.basicConstraints, readBasicConstraints),
    keyUsage: value(OID.keyUsage, readKeyUsage),
    extendedKeyUsage: value(OID.extendedKeyUsage, readExtendedKeyUsage),
    subjectAltName: value(OID.subjectAltName, readSubjectAltName),
    subjectKeyId: value(OID.subjectKeyId, ({ value }) =>
      hex(only(value, TAG.octetString, 'subjectKeyIdentifier').content),
    ),
    authorityKeyId: value(OID.authorityKeyId, readAuthorityKeyId),
    nameConstraints: byOid.has(OID.nameConstraints),
    unknownCritical: unknownCritical(byOid),
  };
}

function unknownCritical(byOid: ReadonlyMap<string, Extension>): string[] {
  const unknown: string[] = [];
  for (const [oid, { critical }] of byOid) if (critical && !KNOWN.has(oid)) unknown.push(dotted(oid));
  return unknown;
}

function collect(list: Element | undefined): Map<string, Extension> {
  const byOid = new Map<string, Extension>();
  if (list === undefined) return byOid;
  const extensions = elementsOf(only(list.content, TAG.sequence, 'the extension list').content);
  if (extensions.length === 0) throw new Malformed('the extension list is empty');
  for (const element of extensions) {
    const parts = elementsOf(expect(element, TAG.sequence, 'an extension').content);
    const oid = oidOf(parts[0], 'the OID of an extension');
    const critical = parts.length === 3 && parts[1] !== undefined && booleanOf(parts[1], 'critical');
    const value = expect(parts[parts.length === 3 ? 2 : 1], TAG.octetString, 'the value of an extension').content;
    if (parts.length > 3) throw new Malformed('an extension has more than three parts');
    if (byOid.has(oid)) throw new Malformed(`the extension ${dotted(oid)} comes twice`);
    byOid.set(oid, { critical, value });
  }
  return byOid;
}

function readBasicConstraints({ value }: Extension): Extensions['basicConstraints'] {
  const parts = elementsOf(only(value, TAG.sequence, 'basicConstraints').content);
  const first = parts[0]?.tag === TAG.boolean ? parts.shift() : undefined;
  const ca = first !== undefined && booleanOf(first, 'cA');
  const length = parts.shift();
  if (parts.length > 0) throw new Malformed('basicConstraints has more than two parts');
  if (length === undefined) return { ca, pathLength: undefined };
  if (!ca) throw new Malformed('pathLenConstraint without cA');
  const octets = unsignedOf(length, 'pathLenConstraint');
  return { ca, pathLength: octets.length > 4 ? Infinity : Number.parseInt(hex(octets), 16) };
}

/** RFC 5280 §4.2.1.3: bit 0 is the highest one. decipherOnly (bit 8, the second octet) means nothing here. */
function readKeyUsage({ value }: Extension): number {
  const [unused, first, second, ...rest] = only(value, TAG.bitString, 'keyUsage').content;
  if (unused === undefined || unused > 7 || rest.length > 0) throw new Malformed('keyUsage is not a list of nine bits');
  const last = second ?? first;
  if (last === undefined ? unused > 0 : (last & (2 ** unused - 1)) !== 0)
    throw new Malformed('keyUsage has padding bits set');
  return first ?? 0;
}

function readExtendedKeyUsage({ value }: Extension): string[] {
  const usages = elementsOf(only(value, TAG.sequence, 'extKeyUsage').content);
  if (usages.length === 0) throw new Malformed('extKeyUsage is empty');
  return usages.map((usage) => oidOf(usage, 'a purpose of extKeyUsage'));
}

/** GeneralName, RFC 5280 §4.2.1.6: the tags of otherName, rfc822Name, dNSName, …, registeredID. */
const GENERAL_NAMES = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88];
const URI = 0x86;

function readSubjectAltName({ critical, value }: Extension): Extensions['subjectAltName'] {
  const names = elementsOf(only(value, TAG.sequence, 'subjectAltName').content);
  if (names.length === 0) throw new Malformed('subjectAltName is empty');
  for (const { tag } of names)
    if (!GENERAL_NAMES.includes(tag)) throw new Malformed('subjectAltName holds a name of an unknown type');
  return { critical, uris: names.filter(({ tag }) => tag === URI).map(({ content }) => ascii(content)) };
}

function ascii(bytes: Uint8Array): string {
  if (bytes.some((octet) => octet >= 0x80)) throw new Malformed('a URI of subjectAltName is not ASCII');
  return latin1(bytes);
}

/** Only keyIdentifier is of use; issuer and serial number (the tags a1 and 82) say nothing that the name does not. */
function readAuthorityKeyId({ value }: Extension): string | undefined {
  const parts = elementsOf(only(value, TAG.sequence, 'authorityKeyIdentifier').content);
  if (parts.some(({ tag }) => ![0x80, 0xa1, 0x82].includes(tag)))
    throw new Malformed('authorityKeyIdentifier holds an unknown part');
  const keyId = parts.find(({ tag }) => tag === 0x80);
  return keyId === undefined ? undefined : hex(keyId.content);
}
