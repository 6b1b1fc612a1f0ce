/**
 * Attempts to be somebody else: forged chains, borrowed forwarders, certificates that look right. Each with the honest call
 * that it imitates. Bytes over a socket, one guard for all of them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DecodedAnswer } from '../wire/answers.js';
import { callFrom, certField, checkRequest, elementOf, GUARD } from '../helpers/check-request.js';
import type { Guard } from '../helpers/guard.js';
import { makeCa } from '../helpers/pki.js';
import type { TestSvid } from '../helpers/pki.js';
import { expectAllowed, expectDenied } from '../helpers/verdicts.js';
import { callThrough, GATEWAY, guardOf, id, INNER, makeWorld, NARROW } from '../helpers/world.js';
import type { World } from '../helpers/world.js';

const LINES = `
GET /orders/{id}  workload  from=ns/shop/sa/frontend
GET /batch        workload  from=ns/shop/sa/batch
GET /any          workload
`;
const DOOR = id('edge/sa/door');

let world: World;
let guard: Guard;
beforeAll(async () => {
  world = await makeWorld();
  const forwarders = [
    { id: GATEWAY, origins: ['spiffe://prod.example/**'] },
    { id: INNER, origins: ['spiffe://prod.example/**'], behind: [GATEWAY] },
    { id: NARROW, origins: ['spiffe://prod.example/ns/shop/sa/batch'] },
    { id: DOOR, origins: ['spiffe://prod.example/ns/shop/sa/batch'], behind: [GATEWAY] },
  ];
  guard = await guardOf(world, { lines: LINES, config: { origin: { forwarders } } });
});
afterAll(() => guard.stop());

const send = (bytes: Buffer): Promise<DecodedAnswer> => guard.check(bytes);
const through = (...hops: TestSvid[]): Promise<DecodedAnswer> => send(callThrough({ hops }));
/** An element that anybody can write. */
const claim = (by: string, who: Pick<TestSvid, 'id' | 'sha256'>): string => elementOf(by, who);

describe('a workload that writes elements of its own', () => {
  test('is itself, whatever it puts in front when it calls directly', async () => {
    const { frontend, thief, gateway } = world;
    expectAllowed(await through(frontend), 'allowed_workload');
    for (const behind of [
      [claim(GATEWAY, frontend)],
      [claim(thief.id, frontend)],
      [claim(GUARD, frontend)],
      [claim(GATEWAY, frontend), claim(GUARD, gateway)],
      [claim(GATEWAY, frontend), claim(INNER, gateway), claim(thief.id, world.inner)],
    ]) {
      const answer = await send(callFrom({ peer: thief, behind, path: '/orders/1' }));
      expectDenied(answer, 'caller_not_allowed');
      expect(answer.metadata).toMatchObject({ origin: thief.id, chain: [thief.id, GUARD] });
    }
  });

  test('is itself behind a gateway that appends: what stands left of it is history', async () => {
    const { frontend, thief, gateway } = world;
    expectAllowed(await through(frontend, gateway), 'allowed_workload');
    const behind = [claim(GATEWAY, frontend), claim(GATEWAY, thief)];
    const answer = await send(callFrom({ peer: gateway, behind, path: '/orders/1' }));
    expectDenied(answer, 'caller_not_allowed');
    expect(answer.metadata).toMatchObject({ origin: thief.id, chain: [thief.id, GATEWAY, GUARD] });
    const record = await guard.record(answer.metadata['id']);
    expect(record.ignored_history).toEqual([frontend.id]);
  });

  test('changes nothing for an honest caller either', async () => {
    const { frontend, thief, gateway } = world;
    for (const left of [
      claim(GATEWAY, thief),
      claim(thief.id, thief),
      claim(INNER, gateway),
      'URI=https://x.example/a',
    ]) {
      const answer = await send(
        callFrom({ peer: gateway, behind: [left, claim(GATEWAY, frontend)], path: '/orders/1' }),
      );
      expectAllowed(answer, 'allowed_workload');
      expect(answer.metadata['origin']).toBe(frontend.id);
    }
  });

  test('cannot hide the own element, nor bring a second one', async () => {
    const { frontend, thief } = world;
    const own = claim(GUARD, frontend);
    expectDenied(await send(callFrom({ peer: thief, own, path: '/orders/1' })), 'xfcc_anchor');
    expectDenied(
      await send(callFrom({ peer: thief, own: `${claim(GUARD, thief)},${own}`, path: '/orders/1' })),
      'xfcc_anchor',
    );
    expectDenied(
      await send(callFrom({ peer: thief, own: `${claim(GUARD, thief)};URI=${frontend.id}`, path: '/orders/1' })),
      'xfcc_anchor',
    );
    expectAllowed(await send(callFrom({ peer: thief, own: claim(GUARD, thief), path: '/any' })), 'allowed_workload');
  });
});

describe('a forwarder', () => {
  test('speaks for those it is listed for, and for nobody else', async () => {
    const { frontend, batch, narrow } = world;
    expectAllowed(await send(callThrough({ hops: [batch, narrow], path: '/batch' })), 'allowed_workload');
    expectDenied(await through(frontend, narrow), 'forwarder_not_allowed');
  });

  test('that is narrow cannot borrow a wide one that it says stands behind it', async () => {
    const { frontend, batch, gateway, inner, narrow } = world;
    expectDenied(await through(frontend, gateway, narrow), 'forwarder_not_allowed');
    expectDenied(await send(callThrough({ hops: [batch, gateway, narrow], path: '/batch' })), 'forwarder_not_allowed');
    expectAllowed(await through(frontend, gateway, inner), 'allowed_workload');
  });

  test('that may have a wide one behind it still speaks only for its own origins', async () => {
    const { frontend, batch, gateway } = world;
    const door = await world.svid('edge/sa/door');
    expectDenied(await through(frontend, gateway, door), 'forwarder_not_allowed');
    expectAllowed(await send(callThrough({ hops: [batch, gateway, door], path: '/batch' })), 'allowed_workload');
  });

  test('stands behind another only in the listed order, and not behind itself', async () => {
    const { frontend, gateway, inner } = world;
    expectAllowed(await through(frontend, gateway, inner), 'allowed_workload');
    expectDenied(await through(frontend, inner, gateway), 'forwarder_not_allowed');
    expectDenied(await through(frontend, gateway, gateway), 'forwarder_not_allowed');
  });

  test('names its caller by exactly one SPIFFE ID, in the element that it wrote itself', async () => {
    const { frontend, thief, gateway } = world;
    const hash = `Hash=${frontend.sha256}`;
    for (const element of [
      `By=${GUARD};${hash};URI=${frontend.id}`,
      `By=${INNER};${hash};URI=${frontend.id}`,
      `By=${GATEWAY};By=${INNER};${hash};URI=${frontend.id}`,
      `By=${GATEWAY.toUpperCase()};${hash};URI=${frontend.id}`,
      `${hash};URI=${frontend.id}`,
      `By=${GATEWAY};${hash}`,
      `By=${GATEWAY};${hash};URI=`,
      `By=${GATEWAY};${hash};URI=${frontend.id};URI=${thief.id}`,
      `By=${GATEWAY};${hash};URI=https://prod.example/ns/shop/sa/frontend`,
      `By=${GATEWAY};${hash};URI=spiffe://prod.example`,
      `By=${GATEWAY};${hash};URI=${frontend.id}/`,
      `By=${GATEWAY};${hash};URI=spiffe://prod.example/ns/shop/../shop/sa/frontend`,
      `By=${GATEWAY};${hash};URI=SPIFFE://prod.example/ns/shop/sa/frontend`,
      `By=${GATEWAY};${hash};URI=${frontend.id}?x`,
      `By=${GATEWAY};${hash};DNS=${frontend.id}`,
      `By=${GATEWAY};${hash};Subject="CN=x;URI=${frontend.id}"`,
    ])
      expectDenied(await send(callFrom({ peer: gateway, behind: [element], path: '/orders/1' })), 'chain_broken');
    const honest = `By=${GATEWAY};${hash};Subject="CN=x;URI=${thief.id}";URI=${frontend.id};DNS=${thief.id}`;
    expectAllowed(await send(callFrom({ peer: gateway, behind: [honest], path: '/orders/1' })), 'allowed_workload');
  });

  test('that passes a certificate on passes the right one', async () => {
    const { frontend, thief, gateway, rogue, svid } = { ...world, svid: world.svid };
    const forged = await rogue.issue({ id: frontend.id });
    const expired = await svid('shop/sa/frontend', { notAfter: new Date(Date.now() - 1000) });
    const with_ = (about: TestSvid, cert: TestSvid): Promise<DecodedAnswer> =>
      send(callFrom({ peer: gateway, behind: [elementOf(GATEWAY, about, certField(cert))], path: '/orders/1' }));
    expectAllowed(await with_(frontend, frontend), 'allowed_workload');
    expectDenied(await with_(frontend, thief), 'origin_certificate_invalid');
    expectDenied(await with_({ ...frontend, sha256: thief.sha256 }, frontend), 'origin_certificate_invalid');
    expectDenied(await with_({ ...frontend, sha256: thief.sha256 }, thief), 'origin_certificate_invalid');
    expectDenied(await with_(forged, forged), 'origin_certificate_invalid');
    expectDenied(await with_(expired, expired), 'origin_certificate_invalid');
  });
});

describe('separators', () => {
  test('inside quotes are text: they end no field and begin no element', async () => {
    const { frontend, thief } = world;
    const subjects = [
      `x,By=${GUARD}`,
      `x;URI=${frontend.id}`,
      String.raw`a\",By=${GUARD};URI=${frontend.id},b`,
      String.raw`a\\`,
      '=;,=',
      '',
    ];
    for (const subject of subjects) {
      const own = `By=${GUARD};Hash=${thief.sha256};Subject="${subject}";URI=${thief.id}`;
      const answer = await send(callFrom({ peer: thief, own, path: '/orders/1' }));
      expectDenied(answer, 'caller_not_allowed');
      expect(answer.metadata['origin']).toBe(thief.id);
    }
  });

  test('outside of quotes end what stands before them, so that a forged name is another name or none', async () => {
    const { frontend, thief, gateway } = world;
    const inject = async (uri: string): Promise<DecodedAnswer> =>
      send(callFrom({ peer: gateway, behind: [`By=${GATEWAY};Hash=${thief.sha256};URI=${uri}`], path: '/orders/1' }));
    expectDenied(await inject(`${thief.id};URI=${frontend.id}`), 'chain_broken');
    expectDenied(await inject(`${frontend.id};By=${GATEWAY}`), 'chain_broken');
    expectDenied(await inject(`${frontend.id},`), 'xfcc_malformed');
    expectDenied(await inject(`${thief.id}=x`), 'xfcc_malformed');
    expectDenied(await inject(`${thief.id}"`), 'xfcc_malformed');
    expectDenied(await inject(thief.id), 'caller_not_allowed');
  });
});

describe('a certificate that looks right', () => {
  const direct = async (svid: TestSvid, principal = svid.id): Promise<DecodedAnswer> =>
    send(
      checkRequest({
        path: '/orders/1',
        principal,
        certificate: svid.urlEncodedPem,
        headers: [['x-forwarded-client-cert', elementOf(GUARD, { id: principal, sha256: svid.sha256 })]],
      }),
    );

  test('is refused where it has no URI name, and its DNS name reads like a SPIFFE ID', async () => {
    const { frontend } = world;
    expectDenied(
      await direct(await world.svid('shop/sa/frontend', { uris: [], dns: [frontend.id] })),
      'peer_certificate_invalid',
    );
    expectAllowed(await direct(await world.svid('shop/sa/frontend', { dns: [world.thief.id] })), 'allowed_workload');
  });

  test('is refused where its URI name holds more than one name', async () => {
    const { frontend, thief } = world;
    for (const uri of [
      `${thief.id},By=${GUARD};Hash=${frontend.sha256};URI=${frontend.id}`,
      `${thief.id};URI=${frontend.id}`,
      `${frontend.id}#x`,
      `${frontend.id}?x`,
      `${frontend.id}%2Fadmin`,
      'spiffe://prod.example',
      'spiffe://prod.example/',
      'spiffe://PROD.example/ns/shop/sa/frontend',
    ]) {
      const svid = await world.svid('shop/sa/frontend', { uris: [uri] });
      expectDenied(await direct(svid, uri), 'peer_certificate_invalid');
    }
    expectAllowed(await direct(frontend), 'allowed_workload');
  });

  test('is refused where an authority of the same name, or of another domain, signed it', async () => {
    const { frontend, reporter, partner, root, rogue } = world;
    expectDenied(await direct(await rogue.issue({ id: frontend.id })), 'peer_untrusted');
    expectDenied(await direct(await partner.issue({ id: frontend.id })), 'peer_untrusted');
    expectDenied(await direct(await root.issue({ id: reporter.id })), 'peer_untrusted');
    expectAllowed(await direct(await root.issue({ id: frontend.id })), 'allowed_workload');
  });

  test('is refused where the chain that it brings ends in a root that it brings too', async () => {
    const { frontend, rogue, root } = world;
    const own = (svid: TestSvid, chain: string): string =>
      elementOf(GUARD, svid, `Chain="${encodeURIComponent(svid.pem + chain)}";`);
    const bring = (svid: TestSvid, chain: string): Promise<DecodedAnswer> =>
      send(callFrom({ peer: svid, own: own(svid, chain), path: '/orders/1' }));
    const rogueBetween = await makeCa({ name: 'Between', parent: rogue });
    const between = await makeCa({ name: 'Between', parent: root });
    const forged = await rogueBetween.issue({ id: frontend.id });
    expectDenied(await bring(forged, rogueBetween.certificate + rogue.certificate), 'peer_untrusted');
    const honest = await between.issue({ id: frontend.id });
    expectAllowed(await bring(honest, between.certificate), 'allowed_workload');
    expectDenied(await bring(honest, rogueBetween.certificate), 'peer_untrusted');
    const workload = await world.svid('shop/sa/frontend');
    const leafAsCa = await makeCa({
      name: 'x',
      subject: 'O=SPIRE, C=US',
      key: workload.key,
      isCa: false,
      parent: root,
    });
    expectDenied(await bring(await leafAsCa.issue({ id: frontend.id }), leafAsCa.certificate), 'peer_untrusted');
  });

  test('is refused where the principal is another one', async () => {
    const { frontend, thief } = world;
    expectDenied(await direct(thief, frontend.id), 'peer_certificate_invalid');
    expectAllowed(await direct(frontend, frontend.id), 'allowed_workload');
  });

  test('is refused where it is an authority itself', async () => {
    const svid = await world.svid('shop/sa/frontend', { isCa: true });
    expectDenied(await direct(svid), 'peer_certificate_invalid');
  });
});
