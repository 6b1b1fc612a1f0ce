/**
 * Invariant 7: every spelling of one token has one name, for pins, single use and revocation; what is remembered of a token
 * is found by its exact bytes alone. Killed by: a name made of the whole text, a cache keyed by the name, a lenient
 * base64url decoder, a scheme compared with case.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { callFrom } from '../helpers/check-request.js';
import { nonCanonical, twin, withHeader } from '../helpers/tokens.js';
import { houseOf, makeCast, SETTINGS } from './house.js';
import type { Cast, House, Said } from './house.js';

const LINES = `GET /orders/{id} orders.read
POST /orders orders.read once`;

let cast: Cast;
/** With a jti and without one: named by iss and jti, or by the signing input. */
let tokens: readonly string[];
/** The same jti signed anew: other bytes in every part. */
let again: string;
let pinned: string;
beforeAll(async () => {
  cast = await makeCast();
  const { idp, second } = cast;
  const claims = { scope: 'orders.read', sub: 'user:alice' };
  tokens = await Promise.all([idp.sign({ ...claims, jti: 'one' }), idp.sign({ ...claims, jti: undefined })]);
  again = await idp.sign({ ...claims, jti: 'one', extra: true });
  pinned = await second.sign({ ...claims, jti: 'two' });
});

const asked = (
  house: House,
  lines: readonly (readonly [string, string])[],
  path = '/orders/1',
  who = cast.frontend,
): Promise<Said> =>
  house.ask(callFrom({ peer: who, path, method: path === '/orders' ? 'POST' : 'GET', headers: lines }));
const bearer = (token: string, scheme = 'Bearer'): readonly (readonly [string, string])[] => [
  ['authorization', `${scheme} ${token}`],
];
const house = (): House => houseOf(cast, { lines: LINES });
const nameIn = ({ outcome }: Said): string | undefined => outcome.findings.token?.name;

const cased = (word: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
    .map((upper) => [...word].map((letter, index) => (upper[index] === true ? letter.toUpperCase() : letter)).join(''));

describe('the spellings of one token', () => {
  it('have one name: any case of the scheme, and the second signature that anybody can make of an ECDSA one', async () => {
    await fc.assert(
      fc.asyncProperty(cased('bearer'), fc.boolean(), fc.nat({ max: 1 }), async (scheme, twinned, which) => {
        const token = tokens[which] ?? '';
        const plain = await asked(house(), bearer(token));
        const other = await asked(house(), bearer(twinned ? twin(token) : token, scheme));
        expect([plain.reason, other.reason]).toEqual(['allowed', 'allowed']);
        expect(nameIn(other)).toBe(nameIn(plain));
      }),
      { numRuns: 60 },
    );
  });

  it('have one name where the issuer signed the same jti twice, and two where the jti differs', async () => {
    const names = await Promise.all(
      [tokens[0] ?? '', again, tokens[1] ?? ''].map(async (token) => nameIn(await asked(house(), bearer(token)))),
    );
    expect(names[0]).toBe(names[1]);
    expect(new Set(names).size).toBe(2);
  });

  it('are revoked, used up and pinned together', async () => {
    for (const token of [...tokens, again]) {
      const other = token === again ? (tokens[0] ?? '') : twin(token);
      const revoked = house();
      const name = nameIn(await asked(revoked, bearer(token))) ?? '';
      revoked.revocations.revoke({ type: 'token', value: name, issuer: undefined, until: Infinity });
      expect((await asked(revoked, bearer(other))).reason).toBe('token_revoked');

      const used = house();
      expect((await asked(used, bearer(token), '/orders')).reason).toBe('allowed');
      expect((await asked(used, bearer(other), '/orders')).reason).toBe('token_replayed');
      expect((await asked(house(), bearer(other), '/orders')).reason).toBe('allowed');
    }
    const seen = house();
    expect((await asked(seen, [['x-token', pinned]])).reason).toBe('allowed');
    expect((await asked(seen, [['x-token', twin(pinned)]], '/orders/1', cast.batch)).reason).toBe(
      'token_presenter_changed',
    );
    expect((await asked(seen, [['x-token', twin(pinned)]])).reason).toBe('allowed');
  });

  it('are those and no others: other white space, padding, spare bits, another header are refused', async () => {
    const token = tokens[0] ?? '';
    const space = fc.constantFrom('  ', '\t', ' \t', '', '\u00a0', ' ,');
    const inside = fc.record({
      at: fc.nat({ max: token.length }),
      text: fc.constantFrom(' ', '\t', '=', '\n', '%', '+', '/', ',', '.'),
    });
    await fc.assert(
      fc.asyncProperty(cased('bearer'), space, inside, async (scheme, gap, { at, text }) => {
        const spellings = [
          `${scheme}${gap}${token}`,
          `${scheme} ${token.slice(0, at)}${text}${token.slice(at)}`,
          ` ${scheme} ${token}`,
          `${scheme} ${nonCanonical(token)}`,
          `${scheme} ${token}=`,
          `${scheme} ${withHeader(token, { extra: 1 })}`,
        ];
        for (const value of spellings)
          expect([value, (await asked(house(), [['authorization', value]])).allowed]).toEqual([value, false]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a warm house', () => {
  it('gives a bent token what a cold one gives it, and never the remembered answer', async () => {
    const letters = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.');
    // Room for every bent token: in the small cache of the other houses a good one that is not drawn for a while is evicted.
    const roomy = { ...SETTINGS, cache: { ...SETTINGS.cache, entries: 1000 } };
    const warm = houseOf(cast, { lines: LINES, settings: roomy });
    for (const token of tokens) await asked(warm, bearer(token));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 1 }),
        fc.nat().map((number) => (number * 0.6180339887) % 1),
        letters,
        async (which, share, letter) => {
          const token = tokens[which] ?? '';
          const at = Math.floor(share * token.length);
          const bent = token.slice(0, at) + letter + token.slice(at + 1);
          expect((await asked(warm, bearer(token))).outcome.cache).toBe('hit');
          const first = await asked(warm, bearer(bent));
          if (bent === token) return;
          expect([first.allowed, first.reason]).toEqual([false, (await asked(house(), bearer(bent))).reason]);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('verifies the second spelling itself: both are remembered, each for its own bytes', async () => {
    const warm = house();
    const token = tokens[0] ?? '';
    for (const text of [token, twin(token), again]) {
      expect((await asked(warm, bearer(text))).outcome.cache).toBe('miss');
      expect((await asked(warm, bearer(text))).outcome.cache).toBe('hit');
    }
  });
});
