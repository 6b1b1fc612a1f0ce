/**
 * Requests with two and three faults of different kinds: explain proposes every change that is needed, and what it says of
 * them together is what the engine says once they are really made.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Change } from '../../src/workbench/change.js';
import { explainText } from '../../src/cli/explain-text.js';
import { applied, BACKEND, CONFIG, GATEWAY, judge, makeWorld, situation } from './situation.js';
import type { Call, Situation, TokenPlan, World } from './situation.js';

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

const MINUTE = 60_000;

type Fault = (scene: Situation) => Situation;

const inCall =
  (changes: Partial<Call>): Fault =>
  (scene) => ({ ...scene, call: { ...scene.call, ...changes } });
const inToken =
  (changes: Partial<TokenPlan>): Fault =>
  (scene) =>
    scene.call.token === undefined
      ? scene
      : { ...scene, call: { ...scene.call, token: { ...scene.call.token, ...changes } } };
const onLine =
  (condition: string): Fault =>
  (scene) => ({ ...scene, policy: scene.policy.replace(/\n$/, ` ${condition}\n`) });
const inConfig =
  (from: string, to: string): Fault =>
  (scene) => {
    if (!CONFIG.includes(from)) throw new Error(from);
    return { ...scene, config: scene.config.replace(from, to) };
  };
const header =
  (name: string, value: string): Fault =>
  (scene) => ({ ...scene, call: { ...scene.call, headers: [...scene.call.headers, [name, value]] } });

const FAULTS: Readonly<Record<string, Fault>> = {
  'small letters': inCall({ method: 'get' }),
  'empty segments': inCall({ path: '/orders//1' }),
  'a method override': header('x-http-method-override', 'PUT'),
  'an old certificate': inCall({
    leaf: { notBefore: new Date(Date.now() - 9 * MINUTE), notAfter: new Date(Date.now() - MINUTE) },
  }),
  'no own element': (scene) => inCall({ listener: { ...scene.call.listener, own: false } })(scene),
  'no certificate from Envoy': (scene) => inCall({ listener: { ...scene.call.listener, certificate: false } })(scene),
  'a forwarder for others': (scene) =>
    inConfig(
      'origins: [spiffe://prod.example/ns/shop/**]',
      'origins: [spiffe://prod.example/ns/ops/**]',
    )(inCall({ via: [GATEWAY] })(scene)),
  'another audience': inToken({ audience: 'payments' }),
  'an expired token': inToken({ age: 20 * MINUTE }),
  'a logout token': inToken({ type: 'logout+jwt' }),
  'a long life': inToken({ lifetime: 300 * MINUTE }),
  'no token': ({ call: { token: none, ...call }, ...scene }) => (void none, { ...scene, call }),
  'a presenter': inConfig('grants: ["**"] }', 'grants: ["**"], presenters: [spiffe://prod.example/ns/ops/*] }'),
  'another scope': (scene) => ({ ...scene, policy: scene.policy.replace('orders.read', 'orders.read+orders.write') }),
  'another caller': onLine('from=ns/ops/*'),
  'another way': onLine('via=ns/edge/sa/gateway'),
  'another host': onLine('host=orders.internal'),
  'another environment': onLine('env=staging'),
  'only bound tokens': onLine('bound'),
  'an upgrade': header('upgrade', 'websocket'),
  'a rule of the operator': inConfig('  scopes: scopes', '  scopes: scopes\n  guardrails: "* /** token from=ns/ops/*"'),
  'a foreign binding': inToken({ claims: { cnf: { 'x5t#S256': Buffer.alloc(32).toString('base64url') } } }),
  'a forged token': inToken({ signer: 'stranger' }),
};
const names = Object.keys(FAULTS);
const pairs = names.flatMap((first, index) => names.slice(index + 1).map((second) => [first, second] as const));
/** Spread over all of them, the same in every run. */
const triples = pairs.flatMap(([first, second], index) => {
  const third = names[(names.indexOf(second) + 1 + (index % 7)) % names.length] ?? '';
  return third === first || third === second || index % 6 > 0 ? [] : [[first, second, third] as const];
});

const withFaults = (faults: readonly string[]): Situation =>
  faults.reduce((scene, name) => (FAULTS[name] as Fault)(scene), situation);

async function tried(faults: readonly string[]) {
  const scene = withFaults(faults);
  const { story } = await judge(world, scene);
  const { remedy } = story;
  const proposals = remedy === undefined ? [] : [remedy, ...(remedy.further ?? [])];
  const changes = proposals.flatMap(({ change }): Change[] => (change === undefined ? [] : [change]));
  const after = await judge(
    world,
    changes.reduce((now, change) => applied(change, now), scene),
  );
  const reasons = [story.reason, ...(remedy?.further ?? []).map(({ reason }) => reason)];
  const { comesTo } = remedy ?? {};
  const supposing = comesTo?.kind === 'allowed' ? comesTo.supposing : [];
  return { story, comesTo: comesTo?.kind, supposing, reasons, changes, after: after.outcome };
}

describe('a request with several faults', () => {
  const counts = new Map<number, number>();

  it.each([...pairs, ...triples].map((faults) => [faults.join(', '), faults] as const))('%s', async (_, faults) => {
    const { story, comesTo, supposing, reasons, changes, after } = await tried(faults);
    counts.set(changes.length, (counts.get(changes.length) ?? 0) + 1);
    // Nothing was proposed for the first of them: then none should be.
    if (changes.length === 0) return expect(comesTo).toBeUndefined();
    // What nobody has seen may have a fault of its own.
    if (supposing.length > 0 && faults.includes('an old certificate')) return undefined;
    expect([comesTo, reasons]).toEqual([after.verdict.kind === 'allow' ? 'allowed' : 'refused', reasons]);
    if (comesTo === 'refused')
      expect(after.verdict.kind === 'deny' && story.remedy?.further?.at(-1)?.change).toBe(undefined);
    return undefined;
  });

  it('often needs two changes, and sometimes three', () => {
    expect(counts.get(2)).toBeGreaterThan(80);
    expect(counts.get(3)).toBeGreaterThan(15);
  });

  it('is told as one list, the decisive change first', async () => {
    const { story } = await judge(world, withFaults(['another audience', 'another scope', 'another caller']));
    const text = explainText(story, false);
    expect(text.slice(text.indexOf('remedy'), text.indexOf('versions')).split('\n')).toEqual([
      expect.stringMatching(/^remedy {6}the token is meant for another service/),
      expect.any(String),
      '            → token: aud orders',
      expect.stringMatching(/^and then {4}scope_missing: token has orders\.read; line 1 needs orders\.write/),
      expect.any(String),
      '            → token: scopes orders.read orders.write',
      expect.stringMatching(/^and then {4}caller_not_allowed: /),
      expect.any(String),
      '            → line 1 becomes: GET /orders/{id} orders.read+orders.write from=ns/ops/*,ns/shop/sa/frontend',
      '            decided again with all 3 changes: allow',
      '',
    ]);
  });

  it('says so where the last of them should not be changed', async () => {
    const { story } = await judge(world, withFaults(['another audience', 'a rule of the operator']));
    expect(story.remedy).toMatchObject({
      further: [{ reason: 'caller_not_allowed', text: expect.stringContaining("mesh operator's rule") }],
      comesTo: { kind: 'refused' },
    });
    expect(explainText(story, false)).toContain('decided again with what can be changed: still deny');
  });

  it('is not told to be allowed where its token is another workload’s', async () => {
    const stolen = inToken({ workload: BACKEND })(withFaults(['another audience']));
    const scene = {
      ...stolen,
      config: stolen.config.replace('grants: ["**"] }', 'grants: ["**"], identity: "{sub}" }'),
    };
    const { story } = await judge(world, scene);
    expect(story.remedy?.further).toMatchObject([{ reason: 'binding_mismatch', change: { kind: 'token' } }]);
  });
});
