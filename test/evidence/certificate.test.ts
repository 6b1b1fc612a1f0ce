import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPemChain, readPemText, readSvid } from '../../src/evidence/certificate.js';
import { CLIENT_AUTH, KEY_USAGE, makeCa, rawExtension, SERVER_AUTH, toPem, urlEncodePem } from '../helpers/pki.js';
import type { SvidOptions, TestCa } from '../helpers/pki.js';

const ID = 'spiffe://prod.example/ns/shop/sa/frontend';

let ca: TestCa;
beforeAll(async () => {
  ca = await makeCa();
});

async function outcomeOf(options: SvidOptions): Promise<string> {
  const result = readSvid((await ca.issue(options)).der);
  return result.ok ? result.facts.id : result.problem;
}

describe('the leaf', () => {
  it('gives its facts', async () => {
    const svid = await ca.issue({
      serial: '0a0b',
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2026-01-01T01:00:00Z'),
    });
    const result = readSvid(svid.der);
    expect(result).toMatchObject({ ok: true, certificate: { der: svid.der, serial: '0a0b' } });
    expect(result).toHaveProperty('facts', {
      id: ID,
      der: svid.der,
      sha256: svid.sha256,
      serial: '0a0b',
      issuer: 'O=Test,CN=Test Root CA',
      notBefore: Date.UTC(2026, 0, 1, 0),
      notAfter: Date.UTC(2026, 0, 1, 1),
    });
  });

  it.each<[string, SvidOptions]>([
    ['other names beside the one URI', { dns: ['frontend.shop', 'x,URI:spiffe://prod.example/admin'] }],
    ['an empty subject with a critical SAN', { subject: '' }],
    ['no extKeyUsage', { eku: null }],
    ['extKeyUsage with clientAuth alone', { eku: [CLIENT_AUTH] }],
    ['no basicConstraints', { isCa: null }],
    ['keyUsage that is not critical', { keyUsageCritical: false }],
    [
      'keyAgreement and keyEncipherment',
      { keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.keyAgreement | KEY_USAGE.keyEncipherment },
    ],
    [
      'an unknown extension that is not critical',
      { extensions: [rawExtension('1.2.3.4', false, Buffer.from('0500', 'hex'))] },
    ],
    ['a P-384 key', { algorithm: 'P-384' }],
    ['an RSA key', { algorithm: 'RSA' }],
    ['an Ed25519 key', { algorithm: 'Ed25519' }],
    ['dates that are long past', { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-01-02') }],
  ])('is accepted with %s', async (_, options) => {
    expect(await outcomeOf(options)).toBe(ID);
  });

  it.each<[string, SvidOptions, string]>([
    ['two URI names', { uris: [ID, 'spiffe://prod.example/ns/shop/sa/admin'] }, '2 URI names'],
    ['a SPIFFE ID and another URI', { uris: [ID, 'https://prod.example/'] }, '2 URI names'],
    ['the same URI twice', { uris: [ID, ID] }, '2 URI names'],
    ['no SAN', { uris: [] }, '0 URI names'],
    ['DNS names alone', { uris: [], dns: ['frontend.shop'] }, '0 URI names'],
    ['a DNS name that looks like a SPIFFE ID', { uris: [], dns: [ID] }, '0 URI names'],
    ['a DNS name that a careless reader splits', { uris: [], dns: [`a, URI:${ID}`] }, '0 URI names'],
    ['the SAN extension twice', { duplicateSan: true }, 'comes twice'],
    ['another scheme', { uris: ['https://prod.example/ns/shop/sa/frontend'] }, 'not the SPIFFE ID'],
    ['a trust domain without a path', { uris: ['spiffe://prod.example'] }, 'not the SPIFFE ID'],
    ['a root path', { uris: ['spiffe://prod.example/'] }, 'not the SPIFFE ID'],
    ['a trailing slash', { uris: [`${ID}/`] }, 'not the SPIFFE ID'],
    ['percent-encoding', { uris: ['spiffe://prod.example/ns/%2e'] }, 'not the SPIFFE ID'],
    ['a dot segment', { uris: ['spiffe://prod.example/ns/../admin'] }, 'not the SPIFFE ID'],
    ['an upper-case trust domain', { uris: ['spiffe://PROD.example/ns/a'] }, 'not the SPIFFE ID'],
    ['an upper-case scheme', { uris: ['SPIFFE://prod.example/ns/a'] }, 'not the SPIFFE ID'],
    ['an ID that holds more XFCC fields', { uris: [`${ID},By=x;URI=${ID}`] }, 'not the SPIFFE ID'],
    ['an ID of 2049 bytes', { uris: [`spiffe://prod.example/${'a'.repeat(2027)}`] }, 'not the SPIFFE ID'],
    ['cA true', { isCa: true }, 'is a CA'],
    ['keyCertSign', { keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.keyCertSign }, 'keyCertSign'],
    ['cRLSign', { keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.cRLSign }, 'cRLSign'],
    ['no keyUsage', { keyUsage: null }, 'no keyUsage'],
    ['keyUsage without digitalSignature', { keyUsage: KEY_USAGE.keyEncipherment }, 'digitalSignature'],
    ['extKeyUsage without clientAuth', { eku: [SERVER_AUTH] }, 'clientAuth'],
    ['extKeyUsage with anyExtendedKeyUsage alone', { eku: ['2.5.29.37.0'] }, 'clientAuth'],
    ['an unknown critical extension', { criticalUnknownExtension: true }, 'critical extension 1.3.6.1.4.1.55555.1.1'],
    [
      'critical name constraints',
      { extensions: [rawExtension('2.5.29.32', true, Buffer.from('3000', 'hex'))] },
      '2.5.29.32',
    ],
    ['an empty subject with a SAN that is not critical', { subject: '', sanCritical: false }, 'not critical'],
    ['a weak key', { algorithm: 'RSA-1024' }, '1024 bits'],
    ['a SHA-1 signature', { hash: 'SHA-1' }, 'signature algorithm'],
  ])('is refused with %s', async (_, options, problem) => {
    expect(await outcomeOf(options)).toContain(problem);
  });

  it('is accepted with an ID of 2048 bytes', async () => {
    const id = `spiffe://prod.example/${'a'.repeat(2026)}`;
    expect(await outcomeOf({ uris: [id] })).toBe(id);
  });

  it('is refused where bytes follow it', async () => {
    const { der } = await ca.issue();
    expect(readSvid(Buffer.concat([der, Buffer.from([0])])).ok).toBe(false);
    expect(readSvid(Buffer.concat([der, der])).ok).toBe(false);
    expect(readSvid(der).ok).toBe(true);
  });

  it('is refused where it is a CA of the mesh', () => {
    expect(readSvid(ca.der)).toMatchObject({ ok: false, problem: expect.stringContaining('is a CA') as string });
  });
});

describe('PEM from Envoy', () => {
  it('is read as Envoy encodes it', async () => {
    const svid = await ca.issue();
    expect(readPemChain(svid.urlEncodedPem)).toEqual({ ok: true, certificates: [svid.der] });
    expect(readPemText(svid.pem)).toEqual({ ok: true, certificates: [svid.der] });
  });

  it('is read with its intermediates in order', async () => {
    const intermediate = await makeCa({ parent: ca, name: 'Intermediate' });
    const svid = await intermediate.issue();
    expect(readPemChain(urlEncodePem(svid.chainPem))).toEqual({ ok: true, certificates: [svid.der, intermediate.der] });
  });

  it('is read with CRLF and blank lines between blocks', async () => {
    const { pem, der } = await ca.issue();
    expect(readPemText(`\r\n${pem.replaceAll('\n', '\r\n')}\r\n \n`)).toEqual({ ok: true, certificates: [der] });
  });

  it.each<[string, (pem: string) => string]>([
    ['nothing', () => ''],
    ['white space', () => ' \n'],
    ['text before the block', (pem) => `x\n${pem}`],
    ['text after the block', (pem) => `${pem}x`],
    ['a comment', (pem) => `# leaf\n${pem}`],
    ['no END line', (pem) => pem.replace('-----END CERTIFICATE-----\n', '')],
    ['no BEGIN line', (pem) => pem.replace('-----BEGIN CERTIFICATE-----\n', '')],
    ['a block inside a block', (pem) => pem.replace('\n', '\n-----BEGIN CERTIFICATE-----\n')],
    ['another label', (pem) => pem.replaceAll('CERTIFICATE', 'PUBLIC KEY')],
    ['a private key', (pem) => `${pem}-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n`],
    ['an empty block', () => '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
    ['the base64url alphabet', () => '-----BEGIN CERTIFICATE-----\nMI-_\n-----END CERTIFICATE-----\n'],
    ['base64 that is not canonical', () => '-----BEGIN CERTIFICATE-----\nQR==\n-----END CERTIFICATE-----\n'],
    ['padding in the middle', () => '-----BEGIN CERTIFICATE-----\nQQ==\nQQ==\n-----END CERTIFICATE-----\n'],
    ['a space inside the base64', (pem) => pem.replace('MII', 'M II')],
    ['11 certificates', (pem) => pem.repeat(11)],
    ['over 64 KiB', (pem) => pem + '\n'.repeat(65_536)],
  ])('is refused with %s', async (_, change) => {
    const text = change((await ca.issue()).pem);
    expect(readPemText(text).ok).toBe(false);
    expect(readPemChain(urlEncodePem(text)).ok).toBe(false);
  });

  it('is accepted with 10 certificates', async () => {
    expect(readPemText((await ca.issue()).pem.repeat(10))).toMatchObject({ ok: true });
  });

  it.each(['%', '%2', '%GG', '%FF', '-----BEGIN%20CERTIFICATE-----%0AQQ==%C3%0A-----END%20CERTIFICATE-----'])(
    'is refused with the broken percent-encoding %s',
    (text) => {
      expect(readPemChain(text)).toEqual({ ok: false, problem: 'the percent-encoding of the PEM is broken' });
    },
  );

  it('comes out as it went in, and never throws on anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.string({ unit: 'binary' }), (der, text) => {
        expect(readPemText(toPem('CERTIFICATE', der))).toEqual({ ok: true, certificates: [der] });
        expect(readPemChain(text).ok).toBe(false);
        expect(readPemText(text).ok).toBe(false);
      }),
    );
  });
});

describe('the recorded certificates', () => {
  const read = (name: string): string => {
    const pem = readPemText(readFileSync(new URL(`../captures/pki/${name}.crt`, import.meta.url), 'utf8'));
    if (!pem.ok) return pem.problem;
    const svid = readSvid(pem.certificates[0] ?? new Uint8Array());
    return svid.ok ? svid.facts.id : svid.problem;
  };

  it.each([
    ['frontend', ID],
    ['frontend-rotated', ID],
    ['frontend-rsa', ID],
    ['frontend-intermediate', ID],
    ['frontend-intermediate-chain', ID],
    ['frontend-rogue', ID],
    ['frontend-expired', ID],
    ['frontend-staging', 'spiffe://staging.example/ns/shop/sa/frontend'],
    ['gateway', 'spiffe://prod.example/ns/edge/sa/gateway'],
    ['checkout', 'spiffe://prod.example/ns/shop/sa/checkout'],
    ['payments', 'spiffe://prod.example/ns/shop/sa/payments'],
    ['agent', 'spiffe://prod.example/ns/agents/sa/researcher'],
    ['partner-reporter', 'spiffe://partner.example/ns/reports/sa/reporter'],
    ['istio-frontend', 'spiffe://cluster.local/ns/shop/sa/frontend'],
    ['weird-dns', ID],
    ['weird-subject', ID],
    ['nosan', '0 URI names'],
    ['dnsonly', '0 URI names'],
    ['emptysubject-nosan', '0 URI names'],
    ['multiuri', '3 URI names'],
    ['weird-uri', 'not the SPIFFE ID of a workload'],
    ['dns-looks-like-spiffe', 'no keyUsage'],
    ['root-ca', 'is a CA'],
    ['intermediate-ca', 'is a CA'],
    ['partner-ca', 'is a CA'],
    ['rogue-ca', 'is a CA'],
    ['trust-bundle', 'is a CA'],
  ])('%s reads as: %s', (name, outcome) => {
    expect(read(name)).toContain(outcome);
  });

  it('are read from a real Envoy message', () => {
    const message = readFileSync(new URL('../captures/direct-mtls-append.bin', import.meta.url), 'latin1');
    const encoded = /-----BEGIN%20CERTIFICATE-----.*?-----END%20CERTIFICATE-----%0A/.exec(message)?.[0] ?? '';
    const chain = readPemChain(encoded);
    expect(chain.ok && readSvid(chain.certificates[0] ?? new Uint8Array())).toMatchObject({
      ok: true,
      facts: { id: ID },
    });
  });
});
