/**
 * Invariant 8: the order and the case of header lines do not matter, nor which of the two encodings carries them; a line
 * that comes twice never helps. Killed by: a reader that keeps the last line, names compared with case, a duplicate that
 * hides the first, a joined value that is taken apart.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkRequest, elementOf, GUARD } from '../helpers/check-request.js';
import type { TestSvid } from '../helpers/pki.js';
import { boundTo, elementsThrough, houseOf, makeCast } from './house.js';
import type { Cast, Said } from './house.js';

type Line = readonly [name: string, value: string];

const LINES = `GET /orders/{id} orders.read
GET /live orders.read upgrade`;

let cast: Cast;
let good: string;
let others: readonly string[];
beforeAll(async () => {
  cast = await makeCast();
  good = await cast.idp.sign({ scope: 'orders.read', ...boundTo(cast.frontend) });
  others = await Promise.all([
    cast.idp.sign({ scope: 'nothing', ...boundTo(cast.frontend) }),
    cast.idp.sign({ scope: 'orders.read', ...boundTo(cast.thief) }),
    cast.second.sign({ scope: 'orders.read' }),
  ]);
});

const call = fc.record({
  proxied: fc.boolean(),
  token: fc.constantFrom('good', 'good', 'good', 'other', 'none'),
  forged: fc.constantFrom(false, false, false, true),
  upgrade: fc.constantFrom(false, false, true),
  more: fc.subarray([
    ['cookie', 'a=b'],
    ['x-request-id', '1'],
    ['x-firsthand-origin', 'spiffe://prod.example/ns/shop/sa/boss'],
    ['content-type', 'application/json'],
    ['forwarded', 'for=1'],
  ] as Line[]),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

const peerOf = ({ proxied }: Call): TestSvid => (proxied ? cast.gateway : cast.frontend);

function linesOf(given: Call): Line[] {
  const peer = peerOf(given);
  const behind = given.proxied ? elementsThrough([cast.frontend, cast.gateway]) : [];
  const forged = given.forged ? elementOf(GUARD, cast.thief) : elementOf(GUARD, peer);
  const lines: Line[] = [['x-forwarded-client-cert', [...behind, forged].join(',')], ...given.more];
  if (given.token !== 'none')
    lines.push(['authorization', `Bearer ${given.token === 'good' ? good : (others[0] ?? '')}`]);
  if (given.upgrade) lines.push(['upgrade', 'websocket']);
  return lines;
}

const asked = (given: Call, headers: readonly Line[], encoding: 'list' | 'map' = 'list'): Promise<Said> => {
  const peer = peerOf(given);
  const path = given.upgrade ? '/live' : '/orders/1';
  return houseOf(cast, { lines: LINES }).ask(
    checkRequest({ path, principal: peer.id, certificate: peer.urlEncodedPem, headers, encoding }),
  );
};

const told = ({ reason, outcome, answer }: Said): unknown => [
  reason,
  outcome.findings.origin?.chain,
  outcome.findings.token?.name,
  outcome.findings.route?.line?.number,
  answer.code,
  new Set(answer.removed),
];

const withCase = (text: string, upper: readonly boolean[]): string =>
  [...text].map((letter, index) => (upper[index % upper.length] === true ? letter.toUpperCase() : letter)).join('');

describe('header lines', () => {
  it('say the same in any order, in any case of their names, in either encoding', async () => {
    const seen = new Set<string>();
    const flags = fc.array(fc.boolean(), { minLength: 3, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        call,
        flags,
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        fc.constantFrom('list', 'map'),
        async (given, upper, tickets, encoding) => {
          const lines = linesOf(given);
          const shuffled = lines
            .map(([name, value], index) => ({
              line: [withCase(name, upper), value] as const,
              ticket: tickets[index] ?? 0,
            }))
            .sort((a, b) => a.ticket - b.ticket)
            .map(({ line }) => line);
          const plain = await asked(given, lines);
          seen.add(plain.reason);
          expect(told(await asked(given, shuffled, encoding as 'list' | 'map'))).toEqual(told(plain));
        },
      ),
      { numRuns: 500 },
    );
    expect([...seen]).toEqual(expect.arrayContaining(['allowed', 'scope_missing', 'token_missing', 'xfcc_anchor']));
  });

  it('never help by coming twice: a denied request stays denied with any line more', async () => {
    let denied = 0;
    const which = fc.constantFrom(
      'authorization',
      'x-forwarded-client-cert',
      'x-token',
      'x-http-method-override',
      'upgrade',
      ':path',
      'x-firsthand-origin',
    );
    await fc.assert(
      fc.asyncProperty(call, which, fc.nat({ max: 5 }), fc.boolean(), async (given, name, pick, first) => {
        const lines = linesOf(given);
        const values = [
          ...[`Bearer ${good}`, `Bearer ${others[1] ?? ''}`, others[2] ?? '', elementOf(GUARD, peerOf(given))],
          ...[elementsThrough([cast.frontend, cast.gateway]).join(''), '/live'],
        ];
        const added = [name, values[pick] ?? ''] as const;
        const before = await asked(given, lines);
        const there = lines.some(([known]) => known === name);
        // Evidence that was missing may of course come.
        if (before.allowed || !there) return;
        denied += 1;
        expect((await asked(given, first ? [added, ...lines] : [...lines, added])).allowed).toBe(false);
      }),
      { numRuns: 900 },
    );
    expect(denied).toBeGreaterThan(40);
  });

  it('deny where a credential comes twice, as two lines or as one joined value, however alike', async () => {
    const which = fc.constantFrom('authorization', 'x-forwarded-client-cert');
    await fc.assert(
      fc.asyncProperty(call, which, fc.boolean(), async (given, name, joined) => {
        const lines = linesOf(given);
        const line = lines.find(([known]) => known === name);
        if (line === undefined) return;
        // One x-forwarded-client-cert line with two equal elements is a chain, and the chain does not link.
        if (joined && name !== 'authorization') return;
        const twice = joined
          ? lines.map(([known, value]) =>
              known === name ? ([known, `${value},${value}`] as const) : ([known, value] as const),
            )
          : [...lines, line];
        expect((await asked(given, twice)).reason).toBe('header_ambiguous');
      }),
      { numRuns: 200 },
    );
  });
});
