import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/model/settings.js';
import { parseShortForm, readShortForm, SHORT_FORM } from '../../src/workbench/short-form.js';
import { splitWords } from '../../src/workbench/words.js';
import { cleanUp, stage } from './forged.js';

let settings: Settings;
beforeAll(async () => {
  ({ settings } = await stage());
});
afterEach(cleanUp);

function parse(line: string): ReturnType<typeof parseShortForm> {
  const words = splitWords(line);
  if (typeof words === 'string') return words;
  return parseShortForm(
    words.map(({ text }) => text),
    settings,
  );
}

describe('the short form', () => {
  it('says who calls what through whom with which scopes', () => {
    expect(
      parse('GET /orders/1?x=1 --as frontend --via gateway,mesh --scopes a,b --scopes c --host orders.example'),
    ).toEqual({
      method: 'GET',
      path: '/orders/1?x=1',
      host: 'orders.example',
      as: 'frontend',
      via: ['gateway', 'mesh'],
      token: { scopes: ['a', 'b', 'c'], bound: false },
      headers: [],
    });
  });

  it('has everything that a token may have', () => {
    expect(
      parse(
        `--age=10m --bound POST --issuer https://idp.prod.example --claim act=null --claim n=7 --claim t=x=y /orders`,
      ),
    ).toMatchObject({
      method: 'POST',
      path: '/orders',
      as: 'outside',
      token: {
        scopes: [],
        bound: true,
        age: 600_000,
        issuer: 'https://idp.prod.example',
        claims: { act: null, n: 7, t: 'x=y' },
      },
    });
  });

  it('has header lines, and gRPC as the policy names it', () => {
    expect(parse(`GRPC shop.v1.Cart/Add --no-token --header 'X-Request-Id:  7 '`)).toEqual({
      method: 'POST',
      path: '/shop.v1.Cart/Add',
      as: 'outside',
      via: [],
      headers: [
        ['content-type', 'application/grpc'],
        ['x-request-id', '7'],
      ],
    });
  });

  it('means a token where there are issuers, and none where there are none', () => {
    expect(parse('GET /')).toMatchObject({ token: { scopes: [] } });
    expect(parseShortForm(['GET', '/'], { ...settings, tokens: [] })).not.toHaveProperty('token');
    expect(parseShortForm(['GET', '/', '--scopes', 'a'], { ...settings, tokens: [] })).toMatch(
      /no issuer is configured/,
    );
  });

  it.each([
    ['', /expected a method and a path/],
    ['GET', /expected a method and a path, such as GET \/orders\/1, got "GET"/],
    ['GET / x', /"x" is one word too many/],
    ['GET / --ass frontend', /unknown option --ass: did you mean --as\?/],
    ['GET / --quux', /unknown option --quux: known are --as/],
    ['GET / --as', /--as needs a value: --as WORKLOAD/],
    ['GET / --as --bound', /--as needs a value/],
    ['GET / --as a --as b', /--as stands here a second time/],
    ['GET / --bound=yes', /--bound takes no value/],
    ['GET / --age soon', /--age: expected a duration such as 30s, 10m or 1h, got "soon"/],
    ['GET / --claim x', /--claim: expected NAME=VALUE, got "x"/],
    ['GET / --header x', /--header: expected "NAME: VALUE", got "x"/],
    ['GET / --no-token --scopes a', /--no-token and --scopes exclude each other/],
    ['GET / --via gatway', /no forwarder is listed as gatway: did you mean gateway\?/],
    ['GET / --via zzzzzzzz', /no forwarder is listed as zzzzzzzz \(listed are gateway, mesh\)/],
    ['GET / --as "front end"', /"front end" names no workload/],
    ['GET / --as spiffe://prod.example', /names no workload/],
    ['GET / --issuer idp', /no issuer is configured as idp: configured are https:\/\/idp.prod.example/],
    ['GET "/', /a quote is never closed/],
  ])('says what is wrong with %s', (line, problem) => {
    expect(parse(line)).toMatch(problem);
  });

  it('points at the word that is wrong', () => {
    const at = (line: string): unknown => (readShortForm(line.split(' '), settings) as { word?: number }).word;
    expect(at('GET / --as frontend --via gatway')).toBe(5);
    expect(at('GET / --as frontend --hots x')).toBe(4);
    expect(at('GET / --age 5')).toBe(3);
    expect(at('GET / more')).toBe(2);
  });

  it('takes every name that a forwarder, a neighbour or a full ID can have', async () => {
    const { ask } = await stage();
    const origin = async (as: string): Promise<string> =>
      String((await ask(`GET /healthz/x --no-token --as ${as} --via mesh`)).outcome.findings.origin?.chain[0]);
    expect(await origin('frontend')).toBe('spiffe://prod.example/ns/shop/sa/frontend');
    expect(await origin('/ns/a/sa/b')).toBe('spiffe://prod.example/ns/a/sa/b');
    expect(await origin('spiffe://prod.example/x')).toBe('spiffe://prod.example/x');
  });

  it('is told in one line', () => {
    expect(SHORT_FORM).toContain('[--as WORKLOAD]');
    expect(SHORT_FORM).not.toContain('\n');
  });
});

describe('words', () => {
  it('are split as a shell does', () => {
    const texts = (line: string): unknown => {
      const words = splitWords(line);
      return typeof words === 'string' ? words : words.map(({ text }) => text);
    };
    expect(texts(` a  b\t"c d" 'e "f' g\\ h i"j"'k' "" `)).toEqual(['a', 'b', 'c d', 'e "f', 'g h', 'ijk', '']);
    expect(texts(`"a \\" b"`)).toEqual(['a " b']);
    for (const bad of [`"a`, `'a`, `a\\`, `a "b`]) expect(texts(bad)).toBeTypeOf('string');
  });

  it('come back however they are quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), (words) => {
        const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
        expect(splitWords(line)).toMatchObject(words.map((text) => ({ text })));
      }),
    );
  });

  it('any line is words or a sentence, and any words a scenario or a sentence', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('--as', '--claim', '--age', 'GET', '/'))), (words) => {
        const read = parseShortForm(words, settings);
        if (typeof read === 'string') expect(read.length).toBeGreaterThan(5);
        else expect(read.method).not.toBe('');
        splitWords(words.join(' '));
      }),
    );
  });
});
