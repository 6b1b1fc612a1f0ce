/** What the owner of `orders` and the operator wrote. The demo's expectations are in expected.ts, not here. */
import type { Annotations } from './podinfo.js';

const lines = (history: string): string => `
# method  path                  scopes                conditions
GET       /orders/{id}          orders.read
POST      /orders               orders.write          age<=5m
DELETE    /orders/{id}          orders.admin
PUT       /orders/{id}/refund   orders.write          bound once
GET       /orders/{id}/history  ${history}
GET       /audit/{id}           orders.read           bound=direct fresh
GET       /catalog/**           catalog.read          data=public from=ns/**,spiffe://partner.example/**,outside@ns/edge/sa/gateway
GET       /catalog/drafts       catalog.read          data=internal from=ns/**,spiffe://partner.example/**
GET       /prices/{id}          prices.read           data=public from=ns/**,spiffe://partner.example/**
GRPC      shop.v1.Cart/Add      cart.write
GET       /internal/stats       workload              from=ns/shop/sa/frontend
GET       /status               anyone
`;

const annotations = (text: string): Annotations => ({
  'firsthand.dev/data': 'internal',
  'firsthand.dev/owner': 'team-shop',
  'firsthand.dev/scopes': text,
  'kubectl.kubernetes.io/default-container': 'orders',
});

export const FIRST_ANNOTATIONS = annotations(lines('orders.read'));

/** While everything runs: one line asks for another scope, and one is new. */
export const REWRITTEN_ANNOTATIONS = annotations(`${lines('history.read')}GET /orders/{id}/items orders.read\n`);

/** Whatever an owner writes: who deletes is an operator. */
export const GUARDRAILS = 'DELETE /** orders.admin from=ns/ops/**\n';
