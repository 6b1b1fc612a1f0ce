import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claims } from '../../src/model/evidence.js';
import { confirmationOf } from '../../src/origin/confirmation.js';

const HEX = 'ab'.repeat(32);
const X5T = Buffer.from(HEX, 'hex').toString('base64url');
const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';
const WAF = 'spiffe://prod.example/ns/edge/sa/waf';

/** What is demanded, or the reason. */
function demanded(claims: Claims): unknown {
  const result = confirmationOf(claims);
  if (!result.ok) return result.reason;
  if (result.value === undefined) return 'nothing';
  const { certificate, forwarders } = result.value;
  return { certificate, forwarders: forwarders && [...forwarders] };
}

const cnf = (members: unknown): Claims => ({ cnf: members });
const carried = (list: unknown): Claims => cnf({ 'x5t#S256': X5T, 'proxy-principals#spiffe': list });

describe('a confirmation', () => {
  it('is nothing only where there is no cnf at all', () => {
    expect(demanded({})).toBe('nothing');
    for (const empty of [undefined, null, {}, [], '']) expect(demanded(cnf(empty))).toBe('binding_unavailable');
  });

  it('is a certificate, with or without a list of forwarders', () => {
    expect(demanded(cnf({ 'x5t#S256': X5T }))).toEqual({ certificate: HEX, forwarders: undefined });
    expect(demanded(carried([GATEWAY, WAF, GATEWAY]))).toEqual({ certificate: HEX, forwarders: [GATEWAY, WAF] });
    expect(demanded(carried([]))).toEqual({ certificate: HEX, forwarders: [] });
  });

  it('of forwarders alone confirms nobody', () => {
    expect(demanded(cnf({ 'proxy-principals#spiffe': [GATEWAY] }))).toBe('binding_unavailable');
  });

  it('with a member that can not be verified here is refused, whatever stands beside it', () => {
    for (const member of ['jkt', 'jwk', 'kid', 'x5t', 'X5T#S256', 'x5t#s256', 'proxy-principals', 'constructor'])
      expect(demanded(cnf({ 'x5t#S256': X5T, 'proxy-principals#spiffe': [GATEWAY], [member]: 'x' }))).toBe(
        'binding_unavailable',
      );
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', GATEWAY],
    ['a mapping', { 0: GATEWAY }],
    ['a list with a number', [GATEWAY, 7]],
    ['a list in a list', [[GATEWAY]]],
    ['an ID with a slash at its end', [`${GATEWAY}/`]],
    ['an ID in capitals', [GATEWAY.toUpperCase()]],
    ['a trust domain alone', ['spiffe://prod.example']],
    ['a pattern', ['spiffe://prod.example/**']],
    ['an https URL', [GATEWAY, 'https://gateway.example']],
    ['an empty text', ['']],
  ])('whose forwarders are %s is refused', (_, list) => {
    expect(demanded(carried(list))).toBe('binding_mismatch');
  });

  it('never throws, and never makes a bound token an unbound one', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (whole, list) => {
        for (const claims of [cnf(whole), carried(list)]) expect(demanded(claims)).not.toBe('nothing');
      }),
    );
  });
});
