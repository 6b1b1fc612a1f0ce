import { describe, expect, test } from 'vitest';
import { headersOf } from '../../src/model/attributes.js';
import type { Attributes } from '../../src/model/attributes.js';
import { OVERRIDE_HEADERS, readShape } from '../../src/request/shape.js';
import type { Shape } from '../../src/request/shape.js';
import { issuerSettings } from '../helpers/tokens.js';

type Lines = readonly (readonly [string, string])[];
interface Facts extends Partial<Omit<Attributes, 'headers'>> {
  readonly headers?: Lines;
  readonly allowHeaders?: readonly string[];
  readonly places?: readonly string[];
}

function shape({ headers = [], allowHeaders = [], places = ['authorization'], ...facts }: Facts): Shape | string {
  const attributes = { principal: '', certificate: '', destinationPrincipal: '', method: 'GET', path: '/', host: 'a' };
  const result = readShape(
    { ...attributes, ...facts, headers: headersOf(headers) },
    { allowHeaders, tokens: places.map((from) => issuerSettings({ from })) },
  );
  return result.ok ? result.value : result.reason;
}

describe('a request', () => {
  test('says its method, segments, host and whether it asks for an upgrade', () => {
    expect(shape({ method: 'POST', path: '/a/%62?c=%2F', host: 'Orders.Example:8080' })).toEqual({
      method: 'POST',
      segments: ['a', 'b'],
      host: 'orders.example',
      upgrade: false,
    });
  });

  test.each([
    ['orders.example', 'orders.example'],
    ['ORDERS.example:443', 'orders.example'],
    ['orders.example:', 'orders.example'],
    ['[::1]:8080', '[::1]'],
    ['[::1]', '[::1]'],
    ['orders.example:x', 'orders.example:x'],
    ['orders.example.', 'orders.example.'],
    ['', ''],
  ])('of host %j is of %j', (host, expected) => {
    expect(shape({ host })).toMatchObject({ host: expected });
  });

  test.each<readonly [string, Lines, boolean]>([
    ['upgrade', [['upgrade', 'websocket']], true],
    ['upgrade, whatever its value', [['upgrade', '']], true],
    ['the pseudo header of HTTP/2', [[':protocol', 'websocket']], true],
    ['a connection header alone', [['connection', 'upgrade']], false],
    ['nothing', [], false],
  ])('with %s asks for another protocol or not', (_what, headers, upgrade) => {
    expect(shape({ headers })).toMatchObject({ upgrade });
  });

  test('is malformed where its method is not upper-case letters', () => {
    for (const method of ['', 'get', 'GET ', 'G3T', 'GET\n', 'GÉT', 'M-SEARCH'])
      expect(shape({ method })).toBe('request_malformed');
    expect(shape({ method: 'PROPFIND' })).toMatchObject({ method: 'PROPFIND' });
  });

  test('may hold several lines of what no credential is read from', () => {
    const headers = [...Array<readonly [string, string]>(2).fill(['x-token', 'a,b'])];
    expect(shape({ headers })).toMatchObject({ method: 'GET' });
    expect(shape({ headers, places: ['authorization', 'x-token'] })).toBe('header_ambiguous');
    expect(shape({ headers: headers.slice(1), places: ['x-token'] })).toBe('header_ambiguous');
    expect(shape({ headers: [['authorization', 'a,b']], places: ['x-token'] })).toMatchObject({ method: 'GET' });
  });

  test.each(OVERRIDE_HEADERS)('with %s is refused unless the operator lets it through', (name) => {
    const spellings = [name, name.replaceAll('-', '_')];
    for (const spelling of spellings) {
      expect(shape({ headers: [[spelling, 'x']] })).toBe('header_ambiguous');
      expect(shape({ headers: [[spelling, 'x']], allowHeaders: [spelling] })).toMatchObject({ method: 'GET' });
    }
    expect(shape({ headers: [[name, 'x']], allowHeaders: spellings.slice(1) })).toBe('header_ambiguous');
  });

  test('is judged by its method, then its headers, then its path', () => {
    const headers: Lines = [['authorization', 'a,b']];
    expect(shape({ method: 'get', headers, path: '' })).toBe('request_malformed');
    expect(shape({ headers, path: '' })).toBe('header_ambiguous');
    expect(shape({ path: '' })).toBe('path_ambiguous');
  });
});
