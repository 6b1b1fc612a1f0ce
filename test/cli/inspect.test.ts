import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '../../src/cli/inspect.js';
import { KEY_USAGE, makeCa, SERVER_AUTH, toPem } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer, nonCanonical, unsigned, withHeader, withPayload } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import { testIo } from '../helpers/io.js';

const NOW = Date.UTC(2026, 5, 1, 12);
const DAY = 86_400_000;
const ID = 'spiffe://prod.example/ns/shop/sa/frontend';

interface Seen {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** Of all parts. */
  readonly faults: readonly string[];
}

async function look(what: string, input: string | Uint8Array, file?: string): Promise<Seen> {
  const asked = file === undefined ? { what } : { what, file };
  const text = testIo({ input, now: () => NOW });
  const exit = await inspect(asked, text);
  const json = testIo({ input, now: () => NOW });
  expect(await inspect({ ...asked, json: true }, json)).toBe(exit);
  const parts =
    json.out() === '' ? [] : (JSON.parse(json.out()) as { parts: { faults: { problem: string }[] }[] }).parts;
  const faults = parts.flatMap((part) => part.faults.map(({ problem }) => problem));
  for (const problem of faults) expect(text.out()).toContain(`fault: ${problem}`);
  expect(exit).toBe(json.out() === '' ? 2 : faults.length === 0 ? 0 : 1);
  return { exit, out: text.out(), err: text.err(), faults };
}

let ca: TestCa;
let svid: TestSvid;
beforeAll(async () => {
  const times = { notBefore: new Date(NOW - DAY / 24), notAfter: new Date(NOW + DAY / 24) };
  ca = await makeCa({ notBefore: new Date(NOW - DAY), notAfter: new Date(NOW + 9 * DAY) });
  svid = await ca.issue({ id: ID, ...times });
});

describe('a certificate', () => {
  it('is fine as PEM, as DER, percent-encoded as Envoy writes it, and with its authority behind it', async () => {
    for (const input of [svid.pem, svid.der, svid.urlEncodedPem, `${svid.pem}\n${ca.certificate}`]) {
      const seen = await look('cert', input);
      expect([seen.exit, seen.faults]).toEqual([0, []]);
      expect(seen.out).toContain(ID);
      expect(seen.out).toContain(svid.sha256);
      expect(seen.out).toContain('(in 1h)');
    }
  });

  it('tells every fault of a leaf at once, each with its rule', async () => {
    const bad = await ca.issue({
      uris: [ID, 'spiffe://prod.example/ns/shop/sa/other'],
      keyUsage: KEY_USAGE.keyCertSign,
      eku: [SERVER_AUTH],
      notBefore: new Date(NOW - 2 * DAY),
      notAfter: new Date(NOW - DAY),
    });
    const { faults, out } = await look('cert', bad.pem);
    expect(faults).toEqual([
      'its keyUsage lacks digitalSignature',
      'its keyUsage has keyCertSign or cRLSign, which only a CA may have',
      'its extKeyUsage lacks 1.3.6.1.5.5.7.3.2 (clientAuth)',
      'the certificate has 2 URI names, expected exactly one',
      'it expired 1d ago',
    ]);
    expect(out).toContain('X509-SVID §4.3');
    expect(out).toContain('RFC 5280 §4.1.2.5');
    expect(out.endsWith('5 faults\n')).toBe(true);
  });

  it('is not valid before its time', async () => {
    const early = await ca.issue({ id: ID, notBefore: new Date(NOW + DAY), notAfter: new Date(NOW + 2 * DAY) });
    expect((await look('cert', early.pem)).faults).toEqual(['it is not valid yet: only in 1d']);
  });

  it('is told from its authority; a chain that was not signed by what stands in it is a fault', async () => {
    expect((await look('cert', ca.certificate)).out).toContain('an authority that names itself as issuer');
    const rogue = await makeCa({ name: ca.name, notBefore: new Date(NOW - DAY), notAfter: new Date(NOW + DAY) });
    expect((await look('cert', `${svid.pem}\n${rogue.certificate}`)).faults).toEqual([
      'its issuer is here by name, but that key did not sign it',
    ]);
    const stranger = await makeCa({ name: 'another', notBefore: new Date(NOW - DAY), notAfter: new Date(NOW + DAY) });
    expect((await look('cert', `${svid.pem}\n${stranger.certificate}`)).faults).toEqual([
      'it issued none of the others: it adds nothing to this chain',
    ]);
  });

  it('never shows a private key: it names it as a fault, in PEM, in DER and without an END line', async () => {
    const der = Buffer.from(svid.keyPem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const secret = svid.keyPem.split('\n')[1] ?? '';
    for (const input of [svid.keyPem, der, `${svid.pem}\n${svid.keyPem}`, svid.keyPem.split('-----END')[0] ?? '']) {
      const { faults, out } = await look('cert', input);
      expect(faults).toEqual([
        'the file holds a private key, which is not shown; keep keys apart from what is passed around',
      ]);
      expect(out).not.toContain(secret.slice(0, 20));
    }
    const both = await look('cert', encodeURIComponent(`${svid.pem}\n${svid.keyPem}`));
    expect([both.exit, both.out.includes(ID)]).toEqual([1, true]);
  });

  it('says in words what is no certificate', async () => {
    expect((await look('cert', 'hello')).faults).toEqual(['there is no PEM block of a certificate']);
    expect((await look('cert', svid.der.subarray(0, 100))).faults).toEqual([
      'a DER element is longer than the bytes that hold it',
    ]);
    expect((await look('cert', toPem('CERTIFICATE', svid.der.subarray(1)))).exit).toBe(1);
  });
});

describe('a token', () => {
  let issuer: TestIssuer;
  beforeAll(async () => {
    issuer = await makeIssuer({ now: () => NOW - 600_000 });
  });
  const fresh = (claims = {}, header = {}): Promise<string> =>
    issuer.sign({ exp: NOW / 1000 + 600, scope: 'orders.read', ...claims }, header);

  it('tells who may carry it, where it says so', async () => {
    const x5t = Buffer.alloc(32, 7).toString('base64url');
    const carriedBy = (list: unknown) => fresh({ cnf: { 'x5t#S256': x5t, 'proxy-principals#spiffe': list } });
    expect((await look('token', await carriedBy([ID]))).out).toContain(`${'07'.repeat(32)}, carried by ${ID}`);
    expect((await look('token', await carriedBy([]))).out).toContain('carried by no forwarder');
    const { exit, faults } = await look('token', await carriedBy(['gateway']));
    expect([exit, faults]).toEqual([1, ['"proxy-principals#spiffe" is no list of SPIFFE IDs']]);
  });

  it('is decoded with ages, scopes and its token name, and never shown itself', async () => {
    const token = await fresh({ cnf: { 'x5t#S256': Buffer.alloc(32, 7).toString('base64url') } });
    for (const input of [token, `Bearer ${token}\n`, `authorization: bearer ${token}`]) {
      const { exit, out } = await look('token', input);
      expect(exit).toBe(0);
      expect(out).toMatch(/issued .*\(10m ago\)/);
      expect(out).toMatch(/expires .*\(in 10m\)/);
      expect(out).toMatch(/token name +[0-9a-f]{64}/);
      expect(out).toContain('orders.read');
      expect(out).toContain(`the certificate ${'07'.repeat(32)}`);
      for (const part of token.split('.')) expect(out).not.toContain(part);
    }
  });

  it('has every fault told, and none hides another', async () => {
    const token = await fresh(
      { exp: NOW / 1000 - 60, iat: NOW / 1000 - DAY / 1000, aud: undefined, sub: 7, cnf: { jkt: 'x' }, iss: undefined },
      { alg: 'ES256', kid: undefined, typ: 'dpop+jwt' },
    );
    const { faults } = await look('token', token);
    expect(faults).toEqual([
      'it has no "kid": no key can be chosen for it',
      'its "typ" dpop+jwt is not accepted by default (tokens[].types)',
      'it has no "iss": no issuer can be found for it',
      'it has no "aud", or one that is no text or list of texts',
      '"sub" is missing or not a text',
      '"cnf" has something else than one "x5t#S256", with or without "proxy-principals#spiffe"',
      'it expired 1m ago',
      'it lives 23h 59m, by default at most 1h (tokens[].maxLifetime)',
    ]);
  });

  it('is refused for algorithms that prove nothing, for a second spelling, and for what is no token', async () => {
    const token = await fresh();
    expect((await look('token', unsigned(token))).faults).toContain('nobody signed it: its "alg" is none');
    expect((await look('token', withHeader(token, { alg: 'HS256' }))).faults[0]).toContain('HS256');
    expect((await look('token', nonCanonical(token))).faults[0]).toContain('not canonical base64url');
    expect((await look('token', 'hello')).faults).toEqual(['expected 3 parts, got 1']);
    expect((await look('token', withPayload(token, '[]'))).exit).toBe(1);
  });

  it('shows header and claims also of a text that no guard takes for a token', async () => {
    const { faults, out } = await look('token', withHeader(await fresh(), { crit: ['b64'] }));
    expect(faults).toEqual(['the header has "crit", which is not supported']);
    expect(out).toContain('["b64"]'.slice(2, -2));
    expect(out).toContain('orders.read');
  });

  it('shows no secret that a stranger put into its claims', async () => {
    const inner = await fresh();
    const claims = { nested: inner, jwk: { kty: 'EC', d: 'private-part', x: 'public-part' }, pem: svid.keyPem };
    const { out } = await look('token', await fresh(claims));
    expect(out).not.toContain(inner.slice(-40));
    expect(out).not.toContain('private-part');
    expect(out).not.toContain('PRIVATE KEY');
    expect(out).toContain('public-part');
  });
});

describe('an x-forwarded-client-cert', () => {
  const captured = (name: string): string => {
    const bytes = readFileSync(join(import.meta.dirname, '../captures', `${name}.bin`)).toString('latin1');
    // The header's value, wherever it stands among the bytes.
    return /(?:By=spiffe[^\x00-\x1f]*|\[\{"[^\x00-\x1f]*\}\])/.exec(bytes)?.[0] ?? '';
  };
  const element = (by: string, uri: string, more = ''): string =>
    `By=spiffe://prod.example/${by};Hash=${svid.sha256}${more};URI=spiffe://prod.example/${uri}`;

  it('is drawn as a chain where it links, text and JSON alike', async () => {
    for (const name of ['hop2-append', 'hop2-json', 'hop1-append']) {
      const { exit, out } = await look('xfcc', captured(name));
      expect([name, exit]).toEqual([name, 0]);
      expect(out).toMatch(/chain +spiffe:\/\/prod.example\/ns\/shop\/sa\/frontend → spiffe:\/\/prod.example\/ns\/edge/);
      expect(out).toContain('hearsay');
    }
  });

  it('says where it does not link', async () => {
    const { faults, out } = await look('xfcc', `${element('gateway', 'frontend')},${element('orders', 'agent')}`);
    expect(faults).toEqual([
      'it does not link: its By is spiffe://prod.example/gateway, the URI of the next element is spiffe://prod.example/agent',
    ]);
    expect(out).toContain(
      'spiffe://prod.example/frontend ✗ spiffe://prod.example/agent → spiffe://prod.example/orders',
    );
  });

  it('judges the certificate of an element, its hash and its name', async () => {
    const cert = `;Cert="${svid.urlEncodedPem}"`;
    expect((await look('xfcc', element('orders', 'ns/shop/sa/frontend', cert))).exit).toBe(0);
    expect((await look('xfcc', element('orders', 'ns/shop/sa/other', cert))).faults).toEqual([
      `its Cert names ${ID}, not its URI`,
    ]);
    const other = await ca.issue({ id: ID, notBefore: new Date(NOW - DAY), notAfter: new Date(NOW + DAY) });
    const wrong = element('orders', 'ns/shop/sa/frontend', `;Cert="${other.urlEncodedPem}"`);
    expect((await look('xfcc', wrong)).faults).toEqual(['its Hash is not the SHA-256 of its Cert']);
  });

  it('is refused whole where Envoy would not have written it', async () => {
    expect((await look('xfcc', 'x-forwarded-client-cert: By=a;URI="b')).exit).toBe(1);
    expect((await look('xfcc', '[{"by":"x"}]')).faults).toEqual([
      'x-forwarded-client-cert: the key by is no list of text',
    ]);
    expect((await look('xfcc', 'Hash=abc')).exit).toBe(1);
  });
});

describe('inspect', () => {
  it('cannot read what is not there, is empty, or has no such name', async () => {
    const missing = await look('cert', '', 'no-such-file.pem');
    expect([missing.exit, missing.out]).toEqual([2, '']);
    expect(missing.err).toBe('firsthand: no-such-file.pem: no such file or directory; name a file, or - for stdin\n');
    expect((await look('token', ' \n')).err).toBe('firsthand: stdin: expected a token, got nothing\n');
    expect((await look('crt', 'x')).err).toContain('expected one of cert, token, xfcc');
  });

  it('gives every input an exit code, prints one line for each line, and never throws', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string().map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('cert', 'token', 'xfcc'), bytes, async (what, input) => {
        const { exit, out } = await look(what, input);
        expect([0, 1, 2]).toContain(exit);
        expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/);
      }),
    );
  });
});
