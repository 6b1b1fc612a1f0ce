/** What the demo sends, in this order. Data: what must come of it is in expected.ts. */
import { row } from './row.js';
import type { Row, Section } from './row.js';

const ORDERS = 'spiffe://prod.example/ns/shop/sa/orders';
const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';
const THIEF = 'spiffe://prod.example/ns/shop/sa/thief';

export const SECTIONS: readonly Section[] = [
  {
    title: 'A token without a binding belongs to who presents it first',
    rows: [
      row('direct call', 'GET /orders/1', { token: 'unbound' }),
      row('the same again', 'GET /orders/1', { token: 'unbound' }),
      row('stolen unbound token', 'GET /orders/1', { token: 'unbound', as: 'thief' }),
      row('its owner goes on', 'GET /orders/1', { token: 'unbound' }),
    ],
  },
  {
    title: 'A token bound to the certificate of frontend',
    rows: [
      row('bound token', 'GET /orders/2', { token: 'bound' }),
      row('bound token through the gateway', 'GET /orders/2', { token: 'bound', to: 'gateway' }),
      row('stolen bound token', 'GET /orders/2', { token: 'bound', as: 'thief' }),
      row('stolen bound token through the gateway', 'GET /orders/2', { token: 'bound', as: 'thief', to: 'gateway' }),
      row('same workload, another certificate', 'GET /orders/2', { token: 'bound', as: 'frontendRotated' }),
    ],
  },
  {
    title: 'Who really called',
    rows: [
      row('forged history', 'GET /orders/2', { token: 'bound', as: 'thief', forgedBy: THIEF }),
      row('forged history on a workload line', 'GET /internal/stats', { as: 'thief', forgedBy: THIEF }),
      row('forged history at the gateway', 'GET /internal/stats', {
        as: 'thief',
        to: 'gateway',
        forgedBy: GATEWAY,
      }),
      row('workload line', 'GET /internal/stats', {}),
      row('workload line through the gateway', 'GET /internal/stats', { to: 'gateway' }),
      row('line for anyone', 'GET /status', { as: 'thief' }),
    ],
  },
  {
    title: 'What a token must be',
    rows: [
      row('no token', 'GET /orders/2', {}),
      row('missing scope', 'POST /orders', { token: 'unbound' }),
      row('expired token', 'GET /orders/2', { token: 'expired' }),
      row('token of another audience', 'GET /orders/2', { token: 'otherAudience' }),
      row('token signed by a stranger', 'GET /orders/2', { token: 'forged' }),
      row('more scopes than the issuer may grant', 'GET /orders/2', { token: 'overreaching' }),
      row('young token where age counts', 'POST /orders', { token: 'bound' }),
      row('old token where age counts', 'POST /orders', { token: 'old' }),
      row('token for one use', 'PUT /orders/3/refund', { token: 'once' }),
      row('the same token once more', 'PUT /orders/3/refund', { token: 'once' }),
      row('unbound token where binding is asked', 'PUT /orders/3/refund', { token: 'unboundWriter' }),
      row('bound directly', 'GET /audit/3', { token: 'bound' }),
      row('bound, but not directly', 'GET /audit/3', { token: 'bound', to: 'gateway' }),
      row('guardrail of the operator', 'DELETE /orders/2', { token: 'bound' }),
    ],
  },
  {
    title: 'Another trust domain',
    rows: [
      row('partner within its ceiling', 'GET /catalog/7', { token: 'partner', as: 'partner' }),
      row('partner above its data ceiling', 'GET /catalog/drafts', { token: 'partner', as: 'partner' }),
      row('partner above its scope ceiling', 'GET /prices/7', { token: 'partner', as: 'partner' }),
      row('partner that is not asked in', 'GET /orders/7', { token: 'partner', as: 'partner' }),
      row('partner through a gateway that may not speak for it', 'GET /catalog/7', {
        token: 'partner',
        as: 'partner',
        to: 'gateway',
      }),
      row("our name, signed by the partner's root", 'GET /orders/7', { token: 'unbound', as: 'crossSigned' }),
    ],
  },
  {
    title: 'The world outside',
    rows: [
      row('from outside, where the line lets it in', 'GET /catalog/8', {
        to: 'public',
        as: null,
        token: 'overreaching',
      }),
      row('from outside, elsewhere', 'GET /orders/8', { to: 'public', as: null, token: 'unbound' }),
      row('from outside, forged history', 'GET /orders/8', {
        to: 'public',
        as: null,
        token: 'bound',
        forgedBy: GATEWAY,
      }),
    ],
  },
  {
    title: 'Requests that could be read in two ways',
    rows: [
      row('undeclared route', 'GET /admin', { token: 'bound' }),
      row('path with ";"', 'GET /orders/1;x=1', { token: 'bound' }),
      row('path encoded twice', 'GET /orders/%252e%252e', { token: 'bound' }),
      row('path in other letters', 'GET /Orders/1', { token: 'bound' }),
      row('path with an encoded slash', 'GET /orders/1%2f..%2f2', { token: 'bound' }),
      row('path that Envoy makes plain', 'GET /catalog/../orders/./1', { token: 'bound' }),
      row('lower-case method', 'get /orders/1', { token: 'bound', protocol: 'http2' }),
      row('method override', 'GET /orders/1', { token: 'bound', headers: [['x-http-method-override', 'DELETE']] }),
      row('two tokens', 'GET /orders/1', { token: 'bound', headers: [['authorization', 'Bearer x.y.z']] }),
    ],
  },
  {
    title: 'gRPC',
    rows: [
      row('gRPC call', 'POST /shop.v1.Cart/Add', { token: 'bound', protocol: 'grpc' }),
      row('gRPC call without the scope', 'POST /shop.v1.Cart/Add', { token: 'unbound', protocol: 'grpc' }),
      row('gRPC call through the gateway', 'POST /shop.v1.Cart/Add', {
        token: 'bound',
        protocol: 'grpc',
        to: 'gateway',
      }),
    ],
  },
  {
    title: 'Headers that the workload may believe',
    rows: [
      row('claimed origin', 'GET /orders/1', { token: 'bound', headers: [['x-firsthand-origin', ORDERS]] }),
      row('claimed origin, line for anyone', 'GET /status', { headers: [['x-firsthand-origin', ORDERS]] }),
      row('claimed origin where nothing is checked', 'GET /healthz', { headers: [['x-firsthand-origin', ORDERS]] }),
    ],
  },
  {
    title: 'While everything runs',
    rows: [
      row('certificate of a few seconds', 'GET /orders/4', { token: 'shortLived', as: 'shortLived', kept: true }),
      row('it expired, the connection did not', 'GET /orders/4', {
        token: 'shortLived',
        as: 'shortLived',
        kept: true,
        whileStatus: 200,
      }),
      row('before the annotation is rewritten', 'GET /orders/1/history', { token: 'bound' }),
      row('a line that asks for more now', 'GET /orders/1/history', {
        token: 'bound',
        before: 'rewrite-annotations',
        whileStatus: 200,
      }),
      row('a line that was added', 'GET /orders/1/items', { token: 'bound' }),
    ],
  },
  {
    title: 'Revoked while everything runs',
    rows: [
      row('before its token is revoked', 'GET /orders/1', { token: 'unbound' }),
      row('token revoked live', 'GET /orders/1', { token: 'unbound', before: 'revoke-token', whileStatus: 200 }),
      row('another token of its workload', 'GET /orders/1', { token: 'bound' }),
      row('before the gateway is revoked', 'GET /orders/2', { token: 'bound', to: 'gateway' }),
      row('gateway revoked live', 'GET /orders/2', {
        token: 'bound',
        to: 'gateway',
        before: 'revoke-gateway',
        whileStatus: 200,
      }),
      row('the same call without the gateway', 'GET /orders/2', { token: 'bound' }),
      row('certificate revoked by serial', 'GET /orders/2', {
        token: 'bound',
        before: 'revoke-serial',
        whileStatus: 200,
      }),
      row('another certificate of its workload', 'GET /internal/stats', { as: 'frontendRotated' }),
    ],
  },
];

/** All of them, in their order. */
export const ROWS: readonly Row[] = SECTIONS.flatMap((section) => section.rows);
