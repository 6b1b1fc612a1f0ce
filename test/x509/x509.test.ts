import 'reflect-metadata';
import * as library from '@peculiar/x509';
import fc from 'fast-check';
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { hex } from '../../src/x509/der.js';
import { isSignedBy } from '../../src/x509/signature.js';
import { readX509 } from '../../src/x509/x509.js';
import type { X509 } from '../../src/x509/x509.js';
import {
  childrenOf,
  CLIENT_AUTH,
  KEY_USAGE,
  makeCa,
  makeKey,
  partsOf,
  rawExtension,
  signAnew,
  tlv,
} from '../helpers/pki.js';
import type { SvidOptions, TestAlgorithm, TestCa, TestKey } from '../helpers/pki.js';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

function read(der: Uint8Array): X509 {
  const result = readX509(der);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

const problemOf = (der: Uint8Array): string => {
  const result = readX509(der);
  return result.ok ? 'none' : result.problem;
};

let ca: TestCa;
let leafKey: TestKey;
beforeAll(async () => {
  ca = await makeCa();
  leafKey = await makeKey();
});

/** Replaces one part of the to-be-signed body and signs it anew: the signature is right, the content is bent. */
async function bent(edit: (parts: Uint8Array[]) => Uint8Array[], options: SvidOptions = {}): Promise<Uint8Array> {
  const [tbs, algorithm] = partsOf((await ca.issue({ key: leafKey, ...options })).der);
  return signAnew(tlv(0x30, ...edit(childrenOf(tbs))), algorithm, ca.key);
}

const withPart = (index: number, part: Uint8Array) => (parts: Uint8Array[]) =>
  parts.map((each, at) => (at === index ? part : each));
const PART = { version: 0, serial: 1, issuer: 3, validity: 4, subject: 5, spki: 6, extensions: 7 } as const;

/** The hex of a validity with this notBefore and a right notAfter. */
const dates = (notBefore: string, tag = 0x17): string =>
  hex(tlv(0x30, tlv(tag, Buffer.from(notBefore)), tlv(0x17, Buffer.from('270101000000Z'))));

describe('reading a certificate', () => {
  it('agrees with @peculiar/x509 and with node over many generated certificates', async () => {
    const options = fc.record({
      algorithm: fc.constantFrom<TestAlgorithm>('P-256', 'P-384', 'P-521', 'Ed25519'),
      uris: fc.array(fc.webUrl(), { maxLength: 4 }),
      dns: fc.array(fc.domain(), { maxLength: 3 }),
      sanCritical: fc.boolean(),
      isCa: fc.constantFrom(true, false, null),
      keyUsage: fc.option(fc.integer({ min: 1, max: 511 })),
      eku: fc.option(
        fc.uniqueArray(fc.constantFrom(CLIENT_AUTH, '1.3.6.1.5.5.7.3.1', '2.5.29.37.0'), { minLength: 1 }),
      ),
      serial: fc.uint8Array({ minLength: 1, maxLength: 16 }).map((octets) => `01${hex(octets)}`),
      notBefore: fc.date({ min: new Date('1951-01-01'), max: new Date('2049-01-01'), noInvalidDate: true }),
      notAfter: fc.date({ min: new Date('2049-06-01'), max: new Date('9999-01-01'), noInvalidDate: true }),
      subject: fc.constantFrom('', 'CN=a', 'C=US, O=SPIRE', 'CN=ümlaut, O=x\\, y'),
    });
    await fc.assert(
      fc.asyncProperty(options, async (bends) => {
        const { der } = await ca.issue(bends);
        compare(read(der), der);
      }),
      { numRuns: 150 },
    );
  });

  function compare(own: X509, der: Uint8Array): void {
    const other = new library.X509Certificate(Buffer.from(der));
    const node = new X509Certificate(der);
    expect(own.serial).toBe(node.serialNumber.toLowerCase());
    expect(own.notBefore).toBe(other.notBefore.getTime());
    expect(own.notAfter).toBe(other.notAfter.getTime());
    expect(own.spki).toEqual(new Uint8Array(node.publicKey.export({ format: 'der', type: 'spki' })));
    expect(isSignedBy(own, read(ca.der))).toBe(node.verify(new X509Certificate(ca.der).publicKey));
    const names = other.getExtension(library.SubjectAlternativeNameExtension)?.names.items ?? [];
    const uris = names.filter(({ type }) => type === 'url').map(({ value }) => value);
    expect(own.extensions.subjectAltName?.uris ?? []).toEqual(uris);
    expect(own.extensions.basicConstraints?.ca).toBe(other.getExtension(library.BasicConstraintsExtension)?.ca);
    const usages = other.getExtension(library.KeyUsagesExtension)?.usages;
    expect(own.extensions.keyUsage).toBe(usages === undefined ? undefined : reversed(usages & 0xff));
    expect(own.extensions.extendedKeyUsage?.length).toBe(
      other.getExtension(library.ExtendedKeyUsageExtension)?.usages.length,
    );
    expect(own.extensions.authorityKeyId).toBe(other.getExtension(library.AuthorityKeyIdentifierExtension)?.keyId);
    expect(own.extensions.subjectKeyId).toBe(other.getExtension(library.SubjectKeyIdentifierExtension)?.keyId);
  }

  /** Bit 0 is the highest bit of the octet in DER, and the lowest one in the library's flags. */
  const reversed = (octet: number): number =>
    [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, bit) => sum + ((octet >> bit) & 1) * 2 ** (7 - bit), 0);

  it('never throws and never accepts trailing bytes, whatever the bytes are', async () => {
    const { der } = await ca.issue({ dns: ['a.example'] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        expect(readX509(noise).ok).toBe(false);
        expect(readX509(Buffer.concat([der, noise, Buffer.from([0])])).ok).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('survives every change of one octet, and a change is never read as the same certificate signed by the same CA', async () => {
    const { der } = await ca.issue();
    const authority = read(ca.der);
    const edits = fc.record({ at: fc.nat(der.length - 1), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(edits, ({ at, to }) => {
        fc.pre(der[at] !== to);
        const changed = Uint8Array.from(der, (octet, index) => (index === at ? to : octet));
        const result = readX509(changed);
        if (result.ok) expect(isSignedBy(result.value, authority)).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  it('refuses every truncation', async () => {
    const { der } = await ca.issue();
    for (let length = 0; length < der.length; length += 1) expect(readX509(der.subarray(0, length)).ok).toBe(false);
    expect(readX509(der).ok).toBe(true);
  });

  it('refuses a duplicate extension', async () => {
    expect(problemOf((await ca.issue({ duplicateSan: true })).der)).toBe('the extension 2.5.29.17 comes twice');
    const again = [rawExtension('2.5.29.14', false, bytes('040101'))];
    expect(problemOf((await ca.issue({ extensions: again })).der)).toBe('the extension 2.5.29.14 comes twice');
  });

  it.each([
    ['a length that is not minimal', PART.serial, '02810101', 'not minimal'],
    ['an indefinite length', PART.serial, '02800101', 'indefinite'],
    ['a negative serial number', PART.serial, '0201ff', 'negative'],
    ['a serial number that is not minimal', PART.serial, '02020001', 'not minimal'],
    ['a serial number of 21 octets', PART.serial, `0215${'11'.repeat(21)}`, '20 octets'],
    ['version 1', PART.version, 'a003020100', 'version 3'],
    ['a subject that is a set', PART.subject, '3100', 'the subject has tag 31'],
    ['an extension list that is empty', PART.extensions, 'a3023000', 'empty'],
    ['two extension lists', PART.extensions, 'a30430003000', 'followed by other bytes'],
    ['a date without seconds', PART.validity, dates('2601010000Z'), 'notBefore is not a time'],
    ['a date with an offset', PART.validity, dates('260101000000+0100'), 'notBefore is not a time'],
    ['a date with fractions', PART.validity, dates('260101000000.5Z'), 'notBefore is not a time'],
    ['February 30', PART.validity, dates('260230000000Z'), 'notBefore is no date'],
    ['hour 24', PART.validity, dates('260201240000Z'), 'notBefore is no date'],
    ['a short year in a GeneralizedTime', PART.validity, dates('260101000000Z', 0x18), 'notBefore is not a time'],
  ])('refuses %s', async (_, index, part, problem) => {
    expect(problemOf(await bent(withPart(index, bytes(part))))).toMatch(new RegExp(problem));
  });

  it('accepts the same certificate when nothing is bent', async () => {
    expect(problemOf(await bent((parts) => parts))).toBe('none');
  });

  it('refuses a certificate whose inner and outer signature algorithms differ', async () => {
    const [tbs] = partsOf((await ca.issue()).der);
    const sha384 = bytes('300a06082a8648ce3d040303');
    expect(problemOf(signAnew(tbs, sha384, ca.key))).toBe('the two signature algorithms differ');
  });

  it.each([
    ['basicConstraints with trailing bytes', '2.5.29.19', '300000', 'followed'],
    ['pathLenConstraint without cA', '2.5.29.19', '3003020100', 'without cA'],
    ['a boolean that is neither 00 nor FF', '2.5.29.19', '3003010101', 'boolean'],
    ['an empty extKeyUsage', '2.5.29.37', '3000', 'empty'],
    ['keyUsage with padding bits set', '2.5.29.15', '03020781', 'padding'],
    ['an empty subjectAltName', '2.5.29.17', '3000', 'empty'],
    ['a URI name of another form', '2.5.29.17', '3003a60161', 'unknown type'],
    ['a URI that is not ASCII', '2.5.29.17', '30038601c3', 'ASCII'],
  ])('refuses %s', async (_, oid, value, problem) => {
    const options = {
      isCa: null,
      keyUsage: null,
      eku: null,
      uris: [],
      extensions: [rawExtension(oid, false, bytes(value))],
    };
    expect(problemOf((await ca.issue(options)).der)).toMatch(new RegExp(problem));
  });

  it('says which critical extensions it does not know, and stays silent on others', async () => {
    const critical = read((await ca.issue({ criticalUnknownExtension: true })).der);
    expect(critical.extensions.unknownCritical).toEqual(['1.3.6.1.4.1.55555.1.1']);
    const optional = await ca.issue({ extensions: [rawExtension('1.2.3.4', false, bytes('0500'))] });
    expect(read(optional.der).extensions.unknownCritical).toEqual([]);
  });
});

describe('the floor under keys', () => {
  it.each<TestAlgorithm>(['P-256', 'P-384', 'P-521', 'RSA', 'Ed25519'])('accepts %s', async (algorithm) => {
    expect(problemOf((await ca.issue({ algorithm })).der)).toBe('none');
  });

  it('refuses RSA with 1024 bits', async () => {
    expect(problemOf((await ca.issue({ algorithm: 'RSA-1024' })).der)).toBe(
      'the RSA key has 1024 bits, expected 2048 to 8192',
    );
  });

  const rsaKey = (modulus: string, exponent: string): Uint8Array =>
    tlv(
      0x30,
      bytes('300d06092a864886f70d0101010500'),
      tlv(0x03, bytes('00'), tlv(0x30, tlv(0x02, bytes(modulus)), tlv(0x02, bytes(exponent)))),
    );
  const MODULUS_2048 = `00c1${'11'.repeat(255)}`;

  it.each([
    ['2048 bits', rsaKey(MODULUS_2048, '010001'), 'none'],
    ['2047 bits', rsaKey(`41${'11'.repeat(255)}`, '010001'), '2047 bits'],
    ['8200 bits', rsaKey(`00c1${'11'.repeat(1024)}`, '010001'), '8200 bits'],
    ['exponent 1', rsaKey(MODULUS_2048, '01'), 'exponent'],
    ['an even exponent', rsaKey(MODULUS_2048, '010000'), 'exponent'],
    ['an exponent of five octets', rsaKey(MODULUS_2048, '0100000001'), 'exponent'],
    ['secp256k1', bytes(`3056301006072a8648ce3d020106052b8104000a03420004${'11'.repeat(64)}`), 'none of RSA'],
    [
      'a compressed point',
      bytes(`3039301306072a8648ce3d020106082a8648ce3d03010703220002${'11'.repeat(32)}`),
      '33 octets',
    ],
    ['Ed448', bytes(`3043300506032b6571033a00${'11'.repeat(57)}`), 'none of RSA'],
    ['DSA', bytes('3012300906072a8648ce3804010305000202' + '0101'), 'none of RSA|longer|tag'],
  ])('judges %s', async (_, spki, problem) => {
    expect(problemOf(await bent(withPart(PART.spki, spki)))).toMatch(new RegExp(problem));
  });
});

describe('signatures', () => {
  it.each<TestAlgorithm>(['P-256', 'P-384', 'P-521', 'RSA', 'RSA-PSS', 'Ed25519'])(
    'of %s verify, and only with that key',
    async (algorithm) => {
      const signer = await makeCa({ algorithm });
      const other = await makeCa({ algorithm });
      const leaf = read((await signer.issue({ key: leafKey })).der);
      expect(isSignedBy(leaf, read(signer.der))).toBe(true);
      expect(isSignedBy(leaf, read(other.der))).toBe(false);
      expect(isSignedBy(leaf, read(ca.der))).toBe(false);
    },
  );

  it('of SHA-1 and MD5 do not count', async () => {
    const weak = await ca.issue({ hash: 'SHA-1' });
    expect(read(weak.der).signatureAlgorithm).toBeUndefined();
    expect(isSignedBy(read(weak.der), read(ca.der))).toBe(false);

    const rsa = await makeCa({ algorithm: 'RSA' });
    const md5 = read(await asMd5(rsa));
    expect(md5.signatureAlgorithm).toBeUndefined();
    expect(isSignedBy(md5, read(rsa.der))).toBe(false);
  });

  /** sha256WithRSAEncryption and md5WithRSAEncryption differ in their last octet. */
  async function asMd5(rsa: TestCa): Promise<Uint8Array> {
    const [tbs, algorithm] = partsOf((await rsa.issue({ key: leafKey })).der);
    const change = (der: Uint8Array): Uint8Array =>
      bytes(hex(der).replace('300d06092a864886f70d01010b0500', '300d06092a864886f70d0101040500'));
    return signAnew(change(tbs), change(algorithm), rsa.key, 'md5');
  }

  it('by a key that is not on its curve do not count, and nothing is thrown', async () => {
    const spki = bytes(`3059301306072a8648ce3d020106082a8648ce3d03010703420004${'11'.repeat(64)}`);
    const signer = read(await bent(withPart(PART.spki, spki)));
    expect(isSignedBy(read((await ca.issue()).der), signer)).toBe(false);
  });
});

describe('names as text', () => {
  const attribute = (oid: string, value: Uint8Array): Uint8Array => tlv(0x31, tlv(0x30, tlv(0x06, bytes(oid)), value));
  const utf8 = (text: string): Uint8Array => tlv(0x0c, Buffer.from(text));

  it.each([
    [
      'the most specific part first',
      [attribute('550406', tlv(0x13, Buffer.from('US'))), attribute('550403', utf8('a'))],
      'CN=a,C=US',
    ],
    [
      'special characters with a backslash',
      [attribute('550403', utf8(' #a,b+c"d\\e<f>;g '))],
      'CN=\\ #a\\,b\\+c\\"d\\\\e\\<f\\>\\;g\\ ',
    ],
    ['control and invisible characters as hex', [attribute('550403', utf8('a\n\u200bb'))], 'CN=a\\0a\\e2\\80\\8bb'],
    ['unknown types by OID and hex', [attribute('2a0304', utf8('x'))], '1.2.3.4=#0c0178'],
    ['old string types as hex', [attribute('550403', tlv(0x1e, bytes('0061')))], 'CN=#1e020061'],
    ['domain components', [attribute('0992268993f22c640119', tlv(0x16, Buffer.from('example')))], 'DC=example'],
  ])('write %s', async (_, parts, text) => {
    expect(read(await bent(withPart(PART.subject, tlv(0x30, ...parts)))).subjectText).toBe(text);
  });

  it('are refused where they are not UTF-8', async () => {
    const name = tlv(0x30, attribute('550403', tlv(0x0c, bytes('ff'))));
    expect(problemOf(await bent(withPart(PART.subject, name)))).toMatch(/UTF-8/);
  });

  it('of issuers are those of the CA', async () => {
    const leaf = read((await ca.issue({ keyUsage: KEY_USAGE.digitalSignature })).der);
    expect(leaf.issuerText).toBe('O=Test,CN=Test Root CA');
    expect(leaf.issuer).toEqual(read(ca.der).subject);
  });
});
