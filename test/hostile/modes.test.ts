/** All legal pairs of `origin.peer` and `origin.xfcc`: whom each lets in, and the nearest that it must not. */
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DecodedAnswer } from '../wire/answers.js';
import { certField, checkRequest, elementOf, GUARD } from '../helpers/check-request.js';
import type { RequestFacts } from '../helpers/check-request.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { expectAllowed, expectDenied } from '../helpers/verdicts.js';
import { boundTo, CONFIG, FORWARDERS, GATEWAY, guardOf, id, makeWorld } from '../helpers/world.js';
import type { World } from '../helpers/world.js';

const PEERS = ['certificate', 'xfcc', 'principal'] as const;
const MODES = ['append-forward', 'sanitize-set', 'forward-only', 'ignore'] as const;
type Peer = (typeof PEERS)[number];
type Mode = (typeof MODES)[number];

const LINES = `
GET /orders/{id}  orders.read
GET /stats        workload
GET /door         token  from=outside@ns/edge/sa/gateway
`;

let world: World;
let between: TestCa;
let behindCa: TestSvid;
beforeAll(async () => {
  world = await makeWorld();
  between = await makeCa({ name: 'Between', parent: world.root });
  behindCa = await between.issue({ id: world.frontend.id });
});

type Call = (
  facts: Partial<RequestFacts> & { readonly forwarded?: string; readonly token?: string },
) => Promise<DecodedAnswer>;

/** A guard of one pair; a call is by the frontend, with whatever header a test gives. */
async function pair(peer: Peer, xfcc: Mode, config: object = {}): Promise<Call> {
  const guard = await guardOf(world, {
    lines: LINES,
    config: { origin: { forwarders: FORWARDERS, peer, xfcc }, ...config },
  });
  onTestFinished(() => guard.stop());
  const { id: principal, urlEncodedPem: certificate } = world.frontend;
  return ({ forwarded, token, headers = [], ...facts }) =>
    guard.check(
      checkRequest({
        ...{ path: '/stats', principal, certificate },
        ...facts,
        headers: [
          ...(forwarded === undefined ? [] : [['x-forwarded-client-cert', forwarded] as const]),
          ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]),
          ...headers,
        ],
      }),
    );
}

const as = ({ id: principal, urlEncodedPem: certificate }: TestSvid) => ({ principal, certificate });
const from = ({ metadata }: DecodedAnswer): unknown => metadata['origin'];

/** What the own element must say, and what it must not: the anchor. `extra` is what this pair needs besides. */
async function anchorHolds(call: Call, extra: string): Promise<void> {
  const { frontend, thief } = world;
  const { id: who, sha256 } = frontend;
  const own = (by: string, hash: string, uri: string): string => `${by}Hash=${hash};${extra}${uri}`;
  const By = `By=${GUARD};`;
  const right = own(By, sha256, `URI=${who}`);
  expectAllowed(await call({ forwarded: right }), 'allowed_workload');
  expectAllowed(await call({ forwarded: own('', sha256, `URI=${who}`) }), 'allowed_workload');
  for (const forwarded of [
    own(By, sha256, `URI=${thief.id}`),
    own(By, sha256, 'URI='),
    own(By, sha256, 'DNS=a.example'),
    own(By, sha256, `URI=${who};URI=${who}`),
    own(By, sha256, `URI=${who};URI=${thief.id}`),
    own(`By=${GATEWAY};`, sha256, `URI=${who}`),
    own(`By=${who};`, sha256, `URI=${who}`),
    own(`${By}By=${GATEWAY};`, sha256, `URI=${who}`),
    own(`${By}By=${GUARD};`, sha256, `URI=${who}`),
  ])
    expectDenied(await call({ forwarded }), 'xfcc_anchor');
  for (const absent of [{}, { forwarded: '' }]) expectDenied(await call(absent), 'xfcc_anchor');
  expectDenied(await call({ forwarded: right, destination: id('shop/sa/payments') }), 'xfcc_anchor');
  expectDenied(await call({ forwarded: `${right},` }), 'xfcc_malformed');
  const json = JSON.stringify([
    { by: [GUARD], hash: sha256, uri: [who], ...(extra === '' ? {} : { cert: frontend.pem }) },
  ]);
  expectAllowed(await call({ forwarded: json }), 'allowed_workload');
  expectDenied(await call({ forwarded: json.replace(who, thief.id) }), 'xfcc_anchor');
}

async function oneElementOnly(call: Call, own: string): Promise<void> {
  const older = elementOf(GATEWAY, world.batch);
  expectAllowed(await call({ forwarded: own }), 'allowed_workload');
  for (const forwarded of [`${older},${own}`, `${own},${own}`]) expectDenied(await call({ forwarded }), 'xfcc_anchor');
}

async function walksBehind(call: Call, element: (about: TestSvid) => string): Promise<void> {
  const { frontend, gateway } = world;
  const forwarded = `${elementOf(GATEWAY, frontend)},${element(gateway)}`;
  const answer = await call({ ...as(gateway), forwarded });
  expectAllowed(answer, 'allowed_workload');
  expect(from(answer)).toBe(frontend.id);
  expectDenied(await call({ ...as(gateway), forwarded: element(gateway) }), 'origin_unresolved');
}

const bare = (about: TestSvid): string => elementOf(GUARD, about);
const withCert = (about: TestSvid): string => elementOf(GUARD, about, certField(about));

describe('peer: certificate', () => {
  test('append-forward ties the own element to the certificate, and walks what stands behind', async () => {
    const call = await pair('certificate', 'append-forward');
    await anchorHolds(call, '');
    const wrongHash = elementOf(GUARD, { ...world.frontend, sha256: world.thief.sha256 });
    expectDenied(await call({ forwarded: wrongHash }), 'xfcc_anchor');
    expectDenied(await call({ forwarded: `By=${GUARD};URI=${world.frontend.id}` }), 'xfcc_anchor');
    await walksBehind(call, bare);
  });

  test('append-forward with a workload that is configured holds By against it', async () => {
    const other = id('shop/sa/payments');
    const call = await pair('certificate', 'append-forward', { workload: other });
    expectDenied(await call({ forwarded: bare(world.frontend) }), 'xfcc_anchor');
    const forwarded = elementOf(other, world.frontend);
    expectAllowed(await call({ forwarded, destination: other }), 'allowed_workload');
    expectDenied(await call({ forwarded }), 'xfcc_anchor');
  });

  test('sanitize-set takes exactly one element', async () => {
    const call = await pair('certificate', 'sanitize-set');
    await anchorHolds(call, '');
    await oneElementOnly(call, bare(world.frontend));
    expectDenied(await call({ ...as(world.gateway), forwarded: bare(world.gateway) }), 'origin_unresolved');
  });

  test('forward-only reads what a forwarder wrote, and from nobody else', async () => {
    const { frontend, batch, gateway } = world;
    const call = await pair('certificate', 'forward-only');
    for (const forwarded of [undefined, elementOf(GATEWAY, batch), bare(batch), 'no element']) {
      const answer = await call(forwarded === undefined ? {} : { forwarded });
      expectAllowed(answer, 'allowed_workload');
      expect(from(answer)).toBe(frontend.id);
    }
    const through = (forwarded?: string) => call({ ...as(gateway), ...(forwarded !== undefined && { forwarded }) });
    const answer = await through(elementOf(GATEWAY, frontend));
    expectAllowed(answer, 'allowed_workload');
    expect(from(answer)).toBe(frontend.id);
    expectDenied(await through(bare(frontend)), 'chain_broken');
    expectDenied(await through(`${elementOf(GATEWAY, frontend)},${bare(gateway)}`), 'chain_broken');
    expectDenied(await through(`Hash=${frontend.sha256};URI=${frontend.id}`), 'chain_broken');
    expectDenied(await through(), 'origin_unresolved');
    expectDenied(await through('no element'), 'xfcc_malformed');
  });

  test('ignore reads no element at all', async () => {
    const { frontend, batch, gateway } = world;
    const call = await pair('certificate', 'ignore');
    for (const forwarded of [undefined, bare(batch), 'no element', '['.repeat(1000)]) {
      const answer = await call(forwarded === undefined ? {} : { forwarded });
      expectAllowed(answer, 'allowed_workload');
      expect(from(answer)).toBe(frontend.id);
    }
    expectDenied(await call({ ...as(gateway), forwarded: elementOf(GATEWAY, frontend) }), 'origin_unresolved');
  });

  test('takes intermediates from the Chain of the own element, and not where elements are not its own', async () => {
    const chain = `Chain="${encodeURIComponent(behindCa.chainPem)}";`;
    const forwarded = elementOf(GUARD, behindCa, chain);
    for (const mode of ['append-forward', 'sanitize-set'] as const) {
      const call = await pair('certificate', mode);
      expectAllowed(await call({ ...as(behindCa), forwarded }), 'allowed_workload');
      expectDenied(await call({ ...as(behindCa), forwarded: bare(behindCa) }), 'peer_untrusted');
    }
    for (const mode of ['forward-only', 'ignore'] as const) {
      const call = await pair('certificate', mode);
      expectDenied(await call({ ...as(behindCa), forwarded }), 'peer_untrusted');
    }
  });
});

describe('peer: xfcc', () => {
  const fromElement =
    (call: Call): Call =>
    (facts) =>
      call({ certificate: '', ...facts });

  test.each(['append-forward', 'sanitize-set'] as const)('%s verifies the Cert of the own element', async (mode) => {
    const call = fromElement(await pair('xfcc', mode));
    const { frontend, thief, rogue } = world;
    await anchorHolds(call, certField(frontend));
    expectDenied(await call({ forwarded: bare(frontend) }), 'peer_unauthenticated');
    expectDenied(await call({ principal: '', forwarded: withCert(frontend) }), 'peer_unauthenticated');
    expectDenied(await call({ forwarded: elementOf(GUARD, frontend, certField(thief)) }), 'peer_certificate_invalid');
    const otherHash = elementOf(GUARD, { ...frontend, sha256: thief.sha256 }, certField(frontend));
    expectDenied(await call({ forwarded: otherHash }), 'xfcc_anchor');
    const noHash = `By=${GUARD};${certField(frontend)}URI=${frontend.id}`;
    expectDenied(await call({ forwarded: noHash }), 'xfcc_anchor');
    const forged = await rogue.issue({ id: frontend.id });
    expectDenied(await call({ forwarded: withCert(forged) }), 'peer_untrusted');
    const expired = await world.svid('shop/sa/frontend', { notAfter: new Date(Date.now() - 1000) });
    expectDenied(await call({ forwarded: withCert(expired) }), 'peer_expired');
    expectDenied(await call({ principal: thief.id, forwarded: withCert(frontend) }), 'peer_certificate_invalid');
    const twice = `By=${GUARD};Hash=${frontend.sha256};Cert="${frontend.urlEncodedPem.repeat(2)}";URI=${frontend.id}`;
    expectDenied(await call({ forwarded: twice }), 'peer_certificate_invalid');
  });

  test('never falls back on source.certificate', async () => {
    const call = await pair('xfcc', 'append-forward');
    expectDenied(await call({ forwarded: bare(world.frontend) }), 'peer_unauthenticated');
    expectDenied(await call({}), 'xfcc_anchor');
    expectAllowed(await call({ forwarded: withCert(world.frontend) }), 'allowed_workload');
  });

  test('takes intermediates from Chain', async () => {
    const call = fromElement(await pair('xfcc', 'append-forward'));
    const chain = `Chain="${encodeURIComponent(behindCa.chainPem)}";`;
    const both = elementOf(GUARD, behindCa, certField(behindCa) + chain);
    expectAllowed(await call({ forwarded: both }), 'allowed_workload');
    expectDenied(await call({ forwarded: withCert(behindCa) }), 'peer_untrusted');
    const cert = behindCa.pem;
    const json = { by: [GUARD], hash: behindCa.sha256, cert, chain: behindCa.chainPem, uri: [behindCa.id] };
    expectAllowed(await call({ forwarded: JSON.stringify([json]) }), 'allowed_workload');
  });

  test('append-forward walks what stands behind, sanitize-set takes exactly one element', async () => {
    await walksBehind(fromElement(await pair('xfcc', 'append-forward')), withCert);
    await oneElementOnly(fromElement(await pair('xfcc', 'sanitize-set')), withCert(world.frontend));
  });
});

describe('peer: principal', () => {
  const byName =
    (call: Call): Call =>
    (facts) =>
      call({ certificate: '', ...facts });

  test.each(['append-forward', 'sanitize-set'] as const)(
    '%s takes the principal of the own trust domain',
    async (mode) => {
      const call = byName(await pair('principal', mode));
      const { frontend, reporter } = world;
      await anchorHolds(call, '');
      expectDenied(await call({ principal: '', forwarded: bare(frontend) }), 'peer_unauthenticated');
      expectDenied(await call({ principal: reporter.id, forwarded: bare(reporter) }), 'peer_untrusted');
      expectDenied(await call({ forwarded: `By=${GUARD};URI=${frontend.id}` }), 'xfcc_anchor');
      for (const principal of ['frontend.example', 'CN=frontend', 'spiffe://prod.example', `${frontend.id},x`])
        expectDenied(await call({ principal, forwarded: bare(frontend) }), 'peer_certificate_invalid');
      const dns = `By=${GUARD};Hash=${frontend.sha256};URI=;DNS=${frontend.id}`;
      expectDenied(await call({ forwarded: dns }), 'xfcc_anchor');
    },
  );

  test('says in each record that the peer was not verified', async () => {
    const guard = await guardOf(world, { lines: LINES, config: { origin: { peer: 'principal' } } });
    const { id: principal } = world.frontend;
    const headers = [['x-forwarded-client-cert', bare(world.frontend)]] as const;
    const answer = await guard.check(checkRequest({ path: '/stats', principal, headers }));
    expectAllowed(answer, 'allowed_workload');
    expect(await guard.record(answer.metadata['id'])).toMatchObject({ peer_not_verified: true });
    await guard.stop();
  });

  test('binds to the Hash of the own element', async () => {
    const call = byName(await pair('principal', 'append-forward'));
    const { frontend, thief } = world;
    const token = await world.token(boundTo(frontend));
    const facts = { path: '/orders/1', token };
    expectAllowed(await call({ ...facts, forwarded: bare(frontend) }));
    const other = elementOf(GUARD, { ...frontend, sha256: thief.sha256 });
    expectDenied(await call({ ...facts, forwarded: other }), 'binding_mismatch');
  });

  test('append-forward walks what stands behind, sanitize-set takes exactly one element', async () => {
    await walksBehind(byName(await pair('principal', 'append-forward')), bare);
    await oneElementOnly(byName(await pair('principal', 'sanitize-set')), bare(world.frontend));
  });

  test('knows no trust domain of its own where nobody says who is guarded', async () => {
    const call = byName(await pair('principal', 'append-forward'));
    const forwarded = `Hash=${world.frontend.sha256};URI=${world.frontend.id}`;
    expectDenied(await call({ forwarded, destination: '' }), 'peer_untrusted');
    expectAllowed(await call({ forwarded }), 'allowed_workload');
  });
});

describe('outside', () => {
  test('comes in where the line names the forwarder, and its token needs no presenter', async () => {
    const tokens = [{ ...CONFIG.tokens[0], binding: 'none' }];
    const call = await pair('certificate', 'append-forward', { tokens });
    const { gateway, inner } = world;
    const token = await world.token();
    const door = { path: '/door', token };
    const answer = await call({ ...door, ...as(gateway), forwarded: bare(gateway) });
    expectAllowed(answer);
    expect(from(answer)).toBeUndefined();
    expect(answer.metadata['chain']).toEqual([gateway.id, GUARD]);
    expectDenied(await call({ ...door, ...as(inner), forwarded: bare(inner) }), 'origin_unresolved');
    expectDenied(
      await call({ ...as(gateway), forwarded: bare(gateway), token, path: '/orders/1' }),
      'origin_unresolved',
    );
    expectDenied(await call({ ...door, forwarded: bare(world.frontend) }), 'caller_not_allowed');
  });

  test.each(['strongest', 'exact', 'window', 'identity', 'pin'])('can not satisfy the binding %s', async (binding) => {
    const tokens = [{ ...CONFIG.tokens[0], binding, identity: '{sub}' }];
    const call = await pair('certificate', 'append-forward', { tokens });
    const { gateway } = world;
    const facts = { path: '/door', ...as(gateway), forwarded: bare(gateway) };
    expectDenied(await call({ ...facts, token: await world.token() }), 'binding_unavailable');
  });
});

describe('a pair outside of the table', () => {
  const legal = new Set([
    ...MODES.map((mode) => `certificate ${mode}`),
    ...['xfcc', 'principal'].flatMap((peer) => [`${peer} append-forward`, `${peer} sanitize-set`]),
  ]);
  const all = PEERS.flatMap((peer) => MODES.map((mode) => [peer, mode] as const));

  test.each(all.filter(([peer, mode]) => !legal.has(`${peer} ${mode}`)))(
    '%s with %s is refused at load',
    async (peer, xfcc) => {
      await expect(guardOf(world, { config: { origin: { peer, xfcc } } })).rejects.toThrow('origin.xfcc');
    },
  );

  test('is all that is not tested above', () => {
    expect(all.length - legal.size).toBe(4);
  });
});
