/**
 * Invariants 3 and 4: the origin is never a name that no verified certificate or listed forwarder vouches for, and elements
 * further left than it never change it. Random chains, honest ones and ones with something bent, random forwarders; what
 * must come out is said by a definition of its own, short enough to be seen to be right. Killed by: a By that is not compared, a
 * walk that goes on behind a workload, `origins` asked of the nearest forwarder alone, a `behind` or a Cert that nobody looks at.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseSpiffeId } from '../../src/model/ids.js';
import { parseIdPattern } from '../../src/model/patterns.js';
import type { ForwarderSettings, Settings } from '../../src/model/settings.js';
import { callFrom, certField } from '../helpers/check-request.js';
import type { TestSvid } from '../helpers/pki.js';
import { houseOf, makeCast, SETTINGS } from './house.js';
import type { Cast, House, Said } from './house.js';

let cast: Cast;
beforeAll(async () => {
  cast = await makeCast();
});

const NAMES = ['frontend', 'batch', 'thief', 'gateway', 'inner', 'partner'] as const;
type Name = (typeof NAMES)[number];
const PROXIES = ['gateway', 'inner', 'thief'] as const;
const svidOf = (name: Name): TestSvid => cast[name];

interface Element {
  readonly by: Name | 'nobody' | 'both';
  readonly uri: Name | 'nobody' | 'both';
  /** Whose certificate Hash is of. */
  readonly hash: Name | 'none';
  /** 'rogue': the name is right, the CA is not. */
  readonly cert: Name | 'rogue' | 'none';
}

interface Forwarder {
  readonly name: (typeof PROXIES)[number];
  readonly origins: readonly Name[];
  readonly behind: readonly Name[];
  readonly demands: boolean;
}

interface World {
  readonly peer: Name;
  /** Left of the own one, the oldest first. */
  readonly elements: readonly Element[];
  readonly forwarders: readonly Forwarder[];
  readonly maxHops: number;
}

const name = fc.constantFrom(...NAMES);
const forwarder = (proxy: Forwarder['name']): fc.Arbitrary<Forwarder> =>
  fc.record({
    name: fc.constant(proxy),
    origins: fc.subarray([...NAMES], { minLength: 3 }),
    behind: fc.subarray([...PROXIES], { minLength: 1 }),
    demands: fc.boolean(),
  });
const forwarders = fc.subarray([...PROXIES], { minLength: 1 }).chain((proxies) => fc.tuple(...proxies.map(forwarder)));

/** What an honest row of proxies would write, the oldest first. */
const honest = fc
  .tuple(fc.array(fc.constantFrom(...PROXIES), { maxLength: 3 }), name, fc.boolean())
  .map(([proxies, first, withCert]) => {
    const hops: readonly Name[] = [first, ...proxies];
    const elements = hops.slice(0, -1).map((hop, index): Element => ({
      by: hops[index + 1] ?? hop,
      uri: hop,
      hash: hop,
      cert: withCert ? hop : 'none',
    }));
    return { peer: hops.at(-1) ?? first, elements };
  });
const strange: fc.Arbitrary<Element> = fc.record({
  by: fc.oneof(name, fc.constantFrom('nobody' as const, 'both' as const)),
  uri: fc.oneof(name, fc.constantFrom('nobody' as const, 'both' as const)),
  hash: fc.oneof(name, fc.constant('none' as const)),
  cert: fc.oneof(fc.constantFrom('none' as const, 'rogue' as const), name),
});
/** One field of one element is another's. */
const bend = fc.option(
  fc.record({ at: fc.nat({ max: 3 }), field: fc.constantFrom('by', 'uri', 'hash', 'cert'), from: strange }),
  { nil: undefined },
);
const world: fc.Arbitrary<World> = fc
  .tuple(honest, bend, fc.array(strange, { maxLength: 2 }), forwarders, fc.integer({ min: 1, max: 4 }))
  .map(([{ peer, elements }, bent, history, listed, maxHops]) => ({
    peer,
    forwarders: listed,
    maxHops,
    elements: [
      ...history,
      ...elements.map((element, index) =>
        bent === undefined || bent.at !== index ? element : { ...element, [bent.field]: bent.from[bent.field as 'by'] },
      ),
    ],
  }));

/** The definition, as an ID. `undefined`: nobody whom anyone vouches for; outside: nobody stands behind that forwarder. */
function vouchedFor({ peer, elements, forwarders: listed, maxHops }: World): string | undefined {
  const find = (whom: Name): Forwarder | undefined => listed.find((each) => each.name === whom);
  const chain: Forwarder[] = [];
  const left = [...elements];
  let current = peer;
  let said: Element | undefined;
  for (let proxy = find(current); proxy !== undefined; proxy = find(current)) {
    if (chain.length > 0 && !(chain.at(-1)?.behind.includes(current) ?? false)) return undefined;
    chain.push(proxy);
    if (chain.length > maxHops) return undefined;
    said = left.pop();
    if (said === undefined) return `outside@${svidOf(current).id}`;
    if (said.by !== current || said.uri === 'nobody' || said.uri === 'both') return undefined;
    current = said.uri;
  }
  if (!chain.every(({ origins }) => origins.includes(current))) return undefined;
  if (said === undefined) return svidOf(current).id;
  if (said.cert === 'none') return chain.some(({ demands }) => demands) ? undefined : svidOf(current).id;
  return said.cert === current && said.hash === current ? svidOf(current).id : undefined;
}

function settingsOf({ forwarders: listed, maxHops }: World): Settings {
  const idOf = (whom: Name) => {
    const id = parseSpiffeId(svidOf(whom).id);
    if (id === undefined) throw new Error(whom);
    return id;
  };
  const patternOf = (whom: Name) => {
    const pattern = parseIdPattern(idOf(whom));
    if (typeof pattern === 'string') throw new Error(pattern);
    return pattern;
  };
  const entries = listed.map((each): ForwarderSettings => ({
    id: idOf(each.name),
    origins: each.origins.map(patternOf),
    behind: new Set(each.behind.map(idOf)),
    originCertificate: each.demands ? 'require' : 'optional',
  }));
  const map = new Map(entries.map((entry) => [entry.id, entry]));
  return { ...SETTINGS, origin: { ...SETTINGS.origin, maxHops, forwarders: map } };
}

function fieldsOf({ by, uri, hash, cert }: Element): string {
  const named = (key: string, whom: Name | 'nobody' | 'both'): string[] => {
    if (whom === 'nobody') return [];
    return (whom === 'both' ? (['frontend', 'batch'] as const) : [whom]).map((each) => `${key}=${svidOf(each).id}`);
  };
  const hashed = hash === 'none' ? [] : [`Hash=${svidOf(hash).sha256}`];
  const certified = cert === 'none' ? [] : [certField(cert === 'rogue' ? cast.rogue : svidOf(cert)).slice(0, -1)];
  const fields = [...named('By', by), ...hashed, ...certified, ...named('URI', uri)];
  // An element without a field would be no element.
  return fields.length === 0 ? 'Subject=""' : fields.join(';');
}

const bytesOf = ({ peer, elements }: World): Buffer =>
  callFrom({ peer: svidOf(peer), behind: elements.map(fieldsOf), path: '/x' });

const LINES = `GET /x workload data=internal`;
/** Lets in whoever stands behind any proxy, also nobody. */
const OPEN = `GET /x anyone`;

const ask = (given: World, house?: House): Promise<Said> =>
  (house ?? houseOf(cast, { lines: LINES, settings: settingsOf(given) })).ask(bytesOf(given));

const foundIn = ({ outcome }: Said): string | undefined => {
  const { origin } = outcome.findings;
  if (origin === undefined) return undefined;
  return origin.kind === 'workload' ? origin.id : `outside@${origin.behind}`;
};

describe('the origin', () => {
  it('is whom the definition says, and nobody where it says nobody', async () => {
    const seen = { workload: 0, outside: 0, nobody: 0 };
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const expected = vouchedFor(given);
        const said = await ask(given);
        const outside = expected?.startsWith('outside@') ?? false;
        seen[expected === undefined ? 'nobody' : outside ? 'outside' : 'workload'] += 1;
        expect(foundIn(said)).toBe(expected);
        expect(said.allowed).toBe(expected !== undefined && !outside);
        const upstream = said.answer.headers.find(([key]) => key === 'x-firsthand-origin')?.[1];
        expect(upstream).toBe(said.allowed ? foundIn(said) : undefined);
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(seen.workload, seen.outside, seen.nobody)).toBeGreaterThan(30);
  });

  it('is never told upstream where nobody looked for one', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const said = await houseOf(cast, { lines: OPEN, settings: settingsOf(given) }).ask(bytesOf(given));
        expect(said.reason).toBe('allowed_anyone');
        expect(said.answer.headers.map(([key]) => key)).toEqual(['x-firsthand-decision']);
      }),
      { numRuns: 200 },
    );
  });

  it('stays who it was whatever well-formed elements are added on the left, on a warm cache too', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(world, fc.array(strange, { minLength: 1, maxLength: 8 }), async (given, history) => {
        const house = houseOf(cast, { lines: LINES, settings: settingsOf(given) });
        const before = await ask(given, house);
        if (before.outcome.findings.origin?.kind !== 'workload') return;
        found += 1;
        const longer = { ...given, elements: [...history, ...given.elements] };
        const after = await ask(longer, house);
        expect([foundIn(after), after.reason]).toEqual([foundIn(before), before.reason]);
        expect((await ask(longer, house)).outcome.findings.origin).toEqual(after.outcome.findings.origin);
        const claims = after.outcome.findings.origin?.ignoredHistory ?? [];
        expect(claims.slice(claims.length - before.outcome.findings.origin.ignoredHistory.length)).toEqual(
          before.outcome.findings.origin.ignoredHistory,
        );
      }),
      { numRuns: 800 },
    );
    expect(found).toBeGreaterThan(50);
  });

  it('needs the certificate: without it, or with another’s, there is none', async () => {
    await fc.assert(
      fc.asyncProperty(world, name, async (given, other) => {
        const peer = svidOf(given.peer);
        const pems = ['', cast.rogue.urlEncodedPem, ...(other === given.peer ? [] : [svidOf(other).urlEncodedPem])];
        for (const urlEncodedPem of pems) {
          const bytes = callFrom({
            peer: { ...peer, urlEncodedPem },
            behind: given.elements.map(fieldsOf),
            path: '/x',
          });
          const said = await houseOf(cast, { lines: LINES, settings: settingsOf(given) }).ask(bytes);
          expect([said.allowed, foundIn(said)]).toEqual([false, undefined]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
