/** Invariant 9: no record holds a secret, whatever the stages wrote into their explanations. */
import { describe, expect, it } from 'vitest';
import { decisionRecord, answerMetadata } from '../../src/audit/record.js';
import { requestFacts } from '../../src/audit/request-facts.js';
import { eventRecord } from '../../src/audit/events.js';
import * as make from './outcomes.js';

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const CANARY = 'canary7Qx9';
const TOKEN = `${b64({ alg: 'ES256', kid: CANARY })}.${b64({ sub: 'user-1', secret: CANARY })}.${b64(CANARY)}`;
const PEM = `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----\n`;
const HEADERS: [string, string][] = [
  ['authorization', `Bearer ${TOKEN}`],
  ['cookie', `session=${CANARY}`],
  ['x-api-key', CANARY],
  ['x-forwarded-client-cert', `Hash=${CANARY};Cert="${encodeURIComponent(PEM)}"`],
];
const DETAILS: [string, string][] = [
  ['the token', `unexpected token ${TOKEN} in header`],
  ['the token with its scheme', `authorization is "Bearer ${TOKEN}"`],
  ['another token', `got ${b64({ alg: 'none' })}.${b64({ a: CANARY })}.`],
  [
    'a token that begins with white space',
    `got ${Buffer.from('{ "alg":"ES256"}').toString('base64url')}.${b64({ a: CANARY })}`,
  ],
  ['the payload alone', `can not parse ${TOKEN.split('.')[1] ?? ''}`],
  ['a PEM key', `bad key ${PEM}`],
  ['an encoded PEM key', `bad key ${encodeURIComponent(PEM)}`],
  ['an unfinished PEM key', `bad key ${PEM.slice(0, 45)}`],
  ['a header', `the header x-api-key is ${CANARY}`],
  ['a whole cookie', `cookie: session=${CANARY}`],
  ['a query value', `the query has ${CANARY}`],
  ['a decoded query value', `the query has ${CANARY} ${CANARY}`],
];

const READ = make.line(3, { kind: 'all', scopes: ['orders.read'] });
const request = requestFacts(
  make.attributes(
    { path: `/orders/1?key=${CANARY}&b=${CANARY}%20${CANARY}`, host: `user:${CANARY}@orders.svc`, certificate: PEM },
    HEADERS,
  ),
);
const presented = make.presented(TOKEN, { sub: 'user-1', secret: CANARY });

function shown(detail: string): string {
  const findings = { route: make.route(READ), presented, origin: make.throughGateway };
  const outcome = make.outcome(make.deny('token_malformed', detail, CANARY), findings);
  const record = decisionRecord(outcome, request, { path: 'raw', environment: 'prod' }, 1);
  return JSON.stringify([record, answerMetadata(outcome)]);
}

function expectNoSecret(written: string): void {
  expect(written).not.toContain(CANARY);
  for (const part of TOKEN.split('.')) expect(written).not.toContain(part);
}

describe('a canary in every secret part of a request', () => {
  it.each(DETAILS)('stays out of the record when the explanation quotes %s', (_, detail) => {
    const written = shown(detail);
    expectNoSecret(written);
    expect(written).toContain('user-1');
  });

  it('stays out when it lies behind the end of what is scanned', () => {
    expectNoSecret(shown(`${'x'.repeat(16 * 1024 - 20)}${TOKEN}${PEM}`));
  });

  it('stays out of records where the token verified, with its other claims', () => {
    const token = { ...make.token, claims: { secret: CANARY }, kid: CANARY };
    const allowed = make.outcome(make.allow(READ), { route: make.route(READ), presented, token });
    expectNoSecret(JSON.stringify(decisionRecord(allowed, request, { path: 'raw', environment: null }, 1)));
  });

  it('stays out where a token stands in a shown field', () => {
    const odd = requestFacts(
      make.attributes({ path: `/magic/${TOKEN}`, method: TOKEN, host: TOKEN }, [['x-request-id', TOKEN]]),
    );
    const denied = make.outcome(make.deny('route_undeclared', ''), {
      presented: make.presented('a.b.c', { sub: TOKEN, iss: PEM }),
    });
    expectNoSecret(JSON.stringify(decisionRecord(denied, odd, { path: 'raw', environment: null }, 1)));
  });

  it('stays out of events', () => {
    expectNoSecret(JSON.stringify(eventRecord('keys_changed', { detail: `bad ${PEM} ${TOKEN}`, added: [TOKEN] }, 0)));
  });
});

describe('an explanation without secrets', () => {
  it.each([
    'the token has no "kid"; expected one of k1, k2',
    'no line matches GET /orders/1',
    'the peer spiffe://prod.example/ns/edge/sa/gateway is not trusted by the framework of prod.example',
  ])('stays as it is: %s', (detail) => expect(shown(detail)).toContain(JSON.stringify(detail).slice(1, -1)));
});
