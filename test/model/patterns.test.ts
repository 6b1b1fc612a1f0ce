import { describe, expect, it } from 'vitest';
import { parseSpiffeId, parseTrustDomain } from '../../src/model/ids.js';
import type { SpiffeId } from '../../src/model/ids.js';
import {
  ANY_ID,
  isLiteral,
  matchesId,
  matchesScope,
  parseIdPattern,
  parseScopePattern,
} from '../../src/model/patterns.js';
import type { IdPattern, ScopePattern } from '../../src/model/patterns.js';

const idOf = (text: string): SpiffeId => {
  const id = parseSpiffeId(text);
  if (id === undefined) throw new Error(text);
  return id;
};
const patternOf = (text: string): IdPattern => {
  const pattern = parseIdPattern(text);
  if (typeof pattern === 'string') throw new Error(pattern);
  return pattern;
};
const scopeOf = (text: string): ScopePattern => {
  const pattern = parseScopePattern(text);
  if (pattern === undefined) throw new Error(text);
  return pattern;
};
const PROD = parseTrustDomain('prod.example');
const matches = (pattern: string, id: string): boolean => matchesId(patternOf(pattern), idOf(id), PROD);
const matchesNowhere = (pattern: string, id: string): boolean => matchesId(patternOf(pattern), idOf(id), undefined);
const prod = (path: string): string => `spiffe://prod.example/${path}`;

describe('a pattern on SPIFFE IDs', () => {
  it.each([
    ['ns/shop/sa/cart', 'ns/shop/sa/cart'],
    ['ns/*/sa/cart', 'ns/shop/sa/cart'],
    ['*/*/*/*', 'ns/shop/sa/cart'],
    ['ns/**', 'ns/shop'],
    ['ns/**', 'ns/shop/sa/cart'],
    ['**', 'ns'],
    ['spiffe://prod.example/ns/shop/**', 'ns/shop/sa/cart'],
    ['spiffe://prod.example/**', 'ns'],
  ])('%s matches %s', (pattern, path) => expect(matches(pattern, prod(path))).toBe(true));

  it.each([
    ['ns/shop/sa/cart', 'ns/shop/sa/cart2'],
    ['ns/shop/sa/cart', 'ns/shop/sa/cart/x'],
    ['ns/shop/sa/cart', 'ns/shop/sa'],
    ['ns/shop/sa/cart', 'ns/Shop/sa/cart'],
    ['ns/*/sa/cart', 'ns/shop/sa/other'],
    ['ns/*', 'ns/shop/sa'],
    ['ns/**', 'ns'],
    ['ns/shop/**', 'ns/other/sa'],
    ['spiffe://other.example/**', 'ns/shop'],
  ])('%s does not match %s', (pattern, path) => expect(matches(pattern, prod(path))).toBe(false));

  it('that is relative counts in the guard’s own trust domain and nowhere else', () => {
    expect(matches('ns/**', 'spiffe://other.example/ns/shop')).toBe(false);
    expect(matchesNowhere('ns/**', prod('ns/shop'))).toBe(false);
    expect(matchesNowhere('spiffe://prod.example/ns/**', prod('ns/shop'))).toBe(true);
    expect(matchesId(ANY_ID, idOf('spiffe://other.example/x'), undefined)).toBe(true);
  });

  it.each([
    ['spiffe://prod.example', 'needs a path'],
    ['spiffe:///ns', 'trust domain'],
    ['spiffe://Prod.example/ns', 'trust domain'],
    ['spiffe://*/ns', 'trust domain'],
    ['', 'no path segment'],
    ['ns//sa', 'no path segment'],
    ['ns/', 'no path segment'],
    ['/ns', 'no path segment'],
    ['ns/**/sa', 'no path segment'],
    ['ns/a*', 'no path segment'],
    ['ns/.', 'no path segment'],
    ['ns/..', 'no path segment'],
    ['ns/a b', 'no path segment'],
    ['spiffe://prod.example/', 'no path segment'],
  ])('is not %j', (text, problem) => expect(parseIdPattern(text)).toContain(problem));

  it('is literal where it can match one ID alone', () => {
    expect(['ns/shop', 'spiffe://prod.example/ns/shop'].map((text) => isLiteral(patternOf(text)))).toEqual([
      true,
      true,
    ]);
    expect(['ns/*', 'ns/**', '**', '*'].map((text) => isLiteral(patternOf(text)))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(isLiteral(ANY_ID)).toBe(false);
  });

  it('keeps its text', () => expect(patternOf('ns/shop/**').text).toBe('ns/shop/**'));
});

describe('a pattern on scopes', () => {
  it.each([
    ['orders.read', 'orders.read', true],
    ['orders.read', 'orders.reader', false],
    ['orders.read', 'a.orders.read', false],
    ['orders.*', 'orders.read', true],
    ['orders.*', 'orders.read.all', true],
    ['orders.*', 'orders.', false],
    ['orders.*', 'orders', false],
    ['orders.*', 'ordersread', false],
    ['orders.*', 'my.orders.read', false],
    ['orders*', 'orders.read', false],
    ['orders*', 'orders*', true],
    ['**', 'anything', true],
    ['*', 'anything', false],
  ])('%s and %s: %s', (pattern, scope, expected) => expect(matchesScope(scopeOf(pattern), scope)).toBe(expected));

  it.each(['', 'a b', 'a"b', 'a\\b', 'a\n', 'é'])('is not %j', (text) =>
    expect(parseScopePattern(text)).toBeUndefined(),
  );
});
