import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readBundle, readIntermediates } from '../../src/state/trust-bundle.js';
import { KEY_USAGE, makeCa, rawExtension } from '../helpers/pki.js';
import type { CaOptions, TestCa } from '../helpers/pki.js';

let ca: TestCa;
let other: TestCa;
let leafPem: string;
beforeAll(async () => {
  ca = await makeCa();
  other = await makeCa({ name: 'Other Root CA' });
  leafPem = (await ca.issue()).pem;
});

const problemOf = (text: string): string => {
  const result = readBundle(text);
  return result.ok ? `${result.anchors.length} anchors` : result.problem;
};

describe('a PEM bundle', () => {
  it('gives its anchors in order', () => {
    expect(readBundle(ca.certificate + other.certificate)).toEqual({ ok: true, anchors: [ca.der, other.der] });
  });

  it('may hold comments, indentation, CRLF and a byte order mark', () => {
    const text = `\ufeff# prod root, until 2030\r\n${ca.certificate.replaceAll('\n', '\r\n')}\n# ------ other ------\n${other.certificate.replaceAll(/^/gm, '  ')}`;
    expect(readBundle(text)).toEqual({ ok: true, anchors: [ca.der, other.der] });
  });

  it.each<[string, () => string, string]>([
    ['nothing', () => '', 'no PEM block'],
    ['white space', () => ' \n\n', 'no PEM block'],
    ['comments alone', () => '# to be filled in\n', 'no PEM block'],
    ['a block cut in the middle', () => ca.certificate.slice(0, 300), 'no END line'],
    ['a block without its last line', () => ca.certificate.slice(0, -26), 'no END line'],
    ['a block with half of its last line', () => ca.certificate.slice(0, -10), 'not base64'],
    ['a second block cut short', () => ca.certificate + other.certificate.slice(0, 200), 'no END line'],
    ['a second block of which only the first line is left', () => `${ca.certificate}-----BEGIN CERTI`, 'neither'],
    ['a block that lost its first line', () => ca.certificate + other.certificate.slice(28), 'neither'],
    ['a private key', () => ca.certificate + ca.keyPem, 'private key'],
    ['a private key alone', () => ca.keyPem, 'private key'],
    ['a public key', () => ca.certificate + publicPem(ca), 'neither'],
    ['a leaf', () => ca.certificate + leafPem, 'certificate 2 (C=US,O=SPIRE): it is not a CA'],
    [
      'DER that is cut short',
      () => '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
      'certificate 1: ',
    ],
    ['an empty block', () => '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n', 'empty or not canonical'],
    ['over 1 MiB', () => ca.certificate + ' '.repeat(1_048_577), 'longer than'],
  ])('is bad with %s', (_, text, problem) => {
    expect(problemOf(text())).toContain(problem);
  });

  const publicPem = (signer: TestCa): string =>
    createPublicKey(signer.keyPem).export({ format: 'pem', type: 'spki' }).toString();

  it.each<[string, CaOptions, string]>([
    ['cA false', { isCa: false }, 'it is not a CA'],
    ['no basicConstraints', { isCa: null }, 'it is not a CA'],
    ['a keyUsage without keyCertSign', { keyUsage: KEY_USAGE.cRLSign }, 'keyCertSign'],
    [
      'name constraints',
      { extensions: [rawExtension('2.5.29.30', true, Buffer.from('3000', 'hex'))] },
      'name constraints',
    ],
    ['an unknown critical extension', { criticalUnknownExtension: true }, 'not supported'],
    ['a weak key', { algorithm: 'RSA-1024' }, '1024 bits'],
  ])('is bad with an anchor that has %s', async (_, options, problem) => {
    expect(problemOf((await makeCa(options)).certificate)).toContain(problem);
  });

  it.each<[string, CaOptions]>([
    ['no keyUsage', { keyUsage: null }],
    ['no URI name', { uris: [] }],
    ['dates that are long past', { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') }],
    ['a SHA-1 signature on itself', { hash: 'SHA-1' }],
    ['an Ed25519 key', { algorithm: 'Ed25519' }],
    ['an RSA key', { algorithm: 'RSA' }],
  ])('is good with an anchor that has %s', async (_, options) => {
    expect(problemOf((await makeCa(options)).certificate)).toBe('1 anchors');
  });

  it.each([
    ['root-ca', '1 anchors'],
    ['partner-ca', '1 anchors'],
    ['trust-bundle', '2 anchors'],
    ['intermediate-ca', '1 anchors'],
    ['frontend', 'it is not a CA'],
  ])('recorded as %s is: %s', (name, outcome) => {
    expect(problemOf(readFileSync(new URL(`../captures/pki/${name}.crt`, import.meta.url), 'utf8'))).toContain(outcome);
  });
});

describe('a SPIFFE bundle', () => {
  const base64 = (signer: TestCa): string => Buffer.from(signer.der).toString('base64');
  const entry = (signer: TestCa): object => ({ kty: 'EC', use: 'x509-svid', crv: 'P-256', x5c: [base64(signer)] });
  const bundle = (...keys: unknown[]): string => JSON.stringify({ keys, spiffe_sequence: 7, spiffe_refresh_hint: 300 });

  it('gives its anchors in order', () => {
    expect(readBundle(` \n${bundle(entry(ca), entry(other))}`)).toEqual({ ok: true, anchors: [ca.der, other.der] });
  });

  it('without keys is valid and empty', () => {
    expect(readBundle('{"keys":[]}')).toEqual({ ok: true, anchors: [] });
  });

  it.each<[string, () => unknown]>([
    ['another use', () => ({ ...entry(ca), use: 'jwt-svid' })],
    ['a use that nobody knows', () => ({ ...entry(ca), use: 'X509-SVID' })],
    ['no use', () => ({ kty: 'EC', x5c: [base64(ca)] })],
    ['a key type that nobody knows', () => ({ ...entry(ca), kty: 'AKP' })],
    ['no key type', () => ({ use: 'x509-svid', x5c: [base64(ca)] })],
    ['no x5c', () => ({ kty: 'EC', use: 'x509-svid' })],
    ['an empty x5c', () => ({ ...entry(ca), x5c: [] })],
  ])('ignores an entry with %s', (_, odd) => {
    expect(readBundle(bundle(odd(), entry(other)))).toEqual({ ok: true, anchors: [other.der] });
    expect(readBundle(bundle(odd()))).toEqual({ ok: true, anchors: [] });
  });

  it('takes the first certificate of x5c alone', () => {
    const two = { ...entry(ca), x5c: [base64(ca), base64(other)] };
    expect(readBundle(bundle(two))).toEqual({ ok: true, anchors: [ca.der] });
  });

  it.each<[string, () => string, string]>([
    ['no JSON', () => '{"keys":[', 'not JSON'],
    ['an empty object', () => '{}', '"keys" of the bundle is not an array'],
    ['keys that are an object', () => '{"keys":{}}', 'not an array'],
    ['keys that are null', () => '{"keys":null}', 'not an array'],
    ['several bundles', () => '{"trust_domains":{}}', 'not an array'],
    ['an entry that is no object', () => bundle('x'), 'key 1 of the bundle is not an object'],
    [
      'x5c that is a text',
      () => bundle({ ...entry(ca), x5c: base64(ca) }),
      '"x5c" of key 1 of the bundle is not an array',
    ],
    ['x5c that holds a number', () => bundle({ ...entry(ca), x5c: [1] }), 'not base64'],
    ['base64url', () => bundle({ ...entry(ca), x5c: [Buffer.from(ca.der).toString('base64url')] }), 'not base64'],
    [
      'base64 with line breaks',
      () => bundle({ ...entry(ca), x5c: [`${base64(ca).slice(0, 64)}\n${base64(ca).slice(64)}`] }),
      'not base64',
    ],
    [
      'two certificates in one',
      () => bundle({ ...entry(ca), x5c: [Buffer.concat([ca.der, other.der]).toString('base64')] }),
      'followed by other bytes',
    ],
    ['a sequence that is a text', () => '{"keys":[],"spiffe_sequence":"1"}', 'spiffe_sequence'],
    ['a sequence that is too large', () => '{"keys":[],"spiffe_sequence":9007199254740993}', 'spiffe_sequence'],
    ['a sequence with a fraction', () => '{"keys":[],"spiffe_sequence":1.5}', 'spiffe_sequence'],
    ['a negative sequence', () => '{"keys":[],"spiffe_sequence":-1}', 'spiffe_sequence'],
  ])('is bad with %s', (_, text, problem) => {
    expect(problemOf(text())).toContain(problem);
  });

  it('is bad with a leaf in it', async () => {
    const { der } = await ca.issue();
    expect(problemOf(bundle({ ...entry(ca), x5c: [Buffer.from(der).toString('base64')] }))).toContain('it is not a CA');
  });

  it('never throws, whatever the text is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"keys":${json}}`),
        ),
        (text) => {
          const result = readBundle(text);
          if (result.ok) expect(result.anchors).toEqual([]);
        },
      ),
    );
  });
});

describe('a file of intermediates', () => {
  it('gives its certificates in order, a root among them included', async () => {
    const intermediate = await makeCa({ parent: ca, name: 'Intermediate' });
    expect(readIntermediates(`# issuing\n${intermediate.certificate}${ca.certificate}`)).toEqual({
      ok: true,
      intermediates: [intermediate.der, ca.der],
    });
  });

  it.each<[string, () => Promise<string>, string]>([
    ['nothing', () => Promise.resolve(''), 'no PEM block'],
    ['a leaf', () => Promise.resolve(leafPem), 'it is not a CA'],
    ['a SPIFFE bundle', () => Promise.resolve('{"keys":[]}'), 'no PEM block'],
    [
      'no keyCertSign',
      async () => (await makeCa({ parent: ca, keyUsage: null, name: 'x' })).certificate,
      'keyCertSign',
    ],
    [
      'a SHA-1 signature',
      async () => (await makeCa({ parent: ca, hash: 'SHA-1', name: 'x' })).certificate,
      'signature algorithm',
    ],
  ])('is bad with %s', async (_, text, problem) => {
    const result = readIntermediates(await text());
    expect(result.ok ? 'ok' : result.problem).toContain(problem);
  });
});
