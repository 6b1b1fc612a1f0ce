/**
 * Every CheckRequest that a real Envoy sent (test/captures/INDEX.md), as bytes over a socket to a guard that is configured
 * as that Envoy was. A capture may be a case several times: under another line, or with one setting the other way.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startGuard } from '../helpers/guard.js';
import type { ConfigTree } from '../helpers/guard.js';
import { expectAllowed, expectDenied, expectRecorded } from '../helpers/verdicts.js';
import { GATEWAY, id } from '../helpers/world.js';

const CAPTURES = new URL('../captures/', import.meta.url);
const pki = (name: string): string => readFileSync(new URL(`pki/${name}`, CAPTURES), 'utf8');

const FRONTEND = id('shop/sa/frontend');
const CHECKOUT = id('shop/sa/checkout');
const PAYMENTS = id('shop/sa/payments');
const RESEARCHER = id('agents/sa/researcher');
const REPORTER = id('reports/sa/reporter', 'partner.example');

const FILES = {
  'prod.pem': pki('root-ca.crt'),
  'partner.pem': pki('partner-ca.crt'),
  'intermediates.pem': pki('intermediate-ca.crt'),
  'jwks.json': pki('jwks.json'),
};

const FORWARDERS = [
  { id: GATEWAY, origins: ['spiffe://prod.example/**'] },
  { id: CHECKOUT, origins: ['spiffe://prod.example/**'], behind: [GATEWAY] },
];
const PROD = { bundle: 'prod.pem', environment: 'prod' };

const CONFIG = {
  workload: PAYMENTS,
  trust: { 'prod.example': PROD },
  origin: { forwarders: FORWARDERS },
  tokens: [
    {
      issuer: 'https://issuer.prod.example',
      keys: 'jwks.json',
      audiences: ['payments.shop.prod.example'],
      maxLifetime: '36500d',
    },
  ],
  policy: { scopes: 'scopes', ownersMay: ['workload', 'anyone'] },
} as const satisfies ConfigTree;

const SCOPES = `
GET,POST  /v1/charges  payments:read
GRPC      payments.v1.Payments/Charge  payments:write
`;
/** For the captures that carry no token: they show who calls. */
const WHO = 'GET,POST  /v1/charges  workload';

interface Expected {
  readonly reason: string;
  readonly origin?: string;
  readonly peer?: string;
  readonly chain?: readonly string[];
  readonly ignored?: readonly string[];
}
interface Case {
  readonly capture: string;
  readonly how?: string;
  readonly config?: ConfigTree;
  readonly lines?: string;
  readonly expected: Expected;
}

const origin = (changes: object): ConfigTree => ({ origin: { forwarders: FORWARDERS, ...changes } });
const tokens = (changes: object): ConfigTree => ({ tokens: [{ ...CONFIG.tokens[0], ...changes }] });
const trust = (changes: object): ConfigTree => ({ trust: { 'prod.example': PROD, ...changes } });

const direct = (reason: string, who = FRONTEND): Expected => ({
  reason,
  origin: who,
  peer: who,
  chain: [who, PAYMENTS],
});
const through = (reason: string, ...hops: string[]): Expected => ({
  reason,
  origin: FRONTEND,
  peer: hops.at(-1) ?? FRONTEND,
  chain: [FRONTEND, ...hops, PAYMENTS],
});
/** Refused before anybody is known. */
const nobody = (reason: string): Expected => ({ reason });
const onlyPeer = (reason: string, peer: string): Expected => ({ reason, peer });

const DIRECT: readonly Case[] = [
  {
    capture: 'direct-mtls-sanitize',
    config: origin({ xfcc: 'ignore' }),
    lines: WHO,
    expected: direct('allowed_workload'),
  },
  {
    capture: 'direct-mtls-sanitize',
    how: 'by a guard that expects an element',
    lines: WHO,
    expected: nobody('xfcc_anchor'),
  },
  { capture: 'direct-mtls-append', lines: WHO, expected: direct('allowed_workload') },
  { capture: 'direct-mtls-append', how: 'on a line for tokens', expected: direct('token_missing') },
  {
    capture: 'direct-mtls-append',
    how: 'by its principal',
    config: origin({ peer: 'principal' }),
    lines: WHO,
    expected: direct('allowed_workload'),
  },
  {
    capture: 'direct-mtls-append',
    how: 'by an element without Cert',
    config: origin({ peer: 'xfcc' }),
    lines: WHO,
    expected: nobody('peer_unauthenticated'),
  },
  {
    capture: 'direct-mtls-full-chain',
    how: 'with the intermediate of its Chain',
    lines: WHO,
    expected: direct('allowed_workload'),
  },
  {
    capture: 'direct-mtls-full-chain',
    how: 'by its element',
    config: origin({ peer: 'xfcc' }),
    lines: WHO,
    expected: direct('allowed_workload'),
  },
  {
    capture: 'direct-mtls-full-chain',
    how: 'without reading its Chain',
    config: origin({ xfcc: 'ignore' }),
    lines: WHO,
    expected: nobody('peer_untrusted'),
  },
  {
    capture: 'direct-mtls-full-chain',
    how: 'with the intermediate of the operator',
    config: {
      ...origin({ xfcc: 'ignore' }),
      trust: { 'prod.example': { ...PROD, intermediates: 'intermediates.pem' } },
    },
    lines: WHO,
    expected: direct('allowed_workload'),
  },
  {
    capture: 'direct-mtls-json-xfcc',
    config: origin({ xfcc: 'sanitize-set' }),
    lines: WHO,
    expected: direct('allowed_workload'),
  },
  { capture: 'direct-mtls-h2', lines: WHO, expected: direct('allowed_workload') },
  { capture: 'direct-mtls-rotated-svid', lines: WHO, expected: direct('allowed_workload') },
  {
    capture: 'direct-mtls-staging-credential',
    how: 'of a trust domain that is not configured',
    lines: WHO,
    expected: nobody('peer_untrusted'),
  },
  {
    capture: 'direct-mtls-staging-credential',
    how: "signed by another domain's root",
    config: trust({ 'staging.example': { bundle: 'partner.pem' } }),
    lines: WHO,
    expected: nobody('peer_untrusted'),
  },
  {
    capture: 'direct-mtls-staging-credential',
    how: 'where both domains have one root',
    config: trust({ 'staging.example': { bundle: 'prod.pem', environment: 'staging' } }),
    lines: `${WHO} env=prod from=spiffe://staging.example/**`,
    expected: direct('environment_mismatch', id('shop/sa/frontend', 'staging.example')),
  },
  {
    capture: 'direct-mtls-federated',
    how: 'of a domain that is not configured',
    lines: WHO,
    expected: nobody('peer_untrusted'),
  },
  {
    capture: 'direct-mtls-federated',
    config: trust({ 'partner.example': { bundle: 'partner.pem' } }),
    lines: WHO,
    expected: direct('allowed_workload', REPORTER),
  },
  {
    capture: 'direct-mtls-federated',
    how: 'under a ceiling',
    config: trust({ 'partner.example': { bundle: 'partner.pem', ceiling: { data: 'public' } } }),
    lines: WHO,
    expected: direct('data_ceiling', REPORTER),
  },
  {
    capture: 'direct-mtls-istio-style',
    how: 'of a domain that is not configured',
    lines: WHO,
    expected: nobody('peer_untrusted'),
  },
  {
    capture: 'direct-mtls-istio-style',
    config: trust({ 'cluster.local': { bundle: 'prod.pem' } }),
    lines: WHO,
    expected: direct('allowed_workload', id('shop/sa/frontend', 'cluster.local')),
  },
  { capture: 'direct-tls-no-client-cert', lines: WHO, expected: nobody('peer_unauthenticated') },
  {
    capture: 'direct-tls-no-client-cert',
    how: 'where anyone may',
    lines: 'GET /v1/charges anyone',
    expected: nobody('allowed_anyone'),
  },
];

const ODD_CERTIFICATES: readonly Case[] = [
  { capture: 'cert-no-san', lines: WHO, expected: nobody('peer_certificate_invalid') },
  {
    capture: 'cert-no-san',
    how: 'by its principal',
    config: origin({ peer: 'principal' }),
    lines: WHO,
    expected: nobody('peer_certificate_invalid'),
  },
  { capture: 'cert-dns-san-only', lines: WHO, expected: nobody('peer_certificate_invalid') },
  { capture: 'cert-three-uri-sans', lines: WHO, expected: nobody('peer_certificate_invalid') },
  { capture: 'cert-uri-san-injection', lines: WHO, expected: nobody('peer_certificate_invalid') },
  {
    capture: 'cert-uri-san-injection',
    how: 'by its principal',
    config: origin({ peer: 'principal' }),
    lines: WHO,
    expected: nobody('peer_certificate_invalid'),
  },
  { capture: 'cert-subject-special', lines: WHO, expected: direct('allowed_workload') },
  { capture: 'cert-untrusted-rogue-ca', lines: WHO, expected: nobody('peer_untrusted') },
  { capture: 'cert-untrusted-expired', lines: WHO, expected: nobody('peer_expired') },
];

const HOPS: readonly Case[] = [
  { capture: 'hop1-append', expected: through('allowed', GATEWAY) },
  {
    capture: 'hop1-append',
    how: 'where the token may not come through a proxy',
    lines: 'GET /v1/charges payments:read bound=direct',
    expected: through('binding_unavailable', GATEWAY),
  },
  {
    capture: 'hop1-append',
    how: 'where the gateway is no forwarder',
    config: { origin: {} },
    expected: { ...direct('binding_mismatch', GATEWAY), ignored: [FRONTEND] },
  },
  {
    capture: 'hop1-append',
    how: 'where the gateway speaks for others',
    config: origin({ forwarders: [{ id: GATEWAY, origins: ['spiffe://prod.example/ns/web/**'] }] }),
    expected: onlyPeer('forwarder_not_allowed', GATEWAY),
  },
  {
    capture: 'hop1-append',
    how: 'where the origin must show its certificate',
    config: origin({ forwarders: [{ ...FORWARDERS[0], originCertificate: 'require' }] }),
    expected: onlyPeer('origin_certificate_invalid', GATEWAY),
  },
  {
    capture: 'hop1-append',
    how: 'for another workload',
    config: { workload: CHECKOUT },
    expected: nobody('xfcc_anchor'),
  },
  {
    capture: 'hop1-sanitize-set-loses-origin',
    config: origin({ xfcc: 'sanitize-set' }),
    expected: { reason: 'origin_unresolved', peer: GATEWAY, chain: [GATEWAY, PAYMENTS] },
  },
  {
    capture: 'hop1-sanitize-set-loses-origin',
    how: 'where outside may come in, but the token is bound',
    config: { ...origin({ xfcc: 'sanitize-set' }), ...tokens({ binding: 'none' }) },
    lines: 'GET /v1/charges payments:read from=outside@ns/edge/sa/gateway',
    expected: { reason: 'binding_unavailable', peer: GATEWAY, chain: [GATEWAY, PAYMENTS] },
  },
  {
    capture: 'hop1-append',
    how: 'by a guard that expects one element',
    config: origin({ xfcc: 'sanitize-set' }),
    expected: nobody('xfcc_anchor'),
  },
  { capture: 'hop1-forward-only', config: origin({ xfcc: 'forward-only' }), expected: through('allowed', GATEWAY) },
  { capture: 'hop1-forward-only', how: 'by a guard that expects an own element', expected: nobody('xfcc_anchor') },
  { capture: 'hop2-append', expected: through('allowed', GATEWAY, CHECKOUT) },
  {
    capture: 'hop2-append',
    how: 'where the gateway may not stand behind',
    config: origin({ forwarders: [FORWARDERS[0], { ...FORWARDERS[1], behind: [] }] }),
    expected: onlyPeer('forwarder_not_allowed', CHECKOUT),
  },
  {
    capture: 'hop2-append',
    how: 'where one hop is the most',
    config: origin({ maxHops: 1 }),
    expected: onlyPeer('chain_too_long', CHECKOUT),
  },
  {
    capture: 'hop2-append',
    how: 'where the checkout is no forwarder',
    config: origin({ forwarders: [FORWARDERS[0]] }),
    expected: { ...direct('binding_mismatch', CHECKOUT), ignored: [FRONTEND, GATEWAY] },
  },
  { capture: 'hop2-append-cert', expected: through('allowed', GATEWAY, CHECKOUT) },
  {
    capture: 'hop2-append-cert',
    how: 'where the origin must show its certificate',
    config: origin({ forwarders: FORWARDERS.map((each) => ({ ...each, originCertificate: 'require' })) }),
    expected: through('allowed', GATEWAY, CHECKOUT),
  },
  { capture: 'hop2-json', expected: through('allowed', GATEWAY, CHECKOUT) },
  {
    capture: 'hop2-outbound-sanitized',
    expected: { reason: 'origin_unresolved', peer: CHECKOUT, chain: [CHECKOUT, PAYMENTS] },
  },
];

const FORGERY: readonly Case[] = [
  { capture: 'forged-xfcc-unlinked', expected: { ...direct('binding_mismatch', RESEARCHER), ignored: [FRONTEND] } },
  {
    capture: 'forged-xfcc-unlinked',
    how: 'by an agent that is a forwarder',
    config: origin({ forwarders: [...FORWARDERS, { id: RESEARCHER, origins: ['spiffe://prod.example/**'] }] }),
    expected: onlyPeer('chain_broken', RESEARCHER),
  },
  { capture: 'forged-xfcc-linked', expected: { ...direct('binding_mismatch', RESEARCHER), ignored: [FRONTEND] } },
  { capture: 'forged-xfcc-open-quote', expected: nobody('xfcc_malformed') },
  { capture: 'forged-xfcc-plaintext-always-forward', expected: nobody('peer_unauthenticated') },
  {
    capture: 'forged-xfcc-plaintext-always-forward',
    how: 'by its principal',
    config: origin({ peer: 'principal' }),
    expected: nobody('peer_unauthenticated'),
  },
  {
    capture: 'forged-xfcc-plaintext-always-forward',
    how: 'by its element',
    config: origin({ peer: 'xfcc' }),
    expected: nobody('peer_unauthenticated'),
  },
  { capture: 'stolen-token-direct', expected: direct('binding_mismatch', RESEARCHER) },
  {
    capture: 'stolen-token-direct',
    how: 'where binding is off: a cnf is verified all the same',
    config: tokens({ binding: 'none' }),
    expected: direct('binding_mismatch', RESEARCHER),
  },
  { capture: 'duplicate-authorization', expected: nobody('header_ambiguous') },
  {
    capture: 'duplicate-authorization',
    how: 'where tokens come elsewhere',
    config: tokens({ from: 'header:x-token' }),
    expected: direct('token_missing'),
  },
];

const METADATA: readonly Case[] = [
  { capture: 'jwt-metadata-forward', expected: direct('allowed') },
  {
    capture: 'jwt-metadata-default-strips-header',
    how: "whose verified claims are nobody's token",
    expected: direct('token_missing', RESEARCHER),
  },
  { capture: 'jwt-metadata-other-token', expected: direct('token_signature', RESEARCHER) },
  { capture: 'context-route-labels-sni', lines: WHO, expected: direct('allowed_workload') },
];

const REQUESTS: readonly Case[] = [
  { capture: 'headers-map-repeated', lines: WHO, expected: direct('allowed_workload') },
  { capture: 'headers-raw-repeated', lines: WHO, expected: direct('allowed_workload') },
  { capture: 'body-partial', lines: WHO, expected: direct('allowed_workload') },
  {
    capture: 'body-partial',
    how: 'where only GET is declared',
    lines: 'GET /v1/charges workload',
    expected: direct('route_undeclared'),
  },
  { capture: 'body-raw-bytes', lines: WHO, expected: direct('allowed_workload') },
  { capture: 'grpc-unary', expected: direct('allowed') },
  {
    capture: 'grpc-unary',
    how: 'where another method is declared',
    lines: 'GRPC payments.v1.Payments/Refund payments:write',
    expected: direct('route_undeclared'),
  },
  { capture: 'path-not-normalized', lines: 'GET /** workload', expected: nobody('path_ambiguous') },
];

const CASES = [...DIRECT, ...ODD_CERTIFICATES, ...HOPS, ...FORGERY, ...METADATA, ...REQUESTS];

describe('a captured request', () => {
  test.each(
    CASES.map((each) => [each.capture, each.how ?? 'as it was configured', each.expected.reason, each] as const),
  )('%s, %s: %s', async (capture, _how, reason, { config, lines = SCOPES, expected }) => {
    const guard = await startGuard({ config: { ...CONFIG, ...config }, files: { ...FILES, scopes: lines } });
    const answer = await guard.check(readFileSync(new URL(`${capture}.bin`, CAPTURES)));
    if (reason.startsWith('allowed')) expectAllowed(answer, reason);
    else expectDenied(answer, reason);
    const { origin: found, peer, chain } = answer.metadata;
    expect({ origin: found, peer, chain }).toEqual({
      origin: expected.origin,
      peer: expected.peer,
      chain: expected.chain,
    });
    await expectRecorded(guard, answer);
    const record = await guard.record(answer.metadata['id']);
    expect(record.ignored_history).toEqual(expected.ignored);
    await guard.stop();
  });

  test('is a case, each of them', () => {
    const files = readdirSync(CAPTURES).filter((name) => name.endsWith('.bin'));
    expect(new Set(CASES.map(({ capture }) => `${capture}.bin`))).toEqual(new Set(files));
  });
});
