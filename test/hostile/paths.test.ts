/** Paths that two parsers could read differently, each beside the spelling that both read alike. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callThrough, guardOf, makeWorld } from '../helpers/world.js';
import type { World } from '../helpers/world.js';
import type { Guard } from '../helpers/guard.js';
import { expectAllowed, expectDenied } from '../helpers/verdicts.js';

const LINES = `
GET /                  workload
GET /orders            workload
GET /orders/{id}       workload
GET /orders/{id}/items workload
GET /files/**          workload
GET /Admin             workload
`;

let world: World;
let guard: Guard;
beforeAll(async () => {
  world = await makeWorld();
  guard = await guardOf(world, { lines: LINES });
});
afterAll(() => guard.stop());

const call = (path: string, method = 'GET') => guard.check(callThrough({ hops: [world.frontend], path, method }));

/** Ambiguous → the nearest spelling that is not. */
const SPELLINGS: readonly (readonly [bad: string, good: string])[] = [
  ['orders', '/orders'],
  ['', '/'],
  ['*', '/'],
  ['?x', '/?x'],
  ['http://orders.example/orders', '/orders'],
  ['//', '/'],
  ['//orders', '/orders'],
  ['/orders//', '/orders/'],
  ['/orders//1', '/orders/1'],
  ['/orders/1//items', '/orders/1/items'],
  ['/.', '/'],
  ['/..', '/'],
  ['/./orders', '/orders'],
  ['/orders/.', '/orders/.x'],
  ['/orders/..', '/orders/..x'],
  ['/orders/../orders/1', '/orders/1'],
  ['/orders/./1', '/orders/1'],
  ['/orders/1/..', '/orders/1...'],
  ['/files/..;/Admin', '/files/Admin'],
  ['/files/..;x=1/Admin', '/files/Admin?x=1'],
  ['/orders/1;v=2', '/orders/1?v=2'],
  ['/orders;/1', '/orders/1'],
  ['/orders\\1', '/orders/1'],
  ['/orders/..\\x', '/orders/x'],
  ['/orders#1', '/orders'],
  ['/orders/%23', '/orders/%24'],
  ['/orders/%2e', '/orders/%2d'],
  ['/orders/%2E%2E', '/orders/%2D%2D'],
  ['/orders/.%2e', '/orders/.%2d'],
  ['/orders/x%2ejson', '/orders/x.json'],
  ['/orders/1%2fitems', '/orders/1/items'],
  ['/orders/1%2Fitems', '/orders/1%20items'],
  ['/orders/1%5citems', '/orders/1%20items'],
  ['/orders/1%3bv', '/orders/1%20v'],
  ['/orders/1%3fv', '/orders/1?v'],
  ['/orders/%252e', '/orders/2e'],
  ['/orders/1%25', '/orders/1%24'],
  ['/orders/%00', '/orders/%20'],
  ['/orders/1%0d%0ax', '/orders/1%20x'],
  ['/orders/1%7f', '/orders/1%7e'],
  ['/orders/%c2%85', '/orders/%c3%a9'],
  ['/orders/%', '/orders/p'],
  ['/orders/%4', '/orders/%41'],
  ['/orders/%zz', '/orders/zz'],
  ['/orders/%u0041', '/orders/u0041'],
  ['/orders/%c0%af', '/orders/%c3%af'],
  ['/orders/%ff', '/orders/%c3%bf'],
  ['/orders/%ed%a0%80', '/orders/%ed%9f%bf'],
  ['/orders/%f0%9f%98', '/orders/%f0%9f%98%80'],
  ['/orders/é', '/orders/%C3%A9'],
  ['/orders/1 2', '/orders/1%202'],
  ['/orders/1\t', '/orders/1'],
  ['/orders/1\r\nx: y', '/orders/1'],
  ['/orders/\u0000', '/orders/0'],
  ['/Orders', '/orders'],
  ['/ORDERS/1', '/orders/1'],
  ['/orders/1/Items', '/orders/1/items'],
  ['/%4frders', '/%6frders'],
  ['/admin', '/Admin'],
  ['/%61dmin', '/%41dmin'],
];

describe('a path', () => {
  test.each(SPELLINGS)('%j is ambiguous, %j is not', async (bad, good) => {
    expectDenied(await call(bad), 'path_ambiguous');
    expectAllowed(await call(good), 'allowed_workload');
  });

  test('has at least 40 of them here', () => {
    expect(SPELLINGS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(SPELLINGS.map(([bad]) => bad)).size).toBe(SPELLINGS.length);
  });

  test('is looked at before anything else, so that no line and no caller changes the reason', async () => {
    const answer = await guard.check(callThrough({ hops: [world.reporter], path: '/unknown/../x' }));
    expectDenied(answer, 'path_ambiguous');
    expectDenied(await call('/unknown'), 'route_undeclared');
  });

  test('is not the query: whatever stands there selects no other line', async () => {
    for (const query of ['?', '?/../Admin', '?a=%2e%2e%2f', '?#', '?\\;', '?x=%zz'])
      expectAllowed(await call(`/orders/1${query}`), 'allowed_workload');
  });
});

describe('a method', () => {
  test.each(['get', 'Get', 'GET ', ' GET', 'GET\r\n', 'G\u0000ET', 'GЕT', '', 'GET,POST', 'M-SEARCH', 'GET/orders'])(
    '%j is refused as malformed',
    async (method) => {
      expectDenied(await call('/orders', method), 'request_malformed');
    },
  );

  test('that no line names is undeclared', async () => {
    expectDenied(await call('/orders', 'HEAD'), 'route_undeclared');
    expectAllowed(await call('/orders', 'GET'), 'allowed_workload');
  });
});
