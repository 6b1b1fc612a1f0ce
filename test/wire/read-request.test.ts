import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../src/model/attributes.js';
import { headersOf } from '../../src/model/attributes.js';
import type { Reason } from '../../src/model/reasons.js';
import { CHECK_REQUEST } from '../../src/wire/proto.js';
import { MAX_REQUEST_BYTES, readRequest } from '../../src/wire/read-request.js';
import { field, headerMap, mapEntry, rawHeader, request, textHeader, varintField } from './bytes.js';

const CAPTURES = new URL('../captures/', import.meta.url);
const names = readdirSync(CAPTURES)
  .filter((file) => file.endsWith('.bin'))
  .map((file) => file.slice(0, -'.bin'.length));
const capture = (name: string): Buffer => readFileSync(new URL(`${name}.bin`, CAPTURES));

function read(bytes: Uint8Array): Attributes {
  const result = readRequest(bytes);
  if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
  return result.value;
}

const refusal = (bytes: Uint8Array): Reason | 'accepted' => {
  const result = readRequest(bytes);
  return result.ok ? 'accepted' : result.reason;
};

const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';
const CHECKOUT = 'spiffe://prod.example/ns/shop/sa/checkout';
const RESEARCHER = 'spiffe://prod.example/ns/agents/sa/researcher';
const CHARGES = '/v1/charges?currency=eur';

/** What stands in the captures; those not named here are a GET of CHARGES by FRONTEND. */
const EXPECTED: Readonly<Record<string, { method?: string; path?: string; principal?: string }>> = {
  'body-partial': { method: 'POST' },
  'body-raw-bytes': { method: 'POST' },
  'cert-dns-san-only': { principal: 'legacy.shop.prod.example' },
  'cert-no-san': { principal: 'CN=legacy-batch,OU=Legacy,O=Example Test,C=US' },
  'cert-three-uri-sans': { principal: 'https://accounts.prod.example/mixed' },
  'cert-uri-san-injection': {
    principal:
      'spiffe://prod.example/ns/shop/sa/a,By=spiffe://prod.example/ns/shop/sa/payments;Hash=00;URI=spiffe://prod.example/ns/shop/sa/admin',
  },
  'direct-mtls-federated': { principal: 'spiffe://partner.example/ns/reports/sa/reporter' },
  'direct-mtls-istio-style': { principal: 'spiffe://cluster.local/ns/shop/sa/frontend' },
  'direct-mtls-staging-credential': { principal: 'spiffe://staging.example/ns/shop/sa/frontend' },
  'direct-tls-no-client-cert': { principal: '' },
  'forged-xfcc-linked': { principal: RESEARCHER },
  'forged-xfcc-open-quote': { principal: RESEARCHER },
  'forged-xfcc-plaintext-always-forward': { principal: '' },
  'forged-xfcc-unlinked': { principal: RESEARCHER },
  'grpc-unary': { method: 'POST', path: '/payments.v1.Payments/Charge' },
  'hop1-append': { principal: GATEWAY },
  'hop1-forward-only': { principal: GATEWAY },
  'hop1-sanitize-set-loses-origin': { principal: GATEWAY },
  'hop2-append': { principal: CHECKOUT },
  'hop2-append-cert': { principal: CHECKOUT },
  'hop2-json': { principal: CHECKOUT },
  'hop2-outbound-sanitized': { principal: CHECKOUT },
  'jwt-metadata-default-strips-header': { principal: RESEARCHER },
  'jwt-metadata-other-token': {
    principal: RESEARCHER,
    path: expect.stringMatching(/^\/v1\/charges\?access_token=eyJ/),
  },
  'path-not-normalized': { path: '/v1/..;/%2e%2e//Admin%2Fx;p=1?y=%2F' },
  'stolen-token-direct': { principal: RESEARCHER },
};

/** A CheckRequest as the library of the proto files decodes it. */
interface Decoded {
  readonly attributes: {
    readonly source: { readonly principal: string; readonly certificate: string } | null;
    readonly destination: { readonly principal: string } | null;
    readonly request: {
      readonly http: {
        readonly method: string;
        readonly path: string;
        readonly host: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly header_map: {
          readonly headers: readonly { readonly key: string; readonly value: string; readonly raw_value: Buffer }[];
        } | null;
      };
    };
  };
}

function decodedByLibrary(bytes: Buffer): Attributes {
  const { source, destination, request } = (CHECK_REQUEST.deserialize(bytes) as Decoded).attributes;
  const { method, path, host, headers, header_map: list } = request.http;
  const raw = list?.headers.map(({ key, value, raw_value }) => [key, value || raw_value.toString()] as const) ?? [];
  return {
    principal: source?.principal ?? '',
    certificate: source?.certificate ?? '',
    destinationPrincipal: destination?.principal ?? '',
    method,
    path,
    host,
    headers: headersOf([...Object.entries(headers), ...raw]),
  };
}

const plain = ({ headers, ...rest }: Attributes): object => ({
  ...rest,
  headers: new Map(headers.names.map((name) => [name, headers.all(name)])),
});

describe('recorded CheckRequests', () => {
  test('all of them are there', () => expect(names.length).toBeGreaterThanOrEqual(40));

  test.each(names)('%s is read as Envoy meant it', (name) => {
    const attributes = read(capture(name));
    expect(attributes).toMatchObject({ method: 'GET', path: CHARGES, principal: FRONTEND, ...EXPECTED[name] });
    expect(attributes.headers.all(':method')).toEqual([attributes.method]);
    expect(attributes.certificate.startsWith('-----BEGIN%20CERTIFICATE-----')).toBe(attributes.principal !== '');
  });

  test.each(names)('%s is read alike by the loaded proto files', (name) => {
    expect(plain(read(capture(name)))).toEqual(plain(decodedByLibrary(capture(name))));
  });

  test('repeated lines stay apart in header_map and their bytes are kept apart from text', () => {
    const { headers } = read(capture('headers-raw-repeated'));
    expect(headers.all('x-dup')).toEqual(['a', 'b']);
    expect(headers.all('cookie')).toEqual(['a=1', 'b=2']);
    expect(headers.all('x-empty')).toEqual(['']);
    expect(headers.all('x-bin')[0]).toContain('�');
    expect(read(capture('headers-map-repeated')).headers.all('x-dup')).toEqual(['a,b']);
  });
});

describe('both encodings of headers', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
  const lines = fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, maxLength: 8 });

  test('say the same, and the same as the library', () => {
    const http = fc.record({ method: text, path: text, host: text });
    fc.assert(
      fc.property(http, lines, text, text, (parts, pairs, principal, certificate) => {
        const build = (headers: object): Buffer =>
          CHECK_REQUEST.serialize({
            attributes: { source: { principal, certificate }, request: { http: { ...parts, ...headers } } },
          });
        const forms = [
          build({ headers: Object.fromEntries(pairs) }),
          build({ header_map: { headers: pairs.map(([key, value]) => ({ key, value })) } }),
          build({ header_map: { headers: pairs.map(([key, value]) => ({ key, raw_value: Buffer.from(value) })) } }),
        ];
        for (const form of forms) expect(plain(read(form))).toEqual(plain(decodedByLibrary(form)));
        const [first, ...others] = forms.map((form) => plain(read(form)));
        for (const other of others) expect(other).toEqual(first);
      }),
    );
  });

  test('filled at once are refused; one of them empty is fine', () => {
    const one = mapEntry('a', '1');
    expect(refusal(request(one, headerMap(rawHeader('b', '2'))))).toBe('header_ambiguous');
    expect(refusal(request(one, headerMap(rawHeader('a', '1'))))).toBe('header_ambiguous');
    expect(read(request(one, headerMap())).headers.all('a')).toEqual(['1']);
    expect(read(request(headerMap(rawHeader('a', '1')))).headers.all('a')).toEqual(['1']);
  });

  test('one key twice in the map is refused, also in another case; twice in the list is two lines', () => {
    expect(refusal(request(mapEntry('authorization', 'a'), mapEntry('authorization', 'b')))).toBe('header_ambiguous');
    expect(refusal(request(mapEntry('authorization', 'a'), mapEntry('authorization', 'a')))).toBe('header_ambiguous');
    expect(refusal(request(mapEntry('authorization', 'a'), mapEntry('Authorization', 'b')))).toBe('header_ambiguous');
    expect(refusal(request(mapEntry('authorization', 'a'), mapEntry('x-other', 'b')))).toBe('accepted');
    const list = request(headerMap(rawHeader('x-a', '1'), textHeader('X-A', '2')));
    expect(read(list).headers.all('x-a')).toEqual(['1', '2']);
  });

  test('a line with both value and raw_value is refused, also where they agree', () => {
    const line = (value: string, raw: string): Buffer =>
      request(headerMap(field(1, field(1, 'a'), field(2, value), field(3, raw))));
    expect(refusal(line('1', '2'))).toBe('header_ambiguous');
    expect(refusal(line('1', '1'))).toBe('header_ambiguous');
    expect(read(line('1', '')).headers.all('a')).toEqual(['1']);
    expect(read(line('', '2')).headers.all('a')).toEqual(['2']);
  });

  test('a name is visible ASCII', () => {
    for (const name of ['', ' ', 'a b', 'a\n', 'x-firsthand-to\u212aen', 'é', '\u00a0'])
      expect(refusal(request(headerMap(rawHeader(name, '1'))))).toBe('request_malformed');
    expect(read(request(mapEntry('X-Token', '1'))).headers.names).toEqual(['x-token']);
  });

  test('raw bytes that are not UTF-8 become U+FFFD; text that is not UTF-8 is refused', () => {
    expect(read(request(headerMap(rawHeader('a', Buffer.of(0x61, 0xff))))).headers.all('a')).toEqual(['a�']);
    expect(refusal(request(headerMap(textHeader('a', Buffer.of(0x61, 0xff)))))).toBe('request_malformed');
    expect(refusal(request(mapEntry('a', Buffer.of(0x61, 0xff))))).toBe('request_malformed');
  });
});

describe('limits', () => {
  const withHeader = (name: string, length: number): Buffer =>
    request(headerMap(rawHeader(name, 'x'.repeat(length - name.length))));

  test('a CheckRequest of 1 MiB is read, one byte more is not', () => {
    const padded = (size: number): Buffer => {
      const base = request(field(2, 'GET'));
      return Buffer.concat([base, field(900, Buffer.alloc(size - base.length - 5))]);
    };
    expect(padded(MAX_REQUEST_BYTES).length).toBe(1024 * 1024);
    expect(refusal(padded(MAX_REQUEST_BYTES))).toBe('accepted');
    expect(refusal(padded(MAX_REQUEST_BYTES + 1))).toBe('limit_exceeded');
  });

  test('a header line of 64 KiB is read, one byte more is not', () => {
    for (const name of ['x-a', 'x-forwarded-client-cert']) {
      expect(refusal(withHeader(name, 65536))).toBe('accepted');
      expect(refusal(withHeader(name, 65537))).toBe('limit_exceeded');
    }
    expect(refusal(request(mapEntry('x-a', 'x'.repeat(65534))))).toBe('limit_exceeded');
  });

  test('lines of x-forwarded-client-cert count together, those of others do not', () => {
    const lines = (name: string): Buffer =>
      request(headerMap(rawHeader(name, 'x'.repeat(40_000)), rawHeader(name.toUpperCase(), 'x'.repeat(40_000))));
    expect(refusal(lines('x-forwarded-client-cert'))).toBe('limit_exceeded');
    expect(refusal(lines('x-other'))).toBe('accepted');
  });
});

describe('bytes that are no CheckRequest', () => {
  const whole = request(field(2, 'GET'), field(4, '/'), field(5, 'h'));

  test('the nearest one that is', () => {
    expect(read(whole)).toMatchObject({ method: 'GET', path: '/', host: 'h', principal: '', certificate: '' });
  });

  test('a missing part', () => {
    expect(refusal(Buffer.alloc(0))).toBe('request_malformed');
    expect(refusal(field(1))).toBe('request_malformed');
    expect(refusal(field(1, field(4)))).toBe('request_malformed');
    expect(refusal(field(1, field(4, field(2))))).toBe('accepted');
  });

  test('a singular field that comes twice, which readers would merge or of which they would keep the last', () => {
    const http = field(2, field(2, 'GET'));
    expect(refusal(Buffer.concat([whole, whole]))).toBe('request_malformed');
    expect(refusal(field(1, field(4, http), field(4, http)))).toBe('request_malformed');
    expect(refusal(field(1, field(4, http, http)))).toBe('request_malformed');
    expect(refusal(field(1, field(4, http), field(1), field(1)))).toBe('request_malformed');
    expect(refusal(field(1, field(4, http), field(2), field(2)))).toBe('request_malformed');
    expect(refusal(field(1, field(4, http), field(1, field(4, 'a'), field(4, 'b'))))).toBe('request_malformed');
    for (const number of [2, 4, 5, 13])
      expect(refusal(request(field(number), field(number))), `http ${number}`).toBe('request_malformed');
    expect(refusal(request(field(3, field(1, 'a'), field(1, 'b'), field(2, 'c'))))).toBe('request_malformed');
    expect(refusal(request(field(3, field(1, 'a'), field(2, 'b'), field(2, 'c'))))).toBe('request_malformed');
    expect(refusal(request(headerMap(field(1, field(1, 'a'), field(3, 'b'), field(3, 'c')))))).toBe(
      'request_malformed',
    );
  });

  test('a wanted field of another wire type, a group, field number 0', () => {
    expect(refusal(varintField(1, 7))).toBe('request_malformed');
    expect(refusal(request(varintField(2, 7)))).toBe('request_malformed');
    expect(refusal(Buffer.concat([whole, Buffer.of(0x7b, 0x7c)]))).toBe('request_malformed');
    expect(refusal(Buffer.concat([whole, Buffer.of(0x02, 0x00)]))).toBe('request_malformed');
  });

  test('fields that nobody asked for are skipped, whatever their type', () => {
    const others = [varintField(50, 300), field(51, 'x'), Buffer.of(0xa1, 0x03, ...Array<number>(8).fill(1))];
    const fixed32 = Buffer.of(0xad, 0x03, 1, 2, 3, 4);
    expect(refusal(Buffer.concat([...others, fixed32, whole]))).toBe('accepted');
    expect(refusal(Buffer.concat([whole, fixed32.subarray(0, 5)]))).toBe('request_malformed');
    expect(refusal(Buffer.concat([whole, varintField(50, 300).subarray(0, 3)]))).toBe('request_malformed');
  });

  test('a length beyond the end, or beyond what its message holds', () => {
    for (let length = 1; length < whole.length; length++)
      expect(refusal(whole.subarray(0, length)), `${length} bytes`).toBe('request_malformed');
    expect(refusal(Buffer.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))).toBe(
      'request_malformed',
    );
    // The inner length reaches into the bytes behind its message.
    expect(refusal(Buffer.of(0x0a, 0x02, 0x22, 0x04, 0x12, 0x02, 0x12, 0x00))).toBe('request_malformed');
    // Low 32 bits of 2, for a reader that drops the rest.
    expect(refusal(Buffer.of(0x0a, 0x82, 0x80, 0x80, 0x80, 0x10, 0x22, 0x00))).toBe('request_malformed');
  });

  test('text that is not UTF-8', () => {
    const bad = Buffer.of(0xc0, 0xaf);
    for (const number of [2, 4, 5]) expect(refusal(request(field(number, bad)))).toBe('request_malformed');
    const http = field(4, field(2));
    expect(refusal(field(1, http, field(1, field(4, bad))))).toBe('request_malformed');
    expect(refusal(field(1, http, field(1, field(5, bad))))).toBe('request_malformed');
    expect(refusal(field(1, http, field(2, field(4, bad))))).toBe('request_malformed');
  });

  test('never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readRequest(bytes)),
      { numRuns: 3000 },
    );
  });

  test('never throw when a recorded request is damaged, and are never read otherwise than by the library', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...names), damage, fc.option(fc.nat()), (name, edits, cut) => {
        const bytes = Buffer.from(capture(name));
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        const damaged = cut === null ? bytes : bytes.subarray(0, cut % bytes.length);
        const result = readRequest(damaged);
        if (result.ok) expect(plain(result.value)).toEqual(plain(decodedByLibrary(damaged)));
      }),
      { numRuns: 2000 },
    );
  });
});
