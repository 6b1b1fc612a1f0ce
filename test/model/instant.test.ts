import { describe, expect, it } from 'vitest';
import { HORIZON_PARTS, instantAt } from '../../src/model/instant.js';

describe('an instant', () => {
  it('has reached what lies before it and what is now, and nothing later', () => {
    const instant = instantAt(1000);
    expect([999, 1000, 1001].map((time) => instant.reached(time, 'token.exp'))).toEqual([true, true, false]);
    expect(instant.now).toBe(1000);
  });

  it('holds for every moment where nothing was compared', () => {
    expect(instantAt(1000).horizon()).toEqual({ from: -Infinity, until: Infinity });
  });

  it('holds from the latest time that was reached to the earliest that was not', () => {
    const instant = instantAt(1000);
    for (const time of [500, 900, 700, 2000, 1100, 1500]) instant.reached(time, 'certificate.notAfter');
    expect(instant.horizon()).toEqual({ from: 900, until: 1100 });
    instant.reached(1000, 'token.nbf');
    instant.reached(1001, 'token.exp');
    expect(instant.horizon()).toEqual({ from: 1000, until: 1001 });
  });

  it('would have decided the same at each of these moments, and otherwise at the next one', () => {
    const times = [3, 5, 8, 11];
    const seenAt = (now: number): string => times.map((time) => instantAt(now).reached(time, 'token.exp')).join();
    for (let now = 0; now < 14; now += 1) {
      const instant = instantAt(now);
      for (const time of times) instant.reached(time, 'token.exp');
      const { from, until } = instant.horizon();
      for (let other = 0; other < 14; other += 1)
        expect(seenAt(other) === seenAt(now)).toBe(other >= from && other < until);
    }
  });

  it('is not confused by a time that is none', () => {
    const instant = instantAt(1000);
    expect(instant.reached(NaN, 'token.exp')).toBe(false);
    expect(instant.horizon()).toEqual({ from: -Infinity, until: Infinity });
  });

  it('knows the times that end a decision, by names that records and tests use', () => {
    expect(HORIZON_PARTS.join(' ')).toBe(
      'certificate.notBefore certificate.notAfter issuer.notBefore issuer.notAfter token.exp token.nbf token.iat token.age',
    );
  });

  it('leaves out of its horizon only what a test made it deaf to, and still compares it', () => {
    for (const deaf of HORIZON_PARTS) {
      const instant = instantAt(1000, deaf);
      expect([instant.reached(900, deaf), instant.reached(1100, deaf)]).toEqual([true, false]);
      expect(instant.horizon()).toEqual({ from: -Infinity, until: Infinity });
      const other = HORIZON_PARTS.find((part) => part !== deaf) ?? 'token.exp';
      instant.reached(900, other);
      instant.reached(1100, other);
      expect(instant.horizon()).toEqual({ from: 900, until: 1100 });
    }
  });
});
