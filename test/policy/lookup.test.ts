import { describe, expect, it } from 'vitest';
import { compiled } from './facts.js';

const numberOf = (text: string, method: string, path: string): number | undefined =>
  compiled(text).route(
    method,
    path.split('/').filter((segment) => segment !== ''),
  ).line?.number;

describe('which line', () => {
  it('compares segments from the left: literal before {name} before **', () => {
    const text = 'GET /a/b a\nGET /a/{x} a\nGET /a/** a\nGET /{x}/b a\nGET /** a';
    expect(numberOf(text, 'GET', '/a/b')).toBe(1);
    expect(numberOf(text, 'GET', '/a/c')).toBe(2);
    expect(numberOf(text, 'GET', '/a')).toBe(3);
    expect(numberOf(text, 'GET', '/a/b/c')).toBe(3);
    expect(numberOf(text, 'GET', '/c/b')).toBe(4);
    expect(numberOf(text, 'GET', '/c/d')).toBe(5);
    expect(numberOf(text, 'GET', '/')).toBe(5);
  });

  it('prefers a line that ends to ** that matches nothing', () => {
    expect(numberOf('GET /a/** a\nGET /a a', 'GET', '/a')).toBe(2);
    expect(numberOf('GET /** a\nGET / a', 'GET', '/')).toBe(2);
  });

  it('goes back where a literal leads nowhere', () => {
    expect(numberOf('GET /a/b/c a\nGET /{x}/b/d a', 'GET', '/a/b/d')).toBe(2);
    expect(numberOf('GET /a/b/c a\nGET /a/** a', 'GET', '/a/b/d')).toBe(2);
    expect(numberOf('GET /a/b/c a', 'GET', '/a/b/d')).toBeUndefined();
  });

  it('skips a more specific path whose methods do not match', () => {
    expect(numberOf('POST /a/b a\nGET /a/{x} a', 'GET', '/a/b')).toBe(2);
    expect(numberOf('POST /a/b a\nGET /a/{x} a', 'POST', '/a/b')).toBe(1);
  });

  it('prefers a named method to *, on the same path', () => {
    expect(numberOf('* /a a\nGET /a b', 'GET', '/a')).toBe(2);
    expect(numberOf('* /a a\nGET /a b', 'PUT', '/a')).toBe(1);
  });

  it('reads * as seven methods and no other', () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      expect(numberOf('* /a a', method, '/a')).toBe(1);
    for (const method of ['TRACE', 'CONNECT', 'PROPFIND', 'GETS', ''])
      expect(numberOf('* /a a', method, '/a')).toBeUndefined();
  });

  it('takes a GRPC line whatever the method', () => {
    for (const method of ['POST', 'GET', 'TRACE']) expect(numberOf('GRPC s.A/B a\n* /** b', method, '/s.A/B')).toBe(1);
    expect(numberOf('GRPC s.A/* a', 'POST', '/s.A/Any')).toBe(1);
    expect(numberOf('GRPC s.A/* a', 'POST', '/s.A/Any/more')).toBeUndefined();
  });

  it('compares decoded segments', () => {
    expect(numberOf('GET /caf%C3%A9 a', 'GET', '/café')).toBe(1);
  });
});

describe('guardrails', () => {
  it('are all that match, in their order', () => {
    const policy = compiled('GET /a a', {
      guardrails: '* /** token\nPOST /** x\nGET /{x} y\nGRPC a/b z\n* / q\nGET /a w',
    });
    expect(policy.route('GET', ['a']).guardrails.map(({ number }) => number)).toEqual([1, 3, 6]);
    expect(policy.route('GET', ['nowhere', 'else']).guardrails.map(({ number }) => number)).toEqual([1]);
  });
});

describe('the data label', () => {
  const labelOf = (own: string, guardrails: string, data?: 'public' | 'internal'): string =>
    compiled(`GET /a a ${own}`, { guardrails, ...(data === undefined ? {} : { data }) }).route('GET', ['a']).data;

  it('is the higher of the owner and the guardrails, and restricted where there is none', () => {
    expect(labelOf('', '')).toBe('restricted');
    expect(labelOf('', '* /** token')).toBe('restricted');
    expect(labelOf('', '', 'internal')).toBe('internal');
    expect(labelOf('data=public', '', 'internal')).toBe('public');
    expect(labelOf('data=public', '* /** token data=confidential\n* /** token data=internal')).toBe('confidential');
    expect(labelOf('data=restricted', '* /** token data=internal')).toBe('restricted');
    expect(labelOf('', '* /** token data=internal')).toBe('internal');
    expect(labelOf('data=public', 'POST /** token data=confidential')).toBe('public');
  });
});

describe('ambiguous', () => {
  const ambiguous = (text: string, path: string, guardrails = ''): boolean =>
    compiled(text, { guardrails }).route(
      'GET',
      path.split('/').filter((segment) => segment !== ''),
    ).ambiguous;

  it('is a path that another case would give to another line', () => {
    expect(ambiguous('GET /admin a\nGET /** b', '/ADMIN')).toBe(true);
    expect(ambiguous('GET /admin a\nGET /** b', '/admin')).toBe(false);
    expect(ambiguous('GET /admin a', '/Admin')).toBe(true);
    expect(ambiguous('GET /admin a', '/other')).toBe(false);
    expect(ambiguous('GET /a a\nGET /A b', '/a')).toBe(true);
    expect(ambiguous('GET /A/b a\nGET /a/c b', '/a/b')).toBe(true);
    expect(ambiguous('GET /A/b a\nGET /a/c b', '/A/b')).toBe(false);
    expect(ambiguous('GRPC shop.v1.Cart/Add a', '/shop.v1.Cart/Add')).toBe(false);
    expect(ambiguous('GRPC shop.v1.Cart/Add a', '/shop.v1.cart/add')).toBe(true);
  });

  it('is not a {name} in capitals', () => {
    expect(ambiguous('GET /orders/{id} a', '/orders/AbC')).toBe(false);
    expect(ambiguous('GET /orders/{id} a\nGET /orders/abc a', '/orders/AbC')).toBe(true);
  });

  it('ignores ASCII case only', () => {
    expect(ambiguous('GET /%C3%A9 a\nGET /** b', '/É')).toBe(false);
  });

  it('is also a path that another case would give to other guardrails', () => {
    expect(ambiguous('GET /** a', '/ADMIN', '* /admin x')).toBe(true);
    expect(ambiguous('GET /** a', '/admin', '* /admin x')).toBe(false);
    expect(ambiguous('GET /** a', '/admin', '* /admin x\n* /Admin y')).toBe(true);
    expect(ambiguous('GET /** a', '/ADMIN', 'POST /admin x')).toBe(false);
  });
});
