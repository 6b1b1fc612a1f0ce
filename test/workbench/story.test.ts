import { beforeAll, describe, expect, it } from 'vitest';
import type { Story } from '../../src/workbench/story.js';
import { shown } from '../../src/workbench/shown.js';
import { denials } from './denials.js';
import { BACKEND, call, CONFIG, FRONTEND, GATEWAY, judge, makeWorld, PARTNER, situation, token } from './situation.js';
import type { Situation, World } from './situation.js';

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

const tell = async (scene: Situation): Promise<Story> => (await judge(world, scene)).story;
const statuses = (story: Story): string[] => story.steps.map(({ step, status }) => `${step} ${status}`);
const saw = (story: Story, step: string): readonly string[] =>
  story.steps.find((each) => each.step === step)?.saw ?? [];

describe('the story of a check', () => {
  it('names every step of an allow, with what it saw', async () => {
    const story = await tell({ ...situation, call: { ...call, via: [GATEWAY], path: '/orders/7?x=1' } });
    expect(story).toMatchObject({
      decision: 'allow',
      reason: 'allowed',
      rule: 1,
      line: 'GET /orders/{id} orders.read',
    });
    expect(story.remedy).toBeUndefined();
    expect(new Set(story.steps.map(({ status }) => status))).toEqual(new Set(['passed']));
    expect(saw(story, 'shape')).toEqual([
      'GET /orders/7 at orders.example',
      'path segments: "orders" "7"',
      'line 1: GET /orders/{id} orders.read',
    ]);
    expect(saw(story, 'peer')).toContain(`peer ${GATEWAY}`);
    expect(saw(story, 'peer').join('\n')).toMatch(
      /certificate sha256 [0-9a-f]{64}\nvalid for .+ more, until .*\nbundle of prod\.example: [0-9a-f]{12} \(1 root\)/,
    );
    expect(saw(story, 'origin')[0]).toBe('chain ns/shop/sa/frontend → ns/edge/sa/gateway → ns/shop/sa/orders');
    expect(saw(story, 'origin')[1]).toBe(`origin ${FRONTEND}, vouched for by ns/edge/sa/gateway`);
    expect(saw(story, 'credential')).toEqual([
      'issuer https://idp.prod.example, key key-ES256, audience orders',
      expect.stringMatching(/^its key is from \S+idp.json, changed \d+s ago$/),
      'scopes held: orders.read',
      '0s old, expires in 5m',
      expect.stringMatching(/^name [0-9a-f]{64}$/),
    ]);
    expect(saw(story, 'binding')[0]).toContain('(pin)');
    expect(saw(story, 'policy')).toEqual(['no ceiling', 'data label: restricted', 'line 1: orders.read holds']);
  });

  it('tells who acts for the subject, and that it is late, where a token says so', async () => {
    const act = { sub: 'agent', iss: 'https://a.example', act: { sub: 'bff' } };
    const sub = 'system:serviceaccount:shop:frontend';
    const details = { namespace: 'shop', serviceaccount: { name: 'frontend' }, warnafter: 1_000_000 };
    const claims = { sub, act, 'kubernetes.io': details };
    const config = CONFIG.replace('grants: ["**"] }', 'grants: ["**"], identity: kubernetes }');
    const story = await tell({ ...situation, config, call: { ...call, token: { ...token, claims } } });
    expect(saw(story, 'credential')).toContain(
      'acted for by agent of https://a.example, then bff; that grants nothing',
    );
    expect(saw(story, 'credential').join('\n')).toMatch(/should have been renewed .+ ago \(warnafter\)/);
  });

  it('says where it stopped, and does not speak of what it did not reach', async () => {
    const story = await tell({ ...situation, call: { ...call, token: { ...token, age: 3_600_000 } } });
    expect(statuses(story)).toEqual([
      'shape passed',
      'peer passed',
      'origin passed',
      'credential failed',
      'binding not reached',
      'state not reached',
      'policy not reached',
    ]);
    expect(saw(story, 'credential').join('\n')).toMatch(/what it says is not verified[^]*says it expires 55m ago/);
    expect(saw(story, 'binding')).toEqual([]);
  });

  it('skips what a line does not look at', async () => {
    const workload = await tell({ ...situation, policy: 'GET /orders/{id} workload\n' });
    expect(statuses(workload).slice(3, 5)).toEqual(['credential skipped', 'binding skipped']);
    const config = CONFIG.replace('  scopes: scopes', '  scopes: scopes\n  ownersMay: [anyone]');
    const anyone = await tell({ ...situation, config, policy: 'GET /orders/{id} anyone\n' });
    expect(statuses(anyone)).toEqual([
      'shape passed',
      'peer skipped',
      'origin skipped',
      'credential skipped',
      'binding skipped',
      'state skipped',
      'policy passed',
    ]);
    expect(anyone.reason).toBe('allowed_anyone');
  });

  it('tells which guardrail decided, and what it asked for', async () => {
    const config = CONFIG.replace('  scopes: scopes', '  scopes: scopes\n  guardrails: "GET /orders/** token age<=2m"');
    const scene = { ...situation, config, call: { ...call, token: { ...token, age: 180_000 } } };
    const story = await tell(scene);
    expect(story).toMatchObject({ reason: 'guardrail', guardrail: 1, rule: 1, line: 'GET /orders/** token age<=2m' });
    expect(saw(story, 'policy').join('\n')).toContain('guardrail 1: age<=2m does not hold');
  });

  it('tells ceilings, and scopes that the grants took away', async () => {
    const policy = 'GET /orders/{id} catalog.read data=public\n';
    const scene = {
      ...situation,
      policy,
      call: { ...call, as: PARTNER, token: { ...token, scopes: ['catalog.read'] } },
    };
    const story = await tell(scene);
    expect(saw(story, 'policy')).toContain('ceiling of partner.example: scopes catalog.* data public');
    const config = CONFIG.replace('grants: ["**"]', 'grants: ["orders.*"]');
    const cut = await tell({
      ...situation,
      config,
      call: { ...call, token: { ...token, scopes: ['orders.read', 'root'] } },
    });
    expect(saw(cut, 'credential')).toContain("taken away by the issuer's grants: root");
  });

  it('draws what stands left of the origin as claims', async () => {
    const forwarded = ([...elements]: string[]): string[] => [`By=${BACKEND};URI=spiffe://evil.example/x`, ...elements];
    const story = await tell({ ...situation, call: { ...call, via: [GATEWAY], forwarded } });
    expect(story.decision).toBe('allow');
    expect(saw(story, 'origin')).toContain('ignored history (claims of strangers): spiffe://evil.example/x');
  });

  it('tells in shadow mode what would have been denied, and how to end that', async () => {
    const config = CONFIG.replace('  scopes: scopes', '  scopes: scopes\n  mode: shadow');
    const story = await tell({ ...situation, config, policy: 'GET /orders/{id} orders.write\n' });
    expect(story).toMatchObject({ decision: 'allow', reason: 'allowed', shadow: 'scope_missing', failed: 'policy' });
    expect(story.remedy?.text).toContain('needs orders.write');
  });

  it('shows characters that hide or move text by their code points, and bounds them', async () => {
    const claims = { sub: `alice\u202Ebob\n${'x'.repeat(500)}` };
    const story = await tell({ ...situation, call: { ...call, token: { ...token, claims } } });
    const subject = saw(story, 'credential').find((fact) => fact.startsWith('subject')) ?? '';
    expect(subject).toContain('alice<U+202E>bob<U+000A>xxx');
    expect(subject.length).toBeLessThan(300);
    const odd = await tell({ ...situation, call: { ...call, path: '/orders/\u202E1', method: 'GE\u0007T' } });
    expect(JSON.stringify(odd)).toContain('<U+202E>');
    expect(JSON.stringify(odd)).toContain('GE<U+0007>T');
  });

  it('holds no token, no key, no query and no header value, whatever was denied', { timeout: 60_000 }, async () => {
    for (const { scene } of denials) {
      const target = scene.call.path.startsWith('/') ? `${scene.call.path}?q=canary-query` : scene.call.path;
      const headers = [...scene.call.headers, ['x-other', 'canary-header'], ['cookie', 'canary-cookie']] as const;
      const { story, attributes } = await judge(world, { ...scene, call: { ...scene.call, path: target, headers } });
      const text = JSON.stringify(story);
      expect(text).not.toMatch(/canary|-----BEGIN/);
      const carried = [
        ...(attributes?.headers.all('authorization') ?? []),
        ...(attributes?.headers.all('x-token') ?? []),
      ];
      for (const part of carried.flatMap((value) => value.split(/[ .]/)).filter((piece) => piece.length > 12))
        expect(text).not.toContain(part);
    }
  });
});

describe('texts that a story shows', () => {
  it('never hide a lone surrogate, a separator or an invisible letter', () => {
    expect(shown('a\uD800b\u2028c\u200Bd\u00A0e f')).toBe('a<U+D800>b<U+2028>c<U+200B>d<U+00A0>e f');
  });
});
