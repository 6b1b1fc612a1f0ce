/**
 * Each reason, from the bytes of a CheckRequest that came over a socket; and beside it the nearest request (or state)
 * that is allowed. The audit record says the same, once.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { REASONS } from '../../src/model/reasons.js';
import type { AllowReason, DenyReason } from '../../src/model/reasons.js';
import { callFrom, certField, checkRequest, elementOf, GUARD } from '../helpers/check-request.js';
import type { Guard } from '../helpers/guard.js';
import { serveBroken } from '../helpers/parts.js';
import type { TestSvid } from '../helpers/pki.js';
import { unsigned, withSignature } from '../helpers/tokens.js';
import { expectAllowed, expectDenied, expectRecorded, STATUS } from '../helpers/verdicts.js';
import {
  boundTo,
  callThrough,
  CONFIG,
  FORWARDERS,
  GATEWAY,
  guardOf,
  ISSUER,
  LINES,
  makeWorld,
  movableClock,
  SECOND_ISSUER,
} from '../helpers/world.js';
import type { CaseOptions, ChainFacts, MovableClock, World } from '../helpers/world.js';

interface Row extends Omit<CaseOptions, 'now'> {
  readonly reason: DenyReason;
  /** What is wrong. */
  readonly name: string;
  readonly deny: Make;
  readonly allow: Make;
  /** Default: deny. Reasons that need something to have happened say allow. */
  readonly first?: 'allow';
  readonly between?: (guard: Guard, clock: MovableClock) => Promise<void> | void;
  readonly allowed?: AllowReason;
  /** The denied call's own. */
  readonly deadline?: (clock: MovableClock) => number;
}
type Make = (world: World) => Buffer | Promise<Buffer>;

const MINUTE = 60_000;
const seconds = (): number => Math.floor(Date.now() / 1000);

/** GET /orders/1 by the frontend, unless it says otherwise; the claims are those of its token. */
type OrderFacts = Partial<Omit<ChainFacts, 'hops' | 'token'>> & {
  readonly by?: (world: World) => TestSvid | Promise<TestSvid>;
  readonly claims?: Record<string, unknown> | ((world: World) => Record<string, unknown>);
  readonly header?: Record<string, unknown>;
  readonly token?: (token: string) => string | undefined;
};
const order =
  ({
    by = (world) => world.frontend,
    claims = {},
    header = {},
    token = (text) => text,
    ...facts
  }: OrderFacts = {}): Make =>
  async (world) => {
    const signed = await world.token(typeof claims === 'function' ? claims(world) : claims, header);
    return callThrough({ hops: [await by(world)], token: token(signed), ...facts });
  };

/** Exactly the same bytes for both calls: only the state differs. */
function same(make: Make): Pick<Row, 'deny' | 'allow'> {
  let bytes: Promise<Buffer> | undefined;
  const once: Make = (world) => (bytes ??= Promise.resolve(make(world)));
  return { deny: once, allow: once };
}

const through =
  (...names: ('frontend' | 'batch' | 'gateway' | 'inner' | 'narrow')[]): Make =>
  async (world) =>
    callThrough({ hops: names.map((name) => world[name]), token: await world.token() });

const issuer = (changes: object): CaseOptions => ({ config: { tokens: [{ ...ISSUER, ...changes }] } });

/** A revocation that comes after the first call. */
const revoked =
  (line: Record<string, unknown>) =>
  async (guard: Guard): Promise<void> => {
    guard.write('revoked.ndjson', `${JSON.stringify({ at: '2026-01-01T00:00:00Z', ...line })}\n`);
    await guard.reload();
  };

/** A file that goes bad and stays bad for longer than policy.maxLastGood. */
const wornOut =
  (file: string) =>
  async (guard: Guard, clock: MovableClock): Promise<void> => {
    guard.write(file, 'not what it was');
    await guard.reload();
    clock.advance(2 * MINUTE);
    await guard.reload();
  };
const SHORT_MEMORY = { config: { policy: { ...CONFIG.policy, maxLastGood: '1m' } } };

const SHAPE: readonly Row[] = [
  {
    reason: 'request_malformed',
    name: 'bytes that are no CheckRequest',
    deny: () => Buffer.from('no protobuf'),
    allow: order(),
  },
  { reason: 'request_malformed', name: 'an empty message', deny: () => Buffer.alloc(0), allow: order() },
  {
    reason: 'request_malformed',
    name: 'a method in lower case',
    deny: order({ method: 'get' }),
    allow: order({ method: 'GET' }),
  },
  { reason: 'path_ambiguous', name: 'a dot segment', deny: order({ path: '/orders/../orders/1' }), allow: order() },
  { reason: 'path_ambiguous', name: 'another case', deny: order({ path: '/Orders/1' }), allow: order() },
  {
    reason: 'header_ambiguous',
    name: 'a second authorization line',
    deny: order({ headers: [['authorization', 'Basic eA==']] }),
    allow: order({ headers: [['x-authorization', 'Basic eA==']] }),
  },
  {
    reason: 'header_ambiguous',
    name: 'a method override',
    deny: order({ headers: [['x-http-method-override', 'DELETE']] }),
    allow: order({ headers: [['x-http-method-overrider', 'DELETE']] }),
  },
  {
    reason: 'xfcc_malformed',
    name: 'an element without an end of its quote',
    deny: async (world) =>
      callFrom({ peer: world.frontend, path: '/orders/1', behind: ['Subject="x'], token: await world.token() }),
    allow: async (world) =>
      callFrom({ peer: world.frontend, path: '/orders/1', behind: ['Subject="x"'], token: await world.token() }),
  },
  {
    reason: 'limit_exceeded',
    name: '17 elements',
    deny: async (world) => elements(world, 17),
    allow: async (world) => elements(world, 16),
  },
  {
    reason: 'limit_exceeded',
    name: 'a header line of more than 64 KiB',
    deny: order({ headers: [['x-pad', 'p'.repeat(64 * 1024 - 4)]] }),
    allow: order({ headers: [['x-pad', 'p'.repeat(64 * 1024 - 5)]] }),
  },
  {
    reason: 'limit_exceeded',
    name: 'an x-forwarded-client-cert of more than 64 KiB',
    deny: async (world) => longForwarded(world, 64 * 1024 + 1),
    allow: async (world) => longForwarded(world, 64 * 1024 - 'x-forwarded-client-cert'.length),
  },
  {
    reason: 'limit_exceeded',
    name: 'a token of more than 16 KiB',
    deny: order({ claims: { pad: 'p'.repeat(12_100) } }),
    allow: order({ claims: { pad: 'p'.repeat(11_800) } }),
  },
  {
    reason: 'limit_exceeded',
    name: 'a CheckRequest of more than 1 MiB',
    deny: async (world) => ofSize(await order()(world), 1024 * 1024 + 1),
    allow: async (world) => ofSize(await order()(world), 1024 * 1024),
  },
];

async function elements(world: World, count: number): Promise<Buffer> {
  const behind = Array.from({ length: count - 1 }, () => elementOf(GATEWAY, world.batch));
  return callFrom({ peer: world.frontend, path: '/orders/1', behind, token: await world.token() });
}

async function longForwarded(world: World, length: number): Promise<Buffer> {
  const own = elementOf(GUARD, world.frontend);
  const padding = (size: number): string => `Subject="${'p'.repeat(size)}"`;
  const behind = [padding(length - own.length - 1 - padding(0).length)];
  return callFrom({ peer: world.frontend, path: '/orders/1', behind, token: await world.token() });
}

/** With a field behind it that nobody asked for: number 1000, of bytes. */
function ofSize(bytes: Buffer, size: number): Buffer {
  const pad = size - bytes.length - 6;
  const length = [(pad & 0x7f) | 0x80, ((pad >> 7) & 0x7f) | 0x80, ((pad >> 14) & 0x7f) | 0x80, pad >> 21];
  return Buffer.concat([bytes, Buffer.from([0xc2, 0x3e, ...length]), Buffer.alloc(pad)]);
}

const PEER: readonly Row[] = [
  {
    reason: 'peer_unauthenticated',
    name: 'no client certificate',
    deny: () => checkRequest({ path: '/orders/1' }),
    allow: order(),
  },
  {
    reason: 'peer_unauthenticated',
    name: 'a principal without its certificate',
    deny: ({ frontend }) => checkRequest({ path: '/orders/1', principal: frontend.id }),
    allow: order(),
  },
  {
    reason: 'peer_certificate_invalid',
    name: 'a principal that is not the certificate',
    deny: ({ frontend, batch }) =>
      checkRequest({ path: '/orders/1', principal: batch.id, certificate: frontend.urlEncodedPem }),
    allow: order(),
  },
  {
    reason: 'peer_certificate_invalid',
    name: 'two URI names',
    deny: order({ by: (world) => world.svid('shop/sa/frontend', { uris: [world.frontend.id, world.batch.id] }) }),
    allow: order({ by: (world) => world.svid('shop/sa/frontend', { uris: [world.frontend.id] }) }),
  },
  {
    reason: 'peer_untrusted',
    name: 'another authority of the same name',
    deny: order({ by: ({ rogue, frontend }) => rogue.issue({ id: frontend.id }) }),
    allow: order({ by: ({ root, frontend }) => root.issue({ id: frontend.id }) }),
  },
  {
    reason: 'peer_untrusted',
    name: 'a trust domain that nobody configured',
    deny: order({ by: ({ root }) => root.issue({ id: 'spiffe://elsewhere.example/ns/shop/sa/frontend' }) }),
    allow: order(),
  },
  {
    reason: 'peer_expired',
    name: 'a certificate that ended a second ago',
    deny: order({ by: (world) => world.svid('shop/sa/frontend', { notAfter: new Date(Date.now() - 1000) }) }),
    allow: order({ by: (world) => world.svid('shop/sa/frontend', { notAfter: new Date(Date.now() + MINUTE) }) }),
  },
  {
    reason: 'peer_expired',
    name: 'a certificate that begins in a minute',
    deny: order({ by: (world) => world.svid('shop/sa/frontend', { notBefore: new Date(Date.now() + MINUTE) }) }),
    allow: order({ by: (world) => world.svid('shop/sa/frontend', { notBefore: new Date(Date.now() - MINUTE) }) }),
  },
  {
    reason: 'peer_lifetime_excess',
    name: 'a certificate that lives two hours where one is the most',
    config: { trust: { 'prod.example': { bundle: 'prod.pem', maxCertificateLifetime: '1h' } } },
    deny: order(),
    allow: order({
      by: (world) =>
        world.svid('shop/sa/frontend', {
          notBefore: new Date(Date.now() - 1000),
          notAfter: new Date(Date.now() + 30 * MINUTE),
        }),
    }),
  },
  {
    reason: 'bundle_unavailable',
    name: 'a bundle that went bad too long ago',
    ...SHORT_MEMORY,
    first: 'allow',
    ...same(order()),
    between: wornOut('prod.pem'),
  },
];

const ORIGIN: readonly Row[] = [
  {
    reason: 'xfcc_anchor',
    name: 'an own element about another certificate',
    deny: async (world) =>
      callFrom({
        peer: world.frontend,
        path: '/orders/1',
        own: elementOf(GUARD, world.batch),
        token: await world.token(),
      }),
    allow: order(),
  },
  {
    reason: 'xfcc_anchor',
    name: 'no element at all',
    deny: async (world) => callFrom({ peer: world.frontend, path: '/orders/1', own: null, token: await world.token() }),
    allow: order(),
  },
  {
    reason: 'chain_broken',
    name: 'an element behind the gateway that somebody else wrote',
    deny: async (world) =>
      callFrom({
        peer: world.gateway,
        path: '/orders/1',
        behind: [elementOf(GUARD, world.frontend)],
        token: await world.token(),
      }),
    allow: through('frontend', 'gateway'),
  },
  {
    reason: 'chain_too_long',
    name: 'two forwarders where one is the most',
    config: { origin: { forwarders: FORWARDERS, maxHops: 1 } },
    deny: through('frontend', 'gateway', 'inner'),
    allow: through('frontend', 'gateway'),
  },
  {
    reason: 'origin_unresolved',
    name: 'nobody behind the gateway',
    deny: through('gateway'),
    allow: through('frontend', 'gateway'),
  },
  {
    reason: 'origin_certificate_invalid',
    name: 'no Cert where the gateway must pass it on',
    config: { origin: { forwarders: [{ ...FORWARDERS[0], originCertificate: 'require' }] } },
    deny: through('frontend', 'gateway'),
    allow: async (world) =>
      callThrough({
        hops: [world.frontend, world.gateway],
        about: certField(world.frontend),
        token: await world.token(),
      }),
  },
  {
    reason: 'forwarder_not_allowed',
    name: 'a forwarder that may speak for somebody else only',
    deny: through('frontend', 'narrow'),
    allow: through('batch', 'narrow'),
  },
  { reason: 'route_undeclared', name: 'a path that no line has', deny: order({ path: '/refunds' }), allow: order() },
];

const TWO_ISSUERS = {
  tokens: [
    { ...ISSUER, grants: ['**'] },
    { issuer: SECOND_ISSUER, keys: 'second.json', audiences: ['orders'], grants: ['**'], from: 'header:x-token' },
  ],
};

const TOKEN: readonly Row[] = [
  { reason: 'token_missing', name: 'no token', deny: order({ token: () => undefined }), allow: order() },
  {
    reason: 'token_malformed',
    name: 'a token of two parts',
    deny: order({ token: (text) => text.slice(0, text.lastIndexOf('.')) }),
    allow: order(),
  },
  { reason: 'token_malformed', name: 'no exp', deny: order({ claims: { exp: undefined } }), allow: order() },
  {
    reason: 'token_type',
    name: 'a type that nobody configured',
    deny: order({ header: { typ: 'dpop+jwt' } }),
    allow: order({ header: { typ: 'at+jwt' } }),
  },
  {
    reason: 'token_issuer_unknown',
    name: 'an issuer that nobody configured',
    deny: order({ claims: { iss: SECOND_ISSUER } }),
    allow: order(),
  },
  { reason: 'token_algorithm', name: 'alg none', deny: order({ token: (text) => unsigned(text) }), allow: order() },
  {
    reason: 'token_key_unknown',
    name: 'a kid that the issuer does not publish',
    deny: order({ header: { kid: 'key-2' } }),
    allow: order(),
  },
  {
    reason: 'token_signature',
    name: 'a signature over something else',
    deny: order({ token: (text) => withSignature(text, Buffer.alloc(64, 7)) }),
    allow: order(),
  },
  {
    reason: 'token_audience',
    name: 'a token for another service',
    deny: order({ claims: { aud: 'payments' } }),
    allow: order({ claims: { aud: ['payments', 'orders'] } }),
  },
  {
    reason: 'token_expired',
    name: 'a token that ended before the clock skew',
    deny: order({ claims: () => ({ iat: seconds() - 120, exp: seconds() - 31 }) }),
    allow: order({ claims: () => ({ iat: seconds() - 120, exp: seconds() }) }),
  },
  {
    reason: 'token_not_yet_valid',
    name: 'an nbf beyond the clock skew',
    deny: order({ claims: () => ({ nbf: seconds() + 90 }) }),
    allow: order({ claims: () => ({ nbf: seconds() + 5 }) }),
  },
  {
    reason: 'token_lifetime_excess',
    name: 'a token that lives a second longer than accepted',
    deny: order({ claims: () => ({ iat: seconds(), exp: seconds() + 3601 }) }),
    allow: order({ claims: () => ({ iat: seconds(), exp: seconds() + 3600 }) }),
  },
  {
    reason: 'keys_unavailable',
    name: 'keys that went bad too long ago',
    ...SHORT_MEMORY,
    first: 'allow',
    ...same(order()),
    between: wornOut('idp.json'),
  },
  {
    reason: 'credentials_conflict',
    name: 'tokens in two configured places',
    config: TWO_ISSUERS,
    deny: async (world) => order({ headers: [['x-token', await world.second.sign()]] })(world),
    allow: async (world) =>
      callThrough({
        hops: [world.frontend],
        headers: [['x-token', await world.second.sign({ scope: 'orders.read' })]],
      }),
  },
  {
    reason: 'presenter_not_allowed',
    name: 'an origin that may not present these tokens',
    ...issuer({ presenters: ['spiffe://prod.example/ns/shop/sa/batch'] }),
    deny: order(),
    allow: order({ by: ({ batch }) => batch }),
  },
  {
    reason: 'binding_missing',
    name: 'an unbound token',
    ...issuer({ binding: 'exact' }),
    deny: order(),
    allow: order({ claims: ({ frontend }) => boundTo(frontend) }),
  },
  {
    reason: 'binding_missing',
    name: 'an unbound token on a bound line',
    lines: 'GET /orders/{id} orders.read bound',
    deny: order(),
    allow: order({ claims: ({ frontend }) => boundTo(frontend) }),
  },
  {
    reason: 'binding_mismatch',
    name: "a token that is bound to somebody else's certificate",
    deny: order({ claims: ({ batch }) => boundTo(batch) }),
    allow: order({ claims: ({ frontend }) => boundTo(frontend) }),
  },
  {
    reason: 'binding_mismatch',
    name: 'a token that names another workload',
    ...issuer({ identity: '{sub}' }),
    deny: order({ claims: ({ batch }) => ({ sub: batch.id }) }),
    allow: order({ claims: ({ frontend }) => ({ sub: frontend.id }) }),
  },
  {
    reason: 'binding_unavailable',
    name: 'a confirmation that can not be verified here',
    deny: order({ claims: { cnf: { jkt: 'x' } } }),
    allow: order({ claims: ({ frontend }) => boundTo(frontend) }),
  },
];

/** Both calls present one token: the frontend first, then the batch job. */
function handedOn(): Pick<Row, 'deny' | 'allow'> {
  let token: Promise<string> | undefined;
  const by =
    (name: 'frontend' | 'batch'): Make =>
    async (world) =>
      callThrough({ hops: [world[name]], token: await (token ??= world.token()) });
  return { allow: by('frontend'), deny: by('batch') };
}

const STATE: readonly Row[] = [
  {
    reason: 'token_presenter_changed',
    name: 'an unbound token that another workload presented first',
    first: 'allow',
    ...handedOn(),
  },
  {
    reason: 'token_replayed',
    name: 'a token on its second use',
    lines: 'GET /orders/{id} orders.read once',
    first: 'allow',
    ...same(order()),
  },
  {
    reason: 'token_revoked',
    name: 'a jti that was revoked meanwhile',
    first: 'allow',
    ...same(order({ claims: { jti: 'stolen' } })),
    between: revoked({ revoke: 'jti', value: 'stolen', issuer: ISSUER.issuer }),
  },
  {
    reason: 'transaction_revoked',
    name: 'a transaction that was revoked meanwhile',
    first: 'allow',
    ...same(order({ claims: { txn: 'txn-7' } })),
    between: revoked({ revoke: 'txn', value: 'txn-7' }),
  },
  {
    reason: 'identity_revoked',
    name: 'a forwarder that was revoked meanwhile',
    first: 'allow',
    ...same(through('frontend', 'gateway')),
    between: revoked({ revoke: 'identity', value: GATEWAY }),
  },
  {
    reason: 'identity_revoked',
    name: 'a trust domain that was revoked meanwhile',
    first: 'allow',
    ...same(order()),
    between: revoked({ revoke: 'trust_domain', value: 'prod.example' }),
  },
  {
    reason: 'certificate_revoked',
    name: 'a serial number that was revoked meanwhile',
    first: 'allow',
    ...same(order({ by: (world) => world.svid('shop/sa/frontend', { serial: '0badcafe' }) })),
    between: revoked({ revoke: 'serial', value: '0badcafe', issuer: 'O=Test,CN=Test Root CA' }),
  },
  {
    reason: 'store_unavailable',
    name: 'a second unbound token where the table of pins holds one',
    config: { cache: { pins: 1 } },
    first: 'allow',
    deny: order(),
    allow: order(),
  },
  {
    reason: 'deadline_exceeded',
    name: 'a deadline that has passed by the clock of the guard',
    ...same(order()),
    deadline: (clock) => {
      clock.advance(MINUTE);
      return Date.now() + MINUTE / 2;
    },
  },
  {
    reason: 'internal_error',
    name: 'a fault while revocations are asked',
    serve: serveBroken({ check: ({ isRevoked }) => ({ isRevoked: failingOnce(isRevoked) }) }),
    ...same(order()),
  },
];

function failingOnce<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  let failed = false;
  return (...args) => {
    if (failed) return work(...args);
    failed = true;
    throw new Error('the index broke');
  };
}

const PARTNER_LINES = `${LINES}
GET /reports  orders.read   data=public
GET /own      catalog.read  data=public env=prod
`;
const CATALOG = { path: '/catalog/books' };

const POLICY: readonly Row[] = [
  {
    reason: 'policy_invalid',
    name: 'scope lines with a mistake',
    lines: 'GET /orders/{id}',
    ...same(order()),
    between: repaired('scopes', LINES),
  },
  {
    reason: 'policy_invalid',
    name: 'an annotation with a mistake',
    config: { policy: { annotations: 'podinfo/annotations' } },
    files: { 'podinfo/annotations': 'firsthand.dev/scopes="GET /orders/{id} orders.read"\nfirsthand.dev/scope="x"' },
    ...same(order()),
    between: repaired('podinfo/annotations', 'firsthand.dev/scopes="GET /orders/{id} orders.read\\n"\nother/tool="x"'),
  },
  {
    reason: 'scope_missing',
    name: 'a token without the scope',
    deny: order({ claims: { scope: 'orders.write' } }),
    allow: order({ claims: { scope: 'orders.read' } }),
  },
  {
    reason: 'caller_not_allowed',
    name: 'an origin that from= does not list',
    lines: 'GET /orders/{id} orders.read from=ns/shop/sa/frontend',
    deny: order({ by: ({ batch }) => batch }),
    allow: order(),
  },
  {
    reason: 'via_mismatch',
    name: 'a direct call where via= names a forwarder',
    lines: 'GET /orders/{id} orders.read via=ns/edge/sa/gateway',
    deny: order(),
    allow: through('frontend', 'gateway'),
  },
  {
    reason: 'host_mismatch',
    name: 'another host',
    lines: 'GET /orders/{id} orders.read host=orders.example',
    deny: order({ host: 'orders.example.evil.example' }),
    allow: order({ host: 'orders.example:8443' }),
  },
  {
    reason: 'environment_mismatch',
    name: 'an origin of another environment',
    lines: PARTNER_LINES,
    deny: order({ by: ({ reporter }) => reporter, path: '/own' }),
    allow: order({ path: '/own' }),
  },
  {
    reason: 'token_too_old',
    name: 'a token that is older than the line takes',
    lines: 'GET /orders/{id} orders.read age<=1m',
    deny: order({ claims: () => ({ iat: seconds() - 120 }) }),
    allow: order(),
  },
  {
    reason: 'data_ceiling',
    name: 'data that is not labelled, for a domain that may have public data',
    deny: order({ by: ({ reporter }) => reporter }),
    allow: order({ by: ({ reporter }) => reporter, ...CATALOG }),
  },
  {
    reason: 'scope_ceiling',
    name: "a scope above the domain's ceiling",
    lines: PARTNER_LINES,
    deny: order({ by: ({ reporter }) => reporter, path: '/reports' }),
    allow: order({ path: '/reports' }),
  },
  {
    reason: 'upgrade_not_declared',
    name: 'a WebSocket',
    deny: order({ headers: [['upgrade', 'websocket']] }),
    allow: order(),
  },
  {
    reason: 'guardrail',
    name: "an origin that the operator's line does not list",
    config: { policy: { ...CONFIG.policy, guardrails: '* /orders/** workload from=ns/shop/sa/frontend' } },
    deny: order({ by: ({ batch }) => batch }),
    allow: order(),
  },
  {
    reason: 'token_missing',
    name: 'a line for tokens beside one for workloads',
    deny: order({ token: () => undefined }),
    allow: order({ token: () => undefined, path: '/stats' }),
    allowed: 'allowed_workload',
  },
  {
    reason: 'peer_unauthenticated',
    name: 'a line for workloads beside one for anyone',
    deny: () => checkRequest({ path: '/stats' }),
    allow: () => checkRequest({ path: '/healthz' }),
    allowed: 'allowed_anyone',
  },
];

function repaired(file: string, text: string) {
  return async (guard: Guard): Promise<void> => {
    guard.write(file, text);
    await guard.reload();
  };
}

const ROWS: readonly Row[] = [...SHAPE, ...PEER, ...ORIGIN, ...TOKEN, ...STATE, ...POLICY];

/** What no configuration of this version can produce, and why. */
const NOT_YET: Readonly<Record<string, string>> = {
  revocation_stale: 'says that a shared store of revocations is behind; the file is an index in memory that cannot be',
};

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

describe('a reason', () => {
  test.each(ROWS.map((row) => [row.reason, row.name, row] as const))('%s: %s', async (reason, _name, row) => {
    const clock = movableClock();
    const guard = await guardOf(world, { ...row, now: clock.now });
    const denied = async (): Promise<void> => {
      const bytes = await row.deny(world);
      const answer = await guard.check(bytes, row.deadline && { deadline: row.deadline(clock) });
      expectDenied(answer, reason);
      await expectRecorded(guard, answer);
    };
    const allowed = async (): Promise<void> => {
      const answer = await guard.check(await row.allow(world));
      expectAllowed(answer, row.allowed);
      await expectRecorded(guard, answer);
    };
    await (row.first === 'allow' ? allowed() : denied());
    await row.between?.(guard, clock);
    await (row.first === 'allow' ? denied() : allowed());
    await guard.stop();
  });

  test('is produced above, each of them, or listed with why it cannot be', () => {
    const produced = new Set<string>(ROWS.flatMap(({ reason, allowed = 'allowed' }) => [reason, allowed]));
    const missing = Object.keys(REASONS).filter((reason) => !produced.has(reason) && !(reason in NOT_YET));
    expect(missing).toEqual([]);
    expect(Object.keys(NOT_YET).filter((reason) => produced.has(reason))).toEqual([]);
    const denials = Object.keys(REASONS).filter((reason) => !reason.startsWith('allowed'));
    expect([...STATUS.keys()].sort()).toEqual(denials.sort());
  });
});
