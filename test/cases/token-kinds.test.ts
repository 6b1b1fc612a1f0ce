/**
 * docs/tokens.md is true: each configuration in it loads as it stands there, a real guard runs with it and with the lines
 * below it, and every row of the tables is a call with tokens that are really signed, an allow beside its nearest denials.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { AuditRecord } from '../../src/audit/record.js';
import { certField } from '../helpers/check-request.js';
import { startGuard } from '../helpers/guard.js';
import type { ConfigTree, Guard } from '../helpers/guard.js';
import type { TestSvid } from '../helpers/pki.js';
import { settingsFrom } from '../helpers/settings.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import { expectAllowed, expectDenied } from '../helpers/verdicts.js';
import { boundTo, callThrough, makeWorld, thumbprint } from '../helpers/world.js';
import type { ChainFacts, World } from '../helpers/world.js';

const markdown = readFileSync(new URL('../../docs/tokens.md', import.meta.url), 'utf8');

interface Section {
  readonly title: string;
  readonly yaml: string;
  readonly lines: string;
}

/** Sections with a configuration of their own: the first YAML block, and the first block without a language. */
const SECTIONS: readonly Section[] = markdown.split(/^#{2,3} /m).flatMap((text) => {
  const blocks = [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)];
  const first = (language: string): string | undefined => blocks.find((block) => block[1] === language)?.[2];
  const [yaml, lines] = [first('yaml'), first('')];
  return yaml === undefined || lines === undefined ? [] : [{ title: text.slice(0, text.indexOf('\n')), yaml, lines }];
});

const now = (): number => Math.floor(Date.now() / 1000);

let world: World;
/** A certificate of frontend that begins now, and one that began before any token here. */
let renewed: TestSvid;
let another: TestSvid;
let frontendPod: TestSvid;
const guards = new Map<string, Guard>();
const issuers = new Map<string, TestIssuer>();

beforeAll(async () => {
  world = await makeWorld();
  renewed = await world.svid('shop/sa/frontend', { notBefore: new Date(Date.now() - 5_000) });
  another = await world.svid('shop/sa/frontend');
  frontendPod = await world.svid('shop/sa/frontend/pod/0b1e-1');
  for (const section of SECTIONS) await open(section);
});
afterAll(async () => {
  for (const guard of guards.values()) await guard.stop();
});

async function open({ title, yaml, lines }: Section): Promise<void> {
  const config = parse(yaml) as ConfigTree & { tokens: { issuer: string; keys: string; audiences: string[] }[] };
  const [entry] = config.tokens;
  if (entry === undefined) throw new Error(`no issuer in "${title}"`);
  const issuer = await makeIssuer({ issuer: entry.issuer, audience: entry.audiences[0] ?? '' });
  const files = {
    'prod.example.pem': world.root.certificate,
    [entry.keys]: JSON.stringify(issuer.jwks),
    scopes: lines,
  };
  guards.set(title, await startGuard({ config: { ...config, policy: { scopes: 'scopes' } }, files }));
  issuers.set(title, issuer);
}

interface Plan extends Omit<ChainFacts, 'hops' | 'token'> {
  /** From the origin to the peer; frontend alone when left out. */
  readonly hops?: readonly TestSvid[];
  readonly claims?: Record<string, unknown>;
  readonly typ?: string | undefined;
  readonly header?: Record<string, unknown>;
}

/** Calls the guard of a section with a token of its issuer: `allowed`, or the reason. Out: the record, when asked for. */
const askOf =
  (title: string) =>
  async (
    reason: string,
    { hops = [world.frontend], claims = {}, header = {}, ...plan }: Plan = {},
  ): Promise<() => Promise<AuditRecord>> => {
    const [guard, issuer] = [guards.get(title), issuers.get(title)];
    if (guard === undefined || issuer === undefined) throw new Error(`no section "${title}"`);
    const token = await issuer.sign(claims, 'typ' in plan ? { ...header, typ: plan.typ } : header);
    const answer = await guard.check(callThrough({ hops, token, ...plan }));
    if (reason === 'allowed') expectAllowed(answer);
    else expectDenied(answer, reason);
    return () => guard.record(answer.metadata['id']);
  };

describe('the configurations of docs/tokens.md', () => {
  it('load as they stand there', () => {
    expect(SECTIONS.map(({ title }) => title)).toEqual([
      'Access tokens',
      'Certificate-bound access tokens',
      'Certificates that rotate',
      'Athenz',
      'JWT-SVIDs',
      'Kubernetes service-account tokens',
      'Unbound tokens',
    ]);
    for (const { yaml } of SECTIONS) expect(settingsFrom(yaml).tokens).toHaveLength(1);
  });
});

describe('an access token', () => {
  const ask = askOf('Access tokens');
  const claims = { sub: 'alice', client_id: 'frontend', scope: 'orders.read' };
  const typ = 'at+jwt';

  it('counts for the client that it names', async () => {
    await ask('allowed', { claims, typ });
    await ask('binding_mismatch', { claims, typ, hops: [world.thief] });
    for (const client_id of ['batch', '../sa/frontend', 'frontend/x', 'a/frontend', 'Frontend', '..'])
      await ask('binding_mismatch', { claims: { ...claims, client_id }, typ });
    await ask('scope_missing', { claims: { ...claims, scope: 'orders.write' }, typ });
  });

  it('has every claim of its profile, its type, and a short life', async () => {
    await ask('binding_missing', { claims: { ...claims, client_id: undefined }, typ });
    for (const name of ['sub', 'jti', 'exp', 'iat'])
      await ask('token_malformed', { claims: { ...claims, [name]: undefined }, typ });
    for (const other of ['JWT', undefined, 'id+jwt']) await ask('token_type', { claims, typ: other });
    await ask('allowed', { claims: { ...claims, exp: now() + 890 }, typ });
    await ask('token_lifetime_excess', { claims: { ...claims, exp: now() + 905 }, typ });
  });
});

describe('a certificate-bound token', () => {
  const ask = askOf('Certificate-bound access tokens');
  const bound = (svid: TestSvid = world.frontend) => ({ scope: 'orders.read orders.write', ...boundTo(svid) });

  it('counts with its certificate, directly and behind forwarders that send the hash or all of it', async () => {
    const { frontend, gateway, inner } = world;
    await ask('allowed', { claims: bound() });
    await ask('allowed', { claims: bound(), hops: [frontend, gateway] });
    await ask('allowed', { claims: bound(), hops: [frontend, gateway, inner] });
    await ask('allowed', { claims: bound(), hops: [frontend, gateway], about: certField(frontend) });
  });

  it('counts with no other certificate, whoever brings it', async () => {
    const { thief, gateway, inner } = world;
    for (const who of [thief, another])
      for (const way of [[], [gateway], [gateway, inner]])
        await ask('binding_mismatch', { claims: bound(), hops: [who, ...way] });
    await ask('origin_unresolved', { claims: bound(), hops: [gateway] });
    await ask('binding_mismatch', { claims: bound(thief), hops: [world.frontend, gateway] });
    // The hash of the certificate that the token names, in an element about another one.
    const lie = { id: thief.id, sha256: world.frontend.sha256 } as TestSvid;
    await ask('origin_certificate_invalid', { claims: bound(), hops: [lie, gateway], about: certField(thief) });
  });

  it('is not an unbound one, nor one that is bound in another way', async () => {
    const x5t = thumbprint(world.frontend);
    await ask('binding_missing', { claims: { scope: 'orders.read' } });
    for (const cnf of [{ jkt: x5t }, { 'x5t#S256': x5t, jkt: x5t }, { jwk: {} }, { x5t }, {}, null, x5t])
      await ask('binding_unavailable', { claims: { scope: 'orders.read', cnf } });
  });

  it('is asked for directly where the line says so', async () => {
    const direct = { claims: bound(), path: '/audit/1' };
    await ask('allowed', direct);
    for (const about of ['', certField(world.frontend)])
      await ask('binding_unavailable', { ...direct, hops: [world.frontend, world.gateway], about });
    await ask('allowed', {
      claims: bound(),
      method: 'PUT',
      path: '/orders/1/refund',
      hops: [world.frontend, world.gateway],
    });
  });
});

describe('a token whose certificate was rotated', () => {
  const ask = askOf('Certificates that rotate');
  /** Issued a minute before `renewed` began. */
  const claims = (more: object = {}) => ({
    scope: 'orders.read',
    sub: world.frontend.id,
    iat: now() - 65,
    ...boundTo(world.frontend),
    ...more,
  });

  it('goes on with a newer one, seen by the guard itself', async () => {
    await ask('allowed', { claims: claims() });
    await ask('allowed', { claims: claims(), hops: [renewed] });
    await ask('allowed', { claims: claims(), hops: [renewed, world.gateway], about: certField(renewed) });
    await ask('binding_mismatch', { claims: claims(), hops: [renewed, world.gateway] });
    await ask('allowed', { claims: claims(), hops: [world.frontend, world.gateway] });
  });

  it('does not go on with one that began before it was issued, or in that very second', async () => {
    const began = Math.floor((Date.now() - 60_000) / 1000);
    const at = await world.svid('shop/sa/frontend', { notBefore: new Date(began * 1000) });
    await ask('binding_mismatch', { claims: claims(), hops: [another] });
    await ask('binding_mismatch', { claims: claims({ iat: began }), hops: [at] });
    await ask('binding_mismatch', { claims: claims({ iat: began + 1 }), hops: [at] });
    await ask('allowed', { claims: claims({ iat: began - 1 }), hops: [at] });
    await ask('allowed', { claims: claims({ iat: began - 0.001 }), hops: [at] });
  });

  it('does not go on with one that has not begun, or has ended', async () => {
    const early = await world.svid('shop/sa/frontend', { notBefore: new Date(Date.now() + 20_000) });
    const late = await world.svid('shop/sa/frontend', {
      notBefore: new Date(Date.now() - 50_000),
      notAfter: new Date(Date.now() - 10_000),
    });
    for (const svid of [early, late]) {
      await ask('peer_expired', { claims: claims(), hops: [svid] });
      await ask('origin_certificate_invalid', {
        claims: claims(),
        hops: [svid, world.gateway],
        about: certField(svid),
      });
    }
  });

  it('does not go on for another workload, nor where it names none or another', async () => {
    const theirs = await world.svid('shop/sa/thief', { notBefore: new Date(Date.now() - 5_000) });
    await ask('binding_mismatch', { claims: claims(), hops: [theirs] });
    await ask('binding_mismatch', { claims: claims({ sub: theirs.id }), hops: [renewed] });
    await ask('binding_mismatch', { claims: claims({ sub: theirs.id }), hops: [theirs, world.gateway] });
    for (const sub of ['alice', undefined, ''])
      await ask('binding_mismatch', { claims: claims({ sub }), hops: [renewed] });
    await ask('binding_missing', { claims: claims({ cnf: undefined }), hops: [renewed] });
    await ask('binding_unavailable', { claims: claims({ cnf: { jkt: 'x' } }), hops: [renewed] });
  });

  it('does not go on with a certificate that another authority signed, and no clock of a token stretches it', async () => {
    const rogue = await world.rogue.issue({ id: world.frontend.id, notBefore: new Date(Date.now() - 5_000) });
    await ask('peer_untrusted', { claims: claims(), hops: [rogue] });
    const forged = { hops: [rogue, world.gateway], about: certField(rogue) };
    await ask('origin_certificate_invalid', { claims: claims(), ...forged });
    // Within the clock skew a token may seem to be from the future: no certificate is newer than that.
    await ask('binding_mismatch', { claims: claims({ iat: now() + 20 }), hops: [renewed] });
    for (const iat of ['1', null, -Infinity])
      await ask('token_malformed', { claims: claims({ iat }), hops: [renewed] });
  });
});

describe('a token of Athenz', () => {
  const ask = askOf('Athenz');
  const carriedBy = (...list: unknown[]) => ({
    scp: ['reader'],
    cnf: { 'x5t#S256': thumbprint(world.frontend), 'proxy-principals#spiffe': list },
  });

  it('passes through the forwarders that it lists, every one of them', async () => {
    const { frontend, gateway, inner } = world;
    const direct = [frontend];
    const one = [frontend, gateway];
    const two = [frontend, gateway, inner];
    for (const hops of [direct, one, two])
      await ask('allowed', { claims: { scp: ['reader'], ...boundTo(frontend) }, hops });
    for (const hops of [direct, one]) await ask('allowed', { claims: carriedBy(gateway.id), hops });
    await ask('binding_mismatch', { claims: carriedBy(gateway.id), hops: two });
    await ask('binding_mismatch', { claims: carriedBy(inner.id), hops: two });
    await ask('allowed', { claims: carriedBy(inner.id, gateway.id, gateway.id), hops: two });
    await ask('allowed', { claims: carriedBy(), hops: direct });
    await ask('binding_mismatch', { claims: carriedBy(), hops: one });
  });

  it('is no token of the proxies that it lists, and of no other certificate', async () => {
    const { thief, gateway, batch } = world;
    await ask('binding_mismatch', { claims: carriedBy(gateway.id, thief.id), hops: [thief] });
    await ask('binding_mismatch', { claims: carriedBy(gateway.id, thief.id), hops: [thief, gateway] });
    await ask('binding_mismatch', { claims: carriedBy(batch.id), hops: [batch] });
  });

  it('with a list that is none is refused, also where nobody carries it', async () => {
    const { frontend, gateway } = world;
    for (const bad of [7, null, '', `${gateway.id}/`, 'spiffe://prod.example/**', 'https://gateway', [gateway.id]])
      for (const hops of [[frontend], [frontend, gateway]])
        await ask('binding_mismatch', { claims: carriedBy(gateway.id, bad), hops });
    const alone = { scp: ['reader'], cnf: { 'proxy-principals#spiffe': [gateway.id] } };
    await ask('binding_unavailable', { claims: alone, hops: [frontend] });
  });
});

describe('a JWT-SVID', () => {
  const ask = askOf('JWT-SVIDs');
  const claims = (more: object = {}) => ({ sub: world.frontend.id, ...more });

  it('counts for the workload that it names', async () => {
    for (const typ of ['JWT', 'JOSE', undefined]) await ask('allowed', { claims: claims(), typ });
    await ask('binding_mismatch', { claims: claims(), hops: [world.thief] });
    await ask('caller_not_allowed', { claims: { sub: world.batch.id }, hops: [world.batch] });
  });

  it('names a workload of the trust domain, in the form that an ID has', async () => {
    const { id } = world.frontend;
    for (const sub of [`${id}/`, `${id}/../frontend`, id.toUpperCase(), `${id}?x`, 'spiffe://prod.example'])
      await ask('binding_mismatch', { claims: { sub } });
    await ask('binding_mismatch', { claims: { sub: id.replace('prod.', 'partner.') } });
    for (const sub of ['frontend', undefined, '']) await ask('binding_missing', { claims: { sub } });
  });

  it('is for this service, of the right kind, and gives no scope', async () => {
    for (const aud of ['orders', 'spiffe://prod.example/ns/shop/sa/other', [], undefined])
      await ask('token_audience', { claims: claims({ aud }) });
    for (const typ of ['wit+jwt', 'at+jwt']) await ask('token_type', { claims: claims(), typ });
    await ask('scope_missing', { claims: claims({ scope: 'orders.write' }), method: 'POST', path: '/orders' });
    await ask('token_malformed', { claims: claims({ exp: undefined }) });
  });

  it('is never signed with an algorithm that the standard leaves out', async () => {
    const signer = await makeIssuer({ issuer: 'https://spire.prod.example', algorithm: 'EdDSA' });
    const token = await signer.sign(claims());
    const answer = await guards.get('JWT-SVIDs')?.check(callThrough({ hops: [world.frontend], token }));
    expect(answer?.metadata['reason']).toBe('token_algorithm');
  });
});

describe('a Kubernetes token', () => {
  const ask = askOf('Kubernetes service-account tokens');
  const claims = (more: object = {}, details: object = {}): Record<string, unknown> => ({
    sub: 'system:serviceaccount:shop:frontend',
    'kubernetes.io': {
      namespace: 'shop',
      node: { name: 'node-1', uid: 'n' },
      pod: { name: 'frontend-1', uid: '0b1e-1' },
      serviceaccount: { name: 'frontend', uid: 's' },
      ...details,
    },
    ...more,
  });
  const typ = undefined;

  it('counts for the service account that it names', async () => {
    await ask('allowed', { claims: claims(), typ });
    await ask('binding_mismatch', { claims: claims(), typ, hops: [world.thief] });
    await ask('allowed', { claims: claims(), typ, hops: [another] });
    await ask('binding_mismatch', { claims: claims({ sub: 'system:serviceaccount:shop:thief' }), typ });
    await ask('binding_mismatch', { claims: claims({}, { namespace: 'ops' }), typ });
    await ask('binding_mismatch', { claims: claims({}, { serviceaccount: { name: 'thief' } }), typ });
    await ask('binding_mismatch', { claims: claims({ 'kubernetes.io': undefined }), typ });
    await ask('binding_missing', { claims: claims({ sub: 'alice', 'kubernetes.io': undefined }), typ });
  });

  it('counts for its pod alone, where the ID of the origin tells the pod', async () => {
    await ask('caller_not_allowed', { claims: claims(), typ, hops: [frontendPod] });
    const lines = 'GET /orders/{id} token from=ns/shop/sa/frontend,ns/shop/sa/frontend/pod/*';
    const guard = guards.get('Kubernetes service-account tokens');
    guard?.write('scopes', lines);
    await guard?.reload();
    await ask('allowed', { claims: claims(), typ, hops: [frontendPod] });
    await ask('binding_mismatch', {
      claims: claims({}, { pod: { name: 'frontend-1', uid: '0b1e-2' } }),
      typ,
      hops: [frontendPod],
    });
    await ask('binding_mismatch', { claims: claims({}, { pod: undefined }), typ, hops: [frontendPod] });
    await ask('allowed', { claims: claims({}, { pod: undefined }), typ });
  });

  it('is not one for the API server, not one from a secret, not one of a year', async () => {
    const fromSecret = {
      'kubernetes.io': undefined,
      'kubernetes.io/serviceaccount/namespace': 'shop',
      'kubernetes.io/serviceaccount/secret.name': 'frontend-token-x7b2p',
      'kubernetes.io/serviceaccount/service-account.name': 'frontend',
      exp: undefined,
    };
    await ask('token_audience', { claims: claims({ aud: ['https://kubernetes.default.svc.cluster.local'] }), typ });
    await ask('token_audience', { claims: claims({ ...fromSecret, aud: undefined }), typ });
    await ask('token_malformed', { claims: claims(fromSecret), typ });
    await ask('token_lifetime_excess', {
      claims: claims({ exp: now() + 365 * 24 * 3600 }, { warnafter: now() + 3607 }),
      typ,
    });
    await ask('allowed', { claims: claims({ exp: now() + 3599 }), typ });
  });

  it('that should have been renewed passes, and its record says so', async () => {
    const warnafter = now() - 10;
    const late = await ask('allowed', { claims: claims({}, { warnafter }), typ });
    const early = await ask('allowed', { claims: claims({}, { warnafter: now() + 3000 }), typ });
    await ask('token_malformed', { claims: claims({}, { warnafter: 'soon' }), typ });
    expect((await late()).warn_after).toBe(new Date(warnafter * 1000).toISOString());
    expect((await early()).warn_after).toBeUndefined();
  });
});

describe('an unbound token', () => {
  const ask = askOf('Unbound tokens');
  const claims = (jti: string, more: object = {}) => ({
    sub: 'alice',
    scope: 'orders.read orders.write',
    jti,
    ...more,
  });

  it('belongs to the first who was let in with it, and to those who share it by design', async () => {
    const { frontend, batch, thief, gateway } = world;
    await ask('token_malformed', { claims: claims('first', { act: 7 }), hops: [thief] });
    await ask('route_undeclared', { claims: claims('first'), hops: [thief], path: '/nowhere' });
    for (const hops of [[frontend], [frontend], [batch], [frontend]])
      await ask('allowed', { claims: claims('first'), hops });
    await ask('token_presenter_changed', { claims: claims('first'), hops: [thief] });
    await ask('allowed', { claims: claims('second'), hops: [thief] });
    await ask('token_presenter_changed', { claims: claims('second'), hops: [frontend] });
    await ask('presenter_not_allowed', { claims: claims('third'), hops: [gateway] });
  });

  it('is used once where the line says so, and a cnf in it still has to hold', async () => {
    const once = { method: 'PUT', path: '/orders/1/refund' };
    await ask('allowed', { claims: claims('once'), ...once });
    await ask('token_replayed', { claims: claims('once'), ...once });
    await ask('allowed', { claims: claims('bound', boundTo(world.frontend)) });
    await ask('binding_mismatch', { claims: claims('bound', boundTo(world.frontend)), hops: [world.batch] });
  });
});

describe('a token of one kind', () => {
  const bearer = (more: object): Plan => ({ claims: { scope: 'orders.read', ...more } });
  const kinds: Readonly<Record<string, () => Plan>> = {
    'an access token': () => ({ ...bearer({ sub: 'alice', client_id: 'frontend' }), typ: 'at+jwt' }),
    'a JWT-SVID': () => ({ ...bearer({ sub: world.frontend.id }), typ: undefined }),
    'a Kubernetes token': () => ({
      ...bearer({
        sub: 'system:serviceaccount:shop:frontend',
        'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'frontend' } },
      }),
      typ: undefined,
    }),
    'an ID token': () => ({ ...bearer({ sub: 'alice', nonce: 'n', auth_time: now() }), typ: 'JWT' }),
    'a logout token': () => ({ ...bearer({ sub: 'alice', events: {} }), typ: 'logout+jwt' }),
    'a security event': () => ({ ...bearer({ sub: 'alice', events: {} }), typ: 'secevent+jwt' }),
    'a DPoP proof': () => ({ ...bearer({ htm: 'GET', htu: 'https://orders' }), typ: 'dpop+jwt' }),
    'a transaction token': () => ({ ...bearer({ sub: 'alice', txn: 't', req_wl: 'x' }), typ: 'txntoken+jwt' }),
    'a workload identity token': () => ({ ...bearer({ sub: world.frontend.id, cnf: { jwk: {} } }), typ: 'wit+jwt' }),
  };

  // RFC 8725 §3.12, with the worst issuer: it signs every kind with the same key, for the right audience.
  it.each<[entry: string, takes: string, others: Readonly<Record<string, string>>]>([
    ['Access tokens', 'an access token', {}],
    [
      'Certificate-bound access tokens',
      '',
      {
        'an access token': 'binding_missing',
        'a JWT-SVID': 'binding_missing',
        'a Kubernetes token': 'binding_missing',
        'an ID token': 'binding_missing',
      },
    ],
    [
      'Certificates that rotate',
      '',
      {
        'an access token': 'binding_missing',
        'a JWT-SVID': 'binding_missing',
        'a Kubernetes token': 'binding_missing',
        'an ID token': 'binding_missing',
      },
    ],
    ['JWT-SVIDs', 'a JWT-SVID', { 'a Kubernetes token': 'binding_missing', 'an ID token': 'binding_missing' }],
    [
      'Kubernetes service-account tokens',
      'a Kubernetes token',
      { 'a JWT-SVID': 'binding_missing', 'an ID token': 'binding_missing' },
    ],
  ])('is no other kind: %s', async (entry, takes, others) => {
    const ask = askOf(entry);
    for (const [kind, plan] of Object.entries(kinds))
      await ask(kind === takes ? 'allowed' : (others[kind] ?? 'token_type'), plan());
  });
});

describe('a token of an exchange', () => {
  it('tells its actors in the record, and nothing is granted for them', async () => {
    const ask = askOf('Certificate-bound access tokens');
    const act = { sub: world.thief.id, scope: 'orders.read', act: { sub: 'bff', iss: 'https://idp.prod.example' } };
    const claims = { sub: 'alice', scope: 'orders.read', ...boundTo(world.frontend), act };
    const told = [
      await ask('allowed', { claims }),
      await ask('binding_mismatch', { claims, hops: [world.thief] }),
      await ask('scope_missing', { claims: { ...claims, scope: '' } }),
    ];
    for (const record of told)
      expect((await record()).act).toEqual([world.thief.id, 'bff of https://idp.prod.example']);
    const claimed = await ask('token_malformed', { claims: { ...claims, act: 'thief' } });
    expect((await claimed()).act).toBeUndefined();
  });
});
