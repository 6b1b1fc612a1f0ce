/**
 * Invariants 2 and 10: taking away evidence that verified, revoking, or adding a guardrail never turns a deny into an OK; and
 * no owner's line gets past a guardrail or a ceiling. Two exceptions are the contract's own: a guardrail's `data=` is the
 * operator's word on a route that has no label, and a call without the origin's element is outside, which a line may
 * let in by name. Killed by: a guardrail that is skipped, a ceiling of one domain of the chain alone, a
 * revocation that is asked of the token alone.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/model/decision.js';
import { DATA_LABELS } from '../../src/model/settings.js';
import type { Revocation } from '../../src/state/revocations.js';
import { callFrom, certField } from '../helpers/check-request.js';
import type { CallFacts } from '../helpers/check-request.js';
import type { TestSvid } from '../helpers/pki.js';
import { boundTo, elementsThrough, houseOf, makeCast, NOW } from './house.js';
import type { Cast, Said } from './house.js';

let cast: Cast;
let tokens: readonly { readonly text: string; readonly header: 'authorization' | 'x-token' }[];
beforeAll(async () => {
  cast = await makeCast();
  const { idp, second, frontend, partner } = cast;
  const seconds = NOW / 1000;
  const from = async (issuer: typeof idp, claims: Record<string, unknown>) => ({
    text: await issuer.sign({ sub: 'user:alice', ...claims }),
    header: issuer === idp ? ('authorization' as const) : ('x-token' as const),
  });
  tokens = await Promise.all([
    from(idp, { scope: 'catalog.read orders.write', ...boundTo(frontend) }),
    from(idp, { scope: 'catalog.read orders.write', ...boundTo(partner) }),
    from(idp, { scope: 'catalog.read' }),
    from(idp, { scope: 'orders.write', iat: seconds - 600, txn: 'txn-1' }),
    from(second, { scope: 'catalog.read orders.write' }),
    from(idp, { scope: 'catalog.read', exp: seconds - 600 }),
  ]);
});

const ORIGINS = ['frontend', 'batch', 'thief', 'partner', 'rogue'] as const;
const CHAINS = [[], ['gateway'], ['gateway', 'inner'], ['inner']] as const;

interface Call {
  readonly origin: (typeof ORIGINS)[number];
  readonly proxies: (typeof CHAINS)[number];
  readonly token: number | undefined;
  readonly host: string;
  readonly upgrade: boolean;
  readonly withCert: boolean;
  /** What the caller sends besides. */
  readonly extra: readonly (readonly [string, string])[];
}

const call: fc.Arbitrary<Call> = fc.record({
  origin: fc.constantFrom('frontend' as const, 'partner' as const, ...ORIGINS),
  proxies: fc.constantFrom(...CHAINS),
  token: fc.constantFrom(0, 0, 1, 1, 2, 2, 3, 4, 5, undefined),
  host: fc.constantFrom('orders.example', 'orders.example', 'other.example'),
  upgrade: fc.constantFrom(false, false, true),
  withCert: fc.boolean(),
  extra: fc.constantFrom([], [], [], [['x-http-method-override', 'PUT'] as const], [['cookie', 'a=b'] as const]),
});

function factsOf({ origin, proxies, token, host, upgrade, withCert, extra }: Call): CallFacts & { peer: TestSvid } {
  const hops = [cast[origin], ...proxies.map((name) => cast[name])];
  const presented = token === undefined ? undefined : tokens[token];
  const headers = [...extra, ...(upgrade ? [['upgrade', 'websocket'] as const] : [])];
  if (presented?.header === 'x-token') headers.push(['x-token', presented.text]);
  return {
    peer: hops.at(-1) ?? cast[origin],
    behind: elementsThrough(hops, withCert ? certField(cast[origin]) : ''),
    path: '/x',
    host,
    headers,
    token: presented?.header === 'authorization' ? presented.text : undefined,
  };
}

const rule = fc.constantFrom('catalog.read', 'orders.write', 'catalog.read+orders.write', 'catalog.read|orders.write');
const anyRule = fc.oneof({ weight: 3, arbitrary: rule }, fc.constantFrom('token', 'workload', 'anyone'));
const FROM = [
  'from=ns/shop/**',
  'from=ns/shop/sa/frontend,spiffe://partner.example/**',
  'from=ns/**,outside@ns/edge/**',
  'from=ns/shop/sa/*',
] as const;
/** Mostly nothing: lines that nobody can satisfy say little. */
const rarely = (...words: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(...words) });
const aboutOrigins = fc.tuple(
  rarely(...FROM),
  rarely('via=ns/edge/**,direct', 'via=ns/edge/sa/gateway', 'via=direct'),
  rarely('env=prod', 'env=prod,partner'),
);
const aboutTokens = fc.tuple(rarely('age<=5m'), rarely('bound', 'bound=direct'), rarely('once'));
const aboutAll = fc.tuple(rarely('host=orders.example'), rarely('fresh'), fc.constantFrom('', 'upgrade'));
/** A line for the one route, with only the conditions that fit its scopes. */
const lineWith = (label: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(anyRule, aboutOrigins, aboutTokens, aboutAll, label).map(([scopes, origins, about, all, data]) => {
    const words = ['GET', '/x', scopes, ...all, data];
    if (scopes !== 'anyone') words.push(...origins);
    if (scopes !== 'anyone' && scopes !== 'workload') words.push(...about);
    return words.filter((word) => word !== '').join(' ');
  });
const labelled = lineWith(fc.constantFrom('public' as const, ...DATA_LABELS).map((label) => `data=${label}`));
const unlabelled = lineWith(fc.constant(''));
const line = fc.oneof(labelled, unlabelled);
const rails = (of: fc.Arbitrary<string>) => fc.array(of, { maxLength: 2 });

const decided = (facts: CallFacts, lines: string, guardrails: readonly string[]): Promise<Said> =>
  houseOf(cast, { lines, guardrails: guardrails.join('\n') }).ask(callFrom(facts));

describe('a deny', () => {
  it('stays one when a guardrail is added', async () => {
    const seen = { deny: 0, allow: 0 };
    // A label on a route that has none is the operator's word on it.
    const policies = fc.oneof(
      fc.tuple(labelled, rails(line), line),
      fc.tuple(unlabelled, rails(unlabelled), unlabelled),
    );
    await fc.assert(
      fc.asyncProperty(policies, call, async ([own, guardrails, added], given) => {
        const facts = factsOf(given);
        const before = await decided(facts, own, guardrails);
        seen[before.allowed ? 'allow' : 'deny'] += 1;
        if (before.allowed) return;
        expect((await decided(facts, own, [...guardrails, added])).allowed).toBe(false);
        expect((await decided(facts, own, [added, ...guardrails])).allowed).toBe(false);
      }),
      { numRuns: 900 },
    );
    expect(Math.min(seen.deny, seen.allow)).toBeGreaterThan(50);
  });

  it('stays one when evidence that verified is taken away', async () => {
    await fc.assert(
      fc.asyncProperty(line, rails(line), call, async (own, guardrails, given) => {
        const facts = factsOf(given);
        const before = await decided(facts, own, guardrails);
        if (before.allowed) return;
        for (const less of withLess(facts, before.outcome, own))
          expect([less, (await decided(less, own, guardrails)).allowed]).toEqual([less, false]);
      }),
      { numRuns: 700 },
    );
  });

  it('stays one, and an OK may become one, when something of the call is revoked', async () => {
    let ended = 0;
    await fc.assert(
      fc.asyncProperty(line, rails(line), call, fc.nat(), async (own, guardrails, given, which) => {
        const bytes = callFrom(factsOf(given));
        const options = { lines: own, guardrails: guardrails.join('\n') };
        const before = await houseOf(cast, options).ask(bytes);
        const all = revocationsFor(before.outcome);
        const revocation = all[which % all.length];
        if (revocation === undefined) return;
        const house = houseOf(cast, options);
        house.revocations.revoke(revocation);
        const cold = await house.ask(bytes);
        expect(cold.allowed && !before.allowed).toBe(false);
        // What the decision was made on is revoked, so that the OK ends; also one that is remembered.
        if (!before.allowed) return;
        ended += 1;
        expect([revocation.type, cold.allowed]).toEqual([revocation.type, false]);
        const warm = houseOf(cast, options);
        await warm.ask(bytes);
        warm.revocations.revoke(revocation);
        const again = await warm.ask(bytes);
        expect(again.reason).toBe(cold.reason);
      }),
      { numRuns: 900 },
    );
    expect(ended).toBeGreaterThan(50);
  });
});

/** The same call without one thing that the check had verified. */
function withLess(facts: CallFacts, { findings }: Outcome, own: string): readonly CallFacts[] {
  const { peer, origin, token } = findings;
  const less: CallFacts[] = [];
  if (token !== undefined)
    less.push({ ...facts, token: undefined, headers: (facts.headers ?? []).filter(([name]) => name !== 'x-token') });
  if (peer === undefined) return less;
  less.push({ ...facts, peer: { ...facts.peer, urlEncodedPem: '' } }, { ...facts, own: null, behind: [] });
  less.push({ ...facts, own: null }, { ...facts, peer: { ...facts.peer, id: '' } });
  if (origin?.kind !== 'workload' || origin.forwarders.length === 0) return less;
  less.push({ ...facts, behind: facts.behind?.map((element) => element.replace(/Cert="[^"]*";/, '')) ?? [] });
  // Without the origin's element the call is outside, which a line may let in by name.
  if (!own.includes('outside@'))
    less.push({ ...facts, behind: facts.behind?.slice(1) ?? [] }, { ...facts, behind: [] });
  return less;
}

/** Everything that a revocation can name about what was verified, one for each name. */
function revocationsFor({ findings, guard }: Outcome): readonly Revocation[] {
  const { origin, token } = findings;
  const revoke = (type: Revocation['type'], value: string | undefined, issuer?: string): Revocation[] =>
    value === undefined ? [] : [{ type, value, issuer, until: Infinity }];
  const about =
    token === undefined
      ? []
      : [
          ...revoke('token', token.name),
          ...revoke('jti', token.jti, token.issuer.issuer),
          ...revoke('subject', token.subject, token.issuer.issuer),
          ...revoke('key', token.kid, token.issuer.issuer),
          ...revoke('issuer', token.issuer.issuer),
          ...revoke('txn', token.txn),
        ];
  const identities = (origin?.chain ?? []).filter((id) => id !== guard);
  const certificates = (origin?.certificates ?? []).flatMap(({ sha256, serial, issuer }) => [
    ...revoke('certificate', sha256),
    ...(issuer === undefined ? [] : revoke('serial', serial, issuer)),
  ]);
  const domains = identities.map((id) => id.split('/')[2] ?? '');
  return [
    ...about,
    ...certificates,
    ...identities.flatMap((id) => revoke('identity', id)),
    ...domains.flatMap((domain) => revoke('trust_domain', domain)),
  ];
}

/** `upgrade` is for the owner to say; a label that is not there is the route's. */
const asOwners = (guardrail: string, data: string): string =>
  `${guardrail.replace(/ (data=\w+|upgrade)/g, '')} upgrade data=${data}`;

describe('an owner’s line', () => {
  it('allows only what each guardrail alone, were it the owner’s line, would allow as well', async () => {
    let allowed = 0;
    await fc.assert(
      fc.asyncProperty(line, fc.array(line, { minLength: 1, maxLength: 2 }), call, async (own, guardrails, given) => {
        const facts = factsOf(given);
        const said = await decided(facts, own, guardrails);
        if (!said.allowed) return;
        allowed += 1;
        const data = said.outcome.findings.route?.data ?? 'restricted';
        // A guardrail has no ceiling of its own: what it lets through was already within the owner's.
        for (const guardrail of guardrails) {
          const alone = await decided(facts, asOwners(guardrail, own.includes(' anyone') ? 'public' : data), []);
          expect([guardrail, alone.allowed]).toEqual([guardrail, true]);
        }
      }),
      { numRuns: 1200 },
    );
    expect(allowed).toBeGreaterThan(15);
  });

  it('never gives a chain that touches a domain with a ceiling more than the ceiling', async () => {
    let allowed = 0;
    const foreign = call.map((given): Call => ({
      ...given,
      origin: 'partner',
      token: given.token === undefined ? undefined : given.token % 3,
    }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(labelled, line), rails(line), foreign, async (own, guardrails, given) => {
        const said = await decided(factsOf(given), own, guardrails);
        if (!said.allowed || said.reason === 'allowed_anyone') return;
        allowed += 1;
        const { route } = said.outcome.findings;
        expect(['public', 'internal']).toContain(route?.data);
        const needed = [...(route?.guardrails ?? []), ...(route?.line === undefined ? [] : [route.line])].map(
          ({ scopes }) => scopes,
        );
        for (const scopes of needed) {
          if (scopes.kind === 'all') expect(scopes.scopes).not.toContain('orders.write');
          if (scopes.kind === 'any') expect(scopes.scopes).toContain('catalog.read');
        }
      }),
      { numRuns: 900 },
    );
    expect(allowed).toBeGreaterThan(5);
  });
});
