import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ForwardedElement } from '../../src/model/evidence.js';
import type { SpiffeId } from '../../src/model/ids.js';
import { parseSpiffeId } from '../../src/model/ids.js';
import type { OriginSettings } from '../../src/model/settings.js';
import { walkChain } from '../../src/origin/chain.js';

const id = (name: string): SpiffeId => {
  const parsed = parseSpiffeId(`spiffe://prod.example/${name}`);
  if (parsed === undefined) throw new Error(name);
  return parsed;
};
const [A, B, C, G, H, K] = [id('a'), id('b'), id('c'), id('fw/g'), id('fw/h'), id('fw/k')] as const;

const element = (by: string, uri: string): ForwardedElement => ({
  by: [by],
  uri: [uri],
  hash: undefined,
  cert: undefined,
  chain: undefined,
});

/** g may stand behind h, and h behind k. */
function settings(maxHops = 5): OriginSettings {
  const forwarder = (name: SpiffeId, ...behind: SpiffeId[]) =>
    [name, { id: name, origins: [], behind: new Set(behind), originCertificate: 'optional' }] as const;
  return {
    peer: 'certificate',
    xfcc: 'append-forward',
    maxHops,
    forwarders: new Map([forwarder(G), forwarder(H, G), forwarder(K, H)]),
  };
}

const walk = (peer: SpiffeId, elements: readonly ForwardedElement[], maxHops?: number) => {
  const result = walkChain(peer, elements, settings(maxHops));
  if (!result.ok) return result.reason;
  const { origin, forwarders, ignored } = result.value;
  return { origin, forwarders: forwarders.map((each) => each.id), ignored: ignored.length };
};

describe('the walk', () => {
  test.each<readonly [string, SpiffeId, readonly ForwardedElement[], unknown]>([
    ['ends at a peer that is no forwarder', A, [element(A, B)], { origin: A, forwarders: [], ignored: 1 }],
    ['finds nobody behind a forwarder without elements', G, [], { origin: undefined, forwarders: [G], ignored: 0 }],
    ['finds who is behind one forwarder', G, [element(G, A)], { origin: A, forwarders: [G], ignored: 0 }],
    [
      'goes from the newest element to older ones',
      H,
      [element(G, A), element(H, G)],
      { origin: A, forwarders: [G, H], ignored: 0 },
    ],
    [
      'goes as far as there are forwarders',
      K,
      [element(G, A), element(H, G), element(K, H)],
      { origin: A, forwarders: [G, H, K], ignored: 0 },
    ],
    [
      'ends at the first that is none',
      K,
      [element(A, C), element(H, A), element(K, H)],
      { origin: A, forwarders: [H, K], ignored: 1 },
    ],
    ['may end with a forwarder: outside', H, [element(H, G)], { origin: undefined, forwarders: [G, H], ignored: 0 }],
    ['refuses an element of somebody else', G, [element(H, A)], 'chain_broken'],
    ['refuses a forwarder that may not stand behind', G, [element(H, A), element(G, H)], 'forwarder_not_allowed'],
    [
      'refuses a forwarder behind one that may not be skipped',
      K,
      [element(G, A), element(K, G)],
      'forwarder_not_allowed',
    ],
    ['refuses a forwarder behind itself', G, [element(G, A), element(G, G)], 'forwarder_not_allowed'],
    ['refuses an element that names nobody', G, [{ ...element(G, A), uri: [] }], 'chain_broken'],
    ['refuses an element that names two', G, [{ ...element(G, A), uri: [A, B] }], 'chain_broken'],
    ['refuses an element of two', G, [{ ...element(G, A), by: [G, G] }], 'chain_broken'],
    ['refuses an element of nobody', G, [{ ...element(G, A), by: [] }], 'chain_broken'],
    ['refuses a name that is no SPIFFE ID', G, [element(G, 'spiffe://prod.example/a/')], 'chain_broken'],
  ])('%s', (_what, peer, elements, expected) => {
    expect(walk(peer, elements)).toEqual(expected);
  });

  test('counts verified forwarders against maxHops', () => {
    const elements = [element(G, A), element(H, G), element(K, H)];
    expect(walk(K, elements, 3)).toMatchObject({ origin: A });
    expect(walk(K, elements, 2)).toBe('chain_too_long');
    expect(walk(H, elements.slice(0, 2), 2)).toMatchObject({ origin: A });
    expect(walk(G, [], 1)).toMatchObject({ forwarders: [G] });
  });

  test('finds the same origin whatever well-formed elements are put in front', () => {
    const name = fc.constantFrom<SpiffeId>(A, B, C, G, H, K);
    const any = fc.tuple(name, name).map(([by, uri]) => element(by, uri));
    fc.assert(
      fc.property(name, fc.array(any, { maxLength: 4 }), fc.array(any, { maxLength: 4 }), (peer, elements, left) => {
        const before = walk(peer, elements);
        fc.pre(typeof before !== 'string' && before.origin !== undefined);
        const after = walk(peer, [...left, ...elements]);
        expect(after).toEqual({
          ...(before as object),
          ignored: (before as { ignored: number }).ignored + left.length,
        });
      }),
    );
  });

  test('never finds an origin that the newest elements do not link to', () => {
    const name = fc.constantFrom<SpiffeId>(A, B, G, H, K);
    const any = fc.tuple(name, name).map(([by, uri]) => element(by, uri));
    fc.assert(
      fc.property(name, fc.array(any, { maxLength: 5 }), (peer, elements) => {
        const found = walk(peer, elements);
        if (typeof found === 'string' || found.origin === undefined) return;
        const vouched = [peer, ...found.forwarders].includes(found.origin)
          ? peer === found.origin
          : elements.some(({ by, uri }) => by[0] === found.forwarders[0] && uri[0] === found.origin);
        expect(vouched).toBe(true);
      }),
    );
  });
});
