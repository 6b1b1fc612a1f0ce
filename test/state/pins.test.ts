/** Pins and used tokens in memory: what is written together, and what a full table refuses. */
import { describe, expect, it } from 'vitest';
import { createPresented } from '../../src/state/pins.js';
import { claimsOf, LIFE, NOW, pinOf, said, tokenName, useOf } from '../redis/facts.js';

describe('in memory', () => {
  it('the first presenter holds a pin until the token ends, and not a moment longer', () => {
    const { writeClaims, pins } = createPresented(10);
    const write = (presenter: string, now = NOW): unknown => said(writeClaims(claimsOf(pinOf('t', presenter)), now));
    expect([write('frontend'), write('frontend'), write('thief')]).toEqual([
      'first',
      'known',
      'token_presenter_changed',
    ]);
    expect(write('thief', NOW + LIFE - 1)).toBe('token_presenter_changed');
    expect(pins.peek(pinOf('t', 'thief'), NOW + LIFE - 1)).toBe('conflict');
    expect(pins.peek(pinOf('t', 'thief'), NOW + LIFE)).toBe('free');
  });

  it('a pin and uses are written together, or neither', () => {
    const { writeClaims, pins, uses } = createPresented(1);
    expect(said(writeClaims(claimsOf(pinOf('t', 'frontend'), useOf('t', 'a'), useOf('t', 'b')), NOW))).toBe(
      'store_unavailable',
    );
    expect([pins.size(), said(uses.unused(useOf('t', 'a'), NOW))]).toEqual([0, 'ok']);
    expect(said(writeClaims(claimsOf(pinOf('other', 'frontend')), NOW))).toBe('first');
    expect(said(writeClaims(claimsOf(pinOf('t', 'frontend'), useOf('t', 'a')), NOW))).toBe('store_unavailable');
    expect(said(uses.unused(useOf('t', 'a'), NOW))).toBe('ok');
    expect(said(writeClaims(claimsOf(pinOf('other', 'frontend'), useOf('t', 'a')), NOW))).toBe('known');
    expect(said(writeClaims(claimsOf(pinOf('other', 'frontend'), useOf('t', 'a')), NOW))).toBe('token_replayed');
  });

  it('a contest is about one token, and its release too', () => {
    const { writeClaims, contestPin, pins, release } = createPresented(10);
    const peek = (token: string): string => pins.peek(pinOf(token, 'frontend'), NOW);
    for (const token of ['t', 'u']) {
      writeClaims(claimsOf(pinOf(token, 'frontend')), NOW);
      contestPin(pinOf(token, 'frontend'), NOW);
      expect(peek(token)).toBe('holds');
      contestPin(pinOf(token, 'thief'), NOW);
    }
    expect([peek('t'), peek('u')]).toEqual(['conflict', 'conflict']);
    release(tokenName('t'), NOW);
    expect([peek('t'), peek('u')]).toEqual(['holds', 'conflict']);
  });
});
