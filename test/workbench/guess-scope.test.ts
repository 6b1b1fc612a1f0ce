import { describe, expect, it } from 'vitest';
import { readScopes } from '../../src/policy/scopes.js';
import { guessGrpcScope, guessScope } from '../../src/workbench/guess-scope.js';

describe('a guessed scope', () => {
  it.each([
    ['GET', '/orders/{id}', 'orders.read'],
    ['HEAD', '/v1/orders', 'orders.read'],
    ['POST', '/api/v2beta1/orders', 'orders.write'],
    ['DELETE', '/orders/{id}', 'orders.delete'],
    ['POST', '/orders/{id}/refunds', 'orders.refunds.write'],
    ['PATCH', '/a/b/c/d', 'a.b.c.write'],
    ['GET', '/', 'service.read'],
    ['GET', '/{tenant}/**', 'service.read'],
    ['GET', '/%2A/Caf%C3%A9', 'caf.read'],
  ])('of %s %s is %s', (method, path, scope) => {
    expect(guessScope(method, path)).toBe(scope);
    expect(readScopes(scope).ok).toBe(true);
  });

  it.each([
    ['shop.v1.CartService', 'GetCart', 'cart.read'],
    ['shop.v1.Cart', 'Get', 'cart.read'],
    ['shop.v1.Cart', 'Getaway', 'cart.write'],
    ['Cart', 'DeleteItem', 'cart.delete'],
    ['shop.v1.OrderHistoryAPI', 'ListOrders', 'order-history.read'],
    ['shop.Service', 'Do', 'service.write'],
  ])('of %s/%s is %s', (service, method, scope) => {
    expect(guessGrpcScope(service, method)).toBe(scope);
  });
});
