/**
 * Headers that two readers could read differently: credentials that come twice, in every form that the protocol has for it;
 * names that an application may take for ours; overrides; line breaks in whatever may end up in an answer.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callFrom, elementOf, GUARD } from '../helpers/check-request.js';
import type { Guard } from '../helpers/guard.js';
import { expectAllowed, expectDenied, reasonOf } from '../helpers/verdicts.js';
import { callThrough, guardOf, ISSUER, makeWorld, SECOND_ISSUER } from '../helpers/world.js';
import type { World } from '../helpers/world.js';
import { field, headerMap, mapEntry, rawHeader, textHeader } from '../wire/bytes.js';

const LINES = `
GET  /orders/{id}     orders.read
GET  /live            orders.read  upgrade
GRPC shop.v1.Cart/Add orders.write
GRPC shop.v1.Cart/Get anyone
`;
const CONFIG = {
  tokens: [
    { ...ISSUER, grants: ['**'] },
    {
      issuer: SECOND_ISSUER,
      keys: 'second.json',
      audiences: ['orders'],
      grants: ['**'],
      from: 'header:x-token',
      forward: false,
    },
  ],
};

let world: World;
let guard: Guard;
beforeAll(async () => {
  world = await makeWorld();
  guard = await guardOf(world, { lines: LINES, config: CONFIG });
});
afterAll(() => guard.stop());

type Line = readonly [name: string, value: string];

/** GET /orders/1 by the frontend, with header fields put together by hand. */
function withFields(...http: readonly Buffer[]): Buffer {
  const { id, urlEncodedPem } = world.frontend;
  const source = field(1, field(4, id), field(5, urlEncodedPem));
  const line = [field(2, 'GET'), field(4, '/orders/1'), field(5, 'orders.example')];
  return field(1, source, field(2, field(4, GUARD)), field(4, field(2, ...line, ...http)));
}
const listOf = (...lines: readonly Line[]): Buffer =>
  withFields(headerMap(...lines.map(([key, value]) => rawHeader(key, value))));
const mapOf = (...lines: readonly Line[]): Buffer => withFields(...lines.map(([key, value]) => mapEntry(key, value)));

/** A good value of each header that may come once only. */
async function goodLines(place: 'authorization' | 'x-token'): Promise<{ xfcc: Line; token: Line }> {
  const token =
    place === 'authorization' ? `Bearer ${await world.token()}` : await world.second.sign({ scope: 'orders.read' });
  return { xfcc: ['x-forwarded-client-cert', elementOf(GUARD, world.frontend)], token: [place, token] };
}

describe.each(['authorization', 'x-token'] as const)('a token in %s', (place) => {
  test('counts in either encoding, and whatever the case of the name', async () => {
    const { xfcc, token } = await goodLines(place);
    const loud: Line = [place.toUpperCase(), token[1]];
    for (const lines of [
      [xfcc, token],
      [token, xfcc],
      [xfcc, loud],
    ] as const) {
      expectAllowed(await guard.check(listOf(...lines)));
      expectAllowed(await guard.check(mapOf(...lines)));
    }
    const text = withFields(headerMap(...[xfcc, token].map(([key, value]) => textHeader(key, value))));
    expectAllowed(await guard.check(text));
  });

  test('is refused when it comes twice, in every form', async () => {
    const { xfcc, token } = await goodLines(place);
    const [, value] = token;
    const loud: Line = [place.toUpperCase(), value];
    const both = [xfcc, token].map(([key, text]) => mapEntry(key, text));
    for (const bytes of [
      listOf(xfcc, token, token),
      listOf(token, xfcc, token),
      listOf(xfcc, token, loud),
      listOf(xfcc, token, [place, '']),
      listOf(xfcc, [place, `${value},${value}`]),
      listOf(xfcc, [place, `${value}, Basic eA==`]),
      listOf(xfcc, [place, `,${value}`]),
      listOf(xfcc, [place, `${value},`]),
      mapOf(xfcc, token, token),
      mapOf(xfcc, token, loud),
      mapOf(xfcc, [place, `${value},${value}`]),
      withFields(...both, headerMap(rawHeader(...token))),
      withFields(...both, headerMap(rawHeader('x-other', '1'))),
      withFields(headerMap(rawHeader(...xfcc), field(1, field(1, place), field(2, value), field(3, value)))),
    ])
      expectDenied(await guard.check(bytes), 'header_ambiguous');
    expectAllowed(await guard.check(listOf(xfcc, token)));
  });

  test('is not found under a name that only looks like it', async () => {
    const { xfcc, token } = await goodLines(place);
    for (const name of [place.replace('-', '_'), `${place}x`, `proxy-${place}`, `x-${place}`].filter(
      (n) => n !== place,
    ))
      expectDenied(await guard.check(listOf(xfcc, [name, token[1]])), 'token_missing');
  });
});

describe('x-forwarded-client-cert', () => {
  test('is refused when it comes in several lines, in every form', async () => {
    const { xfcc, token } = await goodLines('authorization');
    const loud: Line = ['X-Forwarded-Client-Cert', xfcc[1]];
    const both = [xfcc, token].map(([key, text]) => mapEntry(key, text));
    for (const bytes of [
      listOf(xfcc, xfcc, token),
      listOf(xfcc, loud, token),
      listOf(['x-forwarded-client-cert', ''], xfcc, token),
      mapOf(xfcc, xfcc, token),
      mapOf(xfcc, loud, token),
      withFields(...both, headerMap(rawHeader(...xfcc))),
    ])
      expectDenied(await guard.check(bytes), 'header_ambiguous');
    expectAllowed(await guard.check(listOf(xfcc, token)));
  });

  test('is not found under a name that only looks like it', async () => {
    const { xfcc, token } = await goodLines('authorization');
    for (const name of ['x_forwarded_client_cert', 'x-forwarded_client-cert', 'forwarded-client-cert'])
      expectDenied(await guard.check(listOf([name, xfcc[1]], token)), 'xfcc_anchor');
    const beside: Line = ['x_forwarded_client_cert', elementOf(GUARD, world.thief)];
    const answer = await guard.check(listOf(beside, xfcc, token));
    expectAllowed(answer);
    expect(answer.metadata['origin']).toBe(world.frontend.id);
  });
});

describe('a header that looks like ours', () => {
  test('is removed on an allow, in each spelling that an application could take for it', async () => {
    const { xfcc, token } = await goodLines('authorization');
    const forged = world.thief.id;
    const names = [
      'x-firsthand-origin',
      'X-Firsthand-Peer',
      'x_firsthand_origin',
      'x-firsthand_peer',
      'X_FIRSTHAND-DECISION',
      'x-firsthand-decision',
    ];
    const answer = await guard.check(listOf(xfcc, token, ...names.map((name): Line => [name, forged])));
    expectAllowed(answer);
    const headers = new Map(answer.headers);
    expect(headers.get('x-firsthand-origin')).toBe(world.frontend.id);
    for (const name of names.map((each) => each.toLowerCase()))
      expect([name, headers.has(name), answer.removed.includes(name)]).toEqual([
        name,
        !name.includes('_'),
        name.includes('_'),
      ]);
  });

  test('is removed where there is no value of our own', async () => {
    const bytes = callThrough({
      hops: [world.frontend],
      path: '/shop.v1.Cart/Get',
      headers: [
        ['x-firsthand-origin', world.thief.id],
        ['x_firsthand_peer', world.thief.id],
      ],
    });
    const answer = await guard.check(bytes);
    expectAllowed(answer, 'allowed_anyone');
    expect(answer.headers.map(([name]) => name)).toEqual(['x-firsthand-decision']);
    expect([...answer.removed].sort()).toEqual(
      ['x-firsthand-origin', 'x-firsthand-peer', 'x-token', 'x_firsthand_peer'].sort(),
    );
  });

  test('is left alone where it is another one', async () => {
    const { xfcc, token } = await goodLines('authorization');
    const answer = await guard.check(listOf(xfcc, token, ['x-firsthand-origin-hint', 'x'], ['firsthand-origin', 'x']));
    expectAllowed(answer);
    expect(answer.removed).toEqual([]);
  });

  test('is a place of tokens with an odd name: it is removed all the same where forward is off', async () => {
    const odd = { ...ISSUER, from: "header:x.token!#$%&'*+^`|~", forward: false };
    const own = await guardOf(world, { lines: LINES, config: { tokens: [odd] } });
    const answer = await own.check(
      callThrough({ hops: [world.frontend], headers: [["x.token!#$%&'*+^`|~", await world.token()]] }),
    );
    expectAllowed(answer);
    expect(answer.removed).toContain("x.token!#$%&'*+^`|~");
    await own.stop();
  });
});

describe('a header by which an application may see another method or path', () => {
  const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-url', 'x-rewrite-url'];
  const spellings = overrides.flatMap((name) => [
    name,
    name.toUpperCase(),
    name.replaceAll('-', '_'),
    name.replace('-', '_'),
  ]);

  test.each(spellings)('%s is refused', async (name) => {
    const token = await world.token();
    for (const value of ['DELETE', '', '/admin'])
      expectDenied(
        await guard.check(callThrough({ hops: [world.frontend], token, headers: [[name, value]] })),
        'header_ambiguous',
      );
    const bytes = callThrough({ hops: [world.frontend], token, headers: [[`${name}-of-mine`, 'DELETE']] });
    expectAllowed(await guard.check(bytes));
  });

  test('passes where the operator lets it, under that very name', async () => {
    const request = { allowHeaders: ['x-http-method-override'] };
    const own = await guardOf(world, { lines: LINES, config: { request } });
    const token = await world.token();
    const call = (name: string) => own.check(callThrough({ hops: [world.frontend], token, headers: [[name, 'GET']] }));
    expectAllowed(await call('x-http-method-override'));
    expectDenied(await call('x_http_method_override'), 'header_ambiguous');
    expectDenied(await call('x-http-method'), 'header_ambiguous');
    await own.stop();
  });
});

describe('a host', () => {
  test('that comes twice is refused', async () => {
    const token = await world.token();
    const call = (host: string) => guard.check(callThrough({ hops: [world.frontend], token, host }));
    expectDenied(await call('orders.example,evil.example'), 'header_ambiguous');
    expectAllowed(await call('orders.example'));
  });
});

describe('a line for gRPC', () => {
  const types = [
    'application/grpc',
    'application/grpc+proto',
    'application/grpc-web',
    'application/grpc-web+proto',
    'application/grpc-web-text',
    'APPLICATION/GRPC',
    'application/json',
    'application/connect+json',
    'application/proto',
    'text/plain',
    undefined,
  ];
  const call = async (type: string | undefined, method: string, scope: string, path = '/shop.v1.Cart/Add') =>
    guard.check(
      callThrough({
        hops: [world.frontend],
        path,
        method,
        token: await world.token({ scope }),
        headers: type === undefined ? [] : [['content-type', type]],
      }),
    );

  test.each(types)('guards its path also for the content type %s, whatever the method', async (type) => {
    for (const method of ['POST', 'GET', 'OPTIONS', 'PUT']) {
      expectAllowed(await call(type, method, 'orders.write'));
      const denied = await call(type, method, 'orders.read');
      expectDenied(denied, 'scope_missing');
      const isText = type?.toLowerCase().startsWith('application/grpc') === true;
      expect(denied.body.startsWith('{')).toBe(!isText);
    }
  });

  test.each(['/shop.v1.cart/Add', '/shop.v1.Cart/add', '/Shop.v1.Cart/Add'])(
    'does not take %s for it',
    async (path) => {
      expectDenied(await call('application/grpc', 'POST', 'orders.write', path), 'path_ambiguous');
    },
  );
});

describe('a line break', () => {
  const BREAK = '\r\nx-injected: 1\r\n\r\n';
  const CONTROL = /[\x00-\x1f\x7f]/;
  let talkative: Guard;
  beforeAll(async () => {
    talkative = await guardOf(world, { lines: LINES, config: { ...CONFIG, denials: { detail: 'hint' } } });
  });
  afterAll(() => talkative.stop());

  const noBreakIn = async (bytes: Buffer): Promise<unknown> => {
    const answer = await talkative.check(bytes);
    for (const [name, value] of answer.headers) expect([name, CONTROL.test(name + value)]).toEqual([name, false]);
    for (const name of answer.removed) expect(name).not.toMatch(CONTROL);
    if (answer.headers.some(([name, value]) => name === 'content-type' && value === 'text/plain'))
      expect(answer.body).not.toMatch(CONTROL);
    await talkative.record(answer.metadata['id']);
    return reasonOf(answer);
  };

  test('in a claim of a verified token reaches no header and no text', async () => {
    const grpc = {
      path: '/shop.v1.Cart/Add',
      method: 'POST',
      headers: [['content-type', 'application/grpc']] as const,
    };
    const cases: Record<string, unknown>[] = [
      { scope: `orders.read${BREAK}` },
      { scope: ['orders.read', `x${BREAK}`] },
      { scope: ['x', `orders.read\n`] },
      { jti: `a${BREAK}` },
      { sub: `user${BREAK}` },
      { txn: `t${BREAK}` },
      { iss: `https://idp.prod.example${BREAK}` },
      { aud: `orders${BREAK}` },
    ];
    for (const claims of cases) {
      const token = await world.token(claims);
      await noBreakIn(callThrough({ hops: [world.frontend], token }));
      await noBreakIn(callThrough({ hops: [world.frontend], token, ...grpc }));
    }
    for (const header of [{ kid: `k${BREAK}` }, { typ: `JWT${BREAK}` }])
      await noBreakIn(callThrough({ hops: [world.frontend], token: await world.token({}, header), ...grpc }));
  });

  test('in anything else of the request reaches none either', async () => {
    const token = await world.token();
    const { frontend } = world;
    const call = { hops: [frontend], token };
    expect(await noBreakIn(callThrough({ ...call, path: `/orders/1${BREAK}` }))).toBe('path_ambiguous');
    expect(await noBreakIn(callThrough({ ...call, method: `GET${BREAK}` }))).toBe('request_malformed');
    expect(await noBreakIn(callThrough({ ...call, host: `orders.example${BREAK}` }))).toBeDefined();
    expect(await noBreakIn(callThrough({ ...call, token: `${token}${BREAK}` }))).toBe('token_malformed');
    expect(await noBreakIn(callThrough({ ...call, headers: [['x-other', BREAK]] }))).toBe('allowed');
    expect(await noBreakIn(callThrough({ ...call, headers: [[`x-firsthand-origin${BREAK}`, '']] }))).toBe(
      'request_malformed',
    );
    expect(await noBreakIn(callThrough({ ...call, headers: [['x-request-id', BREAK]] }))).toBe('allowed');
    const own = `${elementOf(GUARD, frontend)}${BREAK}`;
    expect(await noBreakIn(callFrom({ peer: frontend, own, path: '/orders/1' }))).toBe('xfcc_malformed');
    const peer = { ...frontend, id: `${frontend.id}${BREAK}` };
    expect(await noBreakIn(callFrom({ peer, path: '/orders/1' }))).toBe('peer_certificate_invalid');
    expect(await noBreakIn(callFrom({ peer: frontend, destination: `${GUARD}${BREAK}`, path: '/orders/1' }))).toBe(
      'xfcc_malformed',
    );
  });
});
