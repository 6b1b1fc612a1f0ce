/** Elements as Envoy writes them, read back field by field; what is malformed is in test/hostile/forwarded.test.ts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readForwarded } from '../../src/evidence/forwarded.js';
import type { ForwardedElement } from '../../src/model/evidence.js';
import { makeCa, urlEncodePem } from '../helpers/pki.js';

const HASH = 'ab'.repeat(32);
const empty: ForwardedElement = { by: [], hash: undefined, cert: undefined, chain: undefined, uri: [] };

function read(text: string): readonly ForwardedElement[] {
  const result = readForwarded(text);
  if (!result.ok) throw new Error(result.detail);
  return result.value;
}
const refusal = (text: string): string => {
  const result = readForwarded(text);
  return result.ok ? 'read' : result.reason;
};

describe('the text format', () => {
  test.each<readonly [string, Partial<ForwardedElement>]>([
    [`By=spiffe://a/b;Hash=${HASH};URI=spiffe://a/c`, { by: ['spiffe://a/b'], hash: HASH, uri: ['spiffe://a/c'] }],
    [`BY=spiffe://a/b;hAsH=${HASH};uri=spiffe://a/c`, { by: ['spiffe://a/b'], hash: HASH, uri: ['spiffe://a/c'] }],
    ['By=spiffe://a/b;By=spiffe://a/c', { by: ['spiffe://a/b', 'spiffe://a/c'] }],
    ['URI=', { uri: [] }],
    ['URI=https://x.example/;URI=spiffe://a/b', { uri: ['https://x.example/', 'spiffe://a/b'] }],
    ['DNS=a.example;DNS=b.example', {}],
    ['Subject="";Issuer="CN=x"', {}],
    [String.raw`Subject="a\"b\\c\,d\;e";URI=spiffe://a/b`, { uri: ['spiffe://a/b'] }],
    ['Subject="x,By=y;URI=z"', {}],
    ['Cert="a%2Bb%0A";Chain="c%20d"', { cert: 'a+b\n', chain: 'c d' }],
    ['Cert="a+b"', { cert: 'a+b' }],
  ])('reads %s', (text, expected) => {
    expect(read(text)).toEqual([{ ...empty, ...expected }]);
  });

  test('keeps the order of elements: the oldest first', () => {
    expect(read('URI=spiffe://a/1,URI=spiffe://a/2,URI=spiffe://a/3').map(({ uri }) => uri[0])).toEqual([
      'spiffe://a/1',
      'spiffe://a/2',
      'spiffe://a/3',
    ]);
  });

  test('of nothing is no element', () => {
    expect(read('')).toEqual([]);
  });

  test('is malformed for one more reason: text that is neither list nor elements', () => {
    for (const text of [',', ';', '=', '"', '[', ']', '{}', '[x', 'x]', 'By', 'By=a,', ',By=a'])
      expect(refusal(text)).toBe('xfcc_malformed');
  });
});

describe('both formats', () => {
  const raw = fc.stringMatching(/^[!#-+\--:<>-[\]-~]{1,20}$/);
  /** As percent-encoded text can hold it. */
  const pem = fc.stringMatching(/^[ -~\n]{1,40}$/);
  const element = fc.record({
    by: fc.array(raw, { maxLength: 2 }),
    hash: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined }),
    cert: fc.option(pem, { nil: undefined }),
    chain: fc.option(pem, { nil: undefined }),
    uri: fc.array(raw, { minLength: 1, maxLength: 3 }),
    subject: fc.string({ maxLength: 20 }),
    dns: fc.array(raw, { maxLength: 2 }),
  });
  const elements = fc.array(element, { minLength: 1, maxLength: 16 });
  type Written = typeof element extends fc.Arbitrary<infer T> ? T : never;
  const seen = (list: readonly Written[]): ForwardedElement[] =>
    list.map(({ by, hash, cert, chain, uri }) => ({ by, hash, cert, chain, uri }));

  const quoted = (text: string): string => `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
  const asText = ({ by, hash, cert, chain, uri, subject, dns }: Written): string =>
    [
      ...by.map((value) => `By=${value}`),
      ...(hash === undefined ? [] : [`Hash=${hash}`]),
      ...(cert === undefined ? [] : [`Cert=${quoted(encodeURIComponent(cert))}`]),
      ...(chain === undefined ? [] : [`Chain=${quoted(encodeURIComponent(chain))}`]),
      `Subject=${quoted(subject)}`,
      ...uri.map((value) => `URI=${value}`),
      ...dns.map((value) => `DNS=${value}`),
    ].join(';');

  test('give back what was written', () => {
    fc.assert(
      fc.property(elements, (list) => {
        expect(read(list.map(asText).join(','))).toEqual(seen(list));
        const json = list.map(({ subject, ...rest }) => (subject === '' ? rest : { subject, ...rest }));
        expect(read(JSON.stringify(json))).toEqual(seen(list));
      }),
      { numRuns: 300 },
    );
  });

  test('read any text or refuse it, and never throw', () => {
    const piece = fc.oneof(
      fc.constantFrom('By=', 'URI=', 'Hash=', 'Cert=', '"', '\\', ',', ';', '=', '[', ']', '{', '}', ':', HASH),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect(['read', 'xfcc_malformed']).toContain(refusal(pieces.join('')));
      }),
      { numRuns: 1000 },
    );
  });

  test('carry a certificate unharmed', async () => {
    const { certificate } = await makeCa();
    expect(read(`Cert="${urlEncodePem(certificate)}"`)[0]?.cert).toBe(certificate);
    expect(read(JSON.stringify([{ cert: certificate }]))[0]?.cert).toBe(certificate);
  });

  test('have at most 16 elements and 64 KiB', () => {
    const text = (count: number): string => Array.from({ length: count }, () => 'URI=spiffe://a/b').join(',');
    expect(refusal(text(16))).toBe('read');
    expect(refusal(text(17))).toBe('limit_exceeded');
    const json = (count: number): string =>
      JSON.stringify(Array.from({ length: count }, () => ({ uri: ['spiffe://a/b'] })));
    expect(refusal(json(16))).toBe('read');
    expect(refusal(json(17))).toBe('limit_exceeded');
    const long = (length: number): string => `Subject="${'é'.repeat((length - 10) / 2)}"`;
    expect(refusal(long(64 * 1024))).toBe('read');
    expect(refusal(long(64 * 1024 + 2))).toBe('limit_exceeded');
  });
});
