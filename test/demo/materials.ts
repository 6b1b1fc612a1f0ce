/**
 * Everything the demo is made of, in a folder of its own: two roots, certificates, two issuers and their tokens, the
 * guard's configuration. All of it made anew for each run, by a real CA and a real issuer.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import { FIRST_ANNOTATIONS, GUARDRAILS } from './annotation.js';
import { writeAnnotations } from './podinfo.js';

export const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
export const ORDERS = 'spiffe://prod.example/ns/shop/sa/orders';
export const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';
const THIEF = 'spiffe://prod.example/ns/shop/sa/thief';
const SHORT_LIVED = 'spiffe://prod.example/ns/batch/sa/report';
const PARTNER = 'spiffe://partner.example/ns/reports/sa/reporter';
const IDP = 'https://idp.prod.example';
const LOGIN = 'https://login.prod.example';
const LOGIN_DOMAIN = 'login.example';

/** Lifetime of the certificate that expires on a kept-alive connection: enough for one handshake and one call. */
const SHORT_LIFE = 4_000;
const MINUTE = 60;

export const IDENTITIES = ['frontend', 'frontendRotated', 'thief', 'partner', 'crossSigned', 'shortLived'] as const;
export type IdentityName = (typeof IDENTITIES)[number];
export const TOKENS = [
  'unbound',
  'untravelled',
  'unboundWriter',
  'bound',
  'once',
  'old',
  'expired',
  'otherAudience',
  'forged',
  'overreaching',
  'partner',
  'shortLived',
] as const;
export type TokenLabel = (typeof TOKENS)[number];

/** Where the guard has its bundles and keys from. */
export type TrustFrom = 'files' | 'workload-api';

export interface Materials {
  readonly folder: string;
  readonly trust: TrustFrom;
  /** What signs for each trust domain; with files, the one for logins is a mere issuer. */
  readonly authorities: readonly Authority[];
  /** PEM of all roots: what the Envoys and the clients trust. */
  readonly roots: string;
  readonly orders: TestSvid;
  readonly gateway: TestSvid;
  /** The short-lived one is issued when it is first asked for. */
  identity(name: IdentityName): Promise<TestSvid>;
  readonly tokens: Readonly<Record<TokenLabel, string>>;
  file(name: string): string;
}

export interface Authority {
  readonly domain: string;
  readonly ca: TestCa;
  readonly issuers: readonly TestIssuer[];
}

export async function makeMaterials(folder: string, trust: TrustFrom): Promise<Materials> {
  const ca = await makeCa({ name: 'Prod Root', trustDomain: 'prod.example' });
  const partnerCa = await makeCa({ name: 'Partner Root', trustDomain: 'partner.example' });
  const identity = identities(ca, partnerCa);
  const file = (name: string): string => join(folder, name);
  const issuers = { idp: await makeIssuer({ issuer: IDP }), login: await makeIssuer({ issuer: LOGIN }) };
  const loginCa = await makeCa({ name: 'Login Root', trustDomain: LOGIN_DOMAIN });
  const materials: Materials = {
    folder,
    trust,
    authorities: [
      { domain: 'prod.example', ca, issuers: [issuers.idp] },
      { domain: 'partner.example', ca: partnerCa, issuers: [] },
      { domain: LOGIN_DOMAIN, ca: loginCa, issuers: [issuers.login] },
    ],
    roots: ca.certificate + partnerCa.certificate,
    orders: await ca.issue({ id: ORDERS }),
    gateway: await ca.issue({ id: GATEWAY }),
    identity,
    tokens: await signTokens(issuers, trust, await identity('frontend'), await identity('partner')),
    file,
  };
  await mkdir(file('podinfo'), { recursive: true });
  await writeAnnotations(file('podinfo'), FIRST_ANNOTATIONS, 1);
  const bundles = {
    'prod.example.pem': ca.certificate,
    'partner.example.pem': partnerCa.certificate,
    'idp.jwks.json': JSON.stringify(issuers.idp.jwks),
    'login.jwks.json': JSON.stringify(issuers.login.jwks),
  };
  // On the Workload API the guard finds no file that could stand in for it.
  await writeFiles(materials, { 'bundle.pem': materials.roots, ...(trust === 'files' ? bundles : {}) });
  return materials;
}

async function writeFiles(materials: Materials, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(materials.file(name), text);
  const svids = {
    orders: materials.orders,
    gateway: materials.gateway,
    frontend: await materials.identity('frontend'),
  };
  for (const [name, svid] of Object.entries({ ...svids, thief: await materials.identity('thief') })) {
    await writeFile(materials.file(`${name}.pem`), svid.chainPem);
    await writeFile(materials.file(`${name}.key`), svid.keyPem, { mode: 0o600 });
  }
  for (const [name, text] of Object.entries(materials.tokens)) await writeFile(materials.file(`${name}.jwt`), text);
}

function identities(ca: TestCa, partnerCa: TestCa): (name: IdentityName) => Promise<TestSvid> {
  const issue: Record<IdentityName, () => Promise<TestSvid>> = {
    frontend: () => ca.issue({ id: FRONTEND }),
    frontendRotated: () => ca.issue({ id: FRONTEND }),
    thief: () => ca.issue({ id: THIEF }),
    partner: () => partnerCa.issue({ id: PARTNER }),
    crossSigned: () => partnerCa.issue({ id: FRONTEND }),
    shortLived: () => ca.issue({ id: SHORT_LIVED, notAfter: new Date(Date.now() + SHORT_LIFE) }),
  };
  const issued = new Map<IdentityName, Promise<TestSvid>>();
  return (name) => {
    const known = issued.get(name) ?? issue[name]();
    issued.set(name, known);
    return known;
  };
}

async function signTokens(
  { idp, login }: { idp: TestIssuer; login: TestIssuer },
  trust: TrustFrom,
  frontend: TestSvid,
  partner: TestSvid,
): Promise<Record<TokenLabel, string>> {
  const now = Math.floor(Date.now() / 1000);
  const stranger = await makeIssuer({ issuer: IDP });
  // A JWT-SVID says whose it is by its sub, and nothing else.
  const named = (issuer: string, name: string, domain = 'prod.example') =>
    trust === 'files' ? { iss: issuer, sub: name } : { iss: undefined, sub: `spiffe://${domain}/user/${name}` };
  const usual = { ...named(IDP, 'alice'), iat: now, exp: now + 30 * MINUTE };
  const wide = 'orders.read orders.write orders.admin cart.write';
  const boundTo = (svid: TestSvid) => ({ cnf: { 'x5t#S256': Buffer.from(svid.sha256, 'hex').toString('base64url') } });
  const bound = { ...usual, scope: wide, ...boundTo(frontend) };
  return {
    unbound: await signedVisibly(idp, { ...usual, scope: 'orders.read' }),
    untravelled: await idp.sign({ ...usual, scope: 'orders.read' }),
    unboundWriter: await idp.sign({ ...usual, scope: 'orders.write' }),
    bound: await idp.sign(bound),
    once: await idp.sign(bound),
    old: await idp.sign({ ...bound, iat: now - 10 * MINUTE }),
    expired: await idp.sign({ ...bound, iat: now - 40 * MINUTE, exp: now - 10 * MINUTE }),
    otherAudience: await idp.sign({ ...bound, aud: 'payments' }),
    forged: await stranger.sign(bound),
    overreaching: await login.sign({ ...usual, ...named(LOGIN, 'alice', LOGIN_DOMAIN), scope: `${wide} catalog.read` }),
    partner: await idp.sign({ ...usual, scope: 'catalog.read prices.read orders.read', ...boundTo(partner) }),
    shortLived: await idp.sign({ ...usual, ...named(IDP, 'report'), scope: 'orders.read' }),
  };
}

/** With a signature that the other alphabet of base64 spells in another way; one in fifteen has none such. */
async function signedVisibly(issuer: TestIssuer, claims: Record<string, unknown>): Promise<string> {
  for (;;) {
    const token = await issuer.sign(claims);
    if (/[-_]/.test(token.slice(token.lastIndexOf('.')))) return token;
  }
}

export type StorePlan = 'memory' | { readonly url: string; readonly keyFile: string };

/** What differs between the guards of one stage. */
export interface GuardPlan {
  /** Port. */
  readonly admin: number;
  /** Of the configuration and the socket. */
  readonly name?: string;
  readonly store?: StorePlan;
}

export const socketOf = (name: string): string => `${name}.sock`;

/** The guard's configuration file, written next to what it names. */
export async function writeConfig(
  materials: Materials,
  { admin, name = 'firsthand', store = 'memory' }: GuardPlan,
): Promise<string> {
  const fromFiles = materials.trust === 'files';
  const config = {
    workload: ORDERS,
    listen: { check: [`unix:${socketOf(name)}`], admin: `127.0.0.1:${admin}`, drainDelay: '0s' },
    ...(fromFiles ? {} : { identity: { workloadApi: 'unix:agent.sock' } }),
    trust: {
      'prod.example': { bundle: fromFiles ? 'prod.example.pem' : 'workload-api' },
      'partner.example': {
        bundle: fromFiles ? 'partner.example.pem' : 'workload-api',
        ceiling: { scopes: ['catalog.*'], data: 'public' },
      },
      ...(fromFiles ? {} : { [LOGIN_DOMAIN]: { bundle: 'workload-api' } }),
    },
    origin: { forwarders: [{ id: GATEWAY, origins: ['spiffe://prod.example/**'] }] },
    tokens: [
      { issuer: IDP, keys: fromFiles ? 'idp.jwks.json' : 'spiffe:prod.example', audiences: ['orders'], grants: ['**'] },
      {
        issuer: LOGIN,
        keys: fromFiles ? 'login.jwks.json' : `spiffe:${LOGIN_DOMAIN}`,
        audiences: ['orders'],
        grants: ['catalog.*'],
        binding: 'none',
      },
    ],
    policy: { annotations: 'podinfo/annotations', ownersMay: ['workload', 'anyone'], guardrails: GUARDRAILS },
    revocation: { file: 'revoked.ndjson' },
    store,
  };
  const path = materials.file(`${name}.yaml`);
  await writeFile(path, stringify(config));
  return path;
}
