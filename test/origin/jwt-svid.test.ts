import { beforeAll, describe, expect, it } from 'vitest';
import { readToken } from '../../src/evidence/token.js';
import type { TrustDomain } from '../../src/model/ids.js';
import type { FindKeys } from '../../src/model/ports.js';
import type { IssuerSettings } from '../../src/model/settings.js';
import { verifyTokenSignature } from '../../src/origin/token.js';
import { readSpiffeBundle } from '../../src/state/spiffe/bundle.js';
import { issuerSettings, makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

const PROD = 'prod.example' as TrustDomain;
const PARTNER = 'partner.example' as TrustDomain;
const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
const REPORTER = 'spiffe://partner.example/ns/reports/sa/reporter';

const entry = (domain: TrustDomain, changes: Partial<IssuerSettings> = {}): IssuerSettings =>
  issuerSettings({
    issuer: `https://${domain}`,
    keys: { kind: 'spiffe', domain },
    types: ['jwt', 'jose'],
    ...changes,
  });
const ENTRIES = [entry(PROD), entry(PARTNER)];

/** Both domains have an authority of the same kid: only the domain keeps them apart. */
let prod: TestIssuer;
let partner: TestIssuer;
let findKeys: FindKeys;
beforeAll(async () => {
  [prod, partner] = await Promise.all([makeIssuer({ kid: 'a' }), makeIssuer({ kid: 'a' })]);
  const bundles = new Map([
    [PROD, await authorities(prod)],
    [PARTNER, await authorities(partner)],
  ]);
  findKeys = ({ keys }) => (keys.kind === 'spiffe' ? bundles.get(keys.domain) : undefined) ?? 'unavailable';
});

async function authorities(...issuers: readonly TestIssuer[]) {
  const keys = issuers.map(({ jwk }) => ({ ...jwk, use: 'jwt-svid' }));
  const bundle = await readSpiffeBundle(JSON.stringify({ keys }));
  return bundle.ok ? bundle.value.keys : expect.fail(bundle.problem);
}

/** An SVID as an agent mints it: no `iss`, no `jti`. */
const svid = (by: TestIssuer, sub: unknown, claims: object = {}, header: Record<string, unknown> = {}) =>
  by.sign({ iss: undefined, jti: undefined, sub, ...claims }, header);

async function outcome(text: Promise<string>, issuers = ENTRIES): Promise<string> {
  const token = readToken(await text, 'authorization');
  if (!token.ok) return token.reason;
  const signed = await verifyTokenSignature(token.value, issuers, findKeys);
  return signed.ok ? `${signed.value.untimed.issuer.issuer} ${signed.value.untimed.subject}` : signed.reason;
}

describe('a JWT-SVID', () => {
  it('is chosen by the trust domain of its sub, and verified with that domain’s authorities', async () => {
    expect(await outcome(svid(prod, FRONTEND))).toBe(`https://prod.example ${FRONTEND}`);
    expect(await outcome(svid(partner, REPORTER))).toBe(`https://partner.example ${REPORTER}`);
  });

  it('of one domain is never verified with another domain’s authorities', async () => {
    expect(await outcome(svid(partner, FRONTEND))).toBe('token_signature');
    expect(await outcome(svid(prod, REPORTER))).toBe('token_signature');
    expect(await outcome(svid(partner, FRONTEND, { iss: 'https://partner.example' }))).toBe('token_issuer_unknown');
    expect(await outcome(svid(partner, FRONTEND, { iss: 'https://prod.example' }))).toBe('token_signature');
  });

  it('may say its issuer, and no other one', async () => {
    expect(await outcome(svid(prod, FRONTEND, { iss: 'https://prod.example' }))).toContain(FRONTEND);
    expect(await outcome(svid(prod, FRONTEND, { iss: 'https://idp.prod.example' }))).toBe('token_issuer_unknown');
    expect(await outcome(svid(prod, FRONTEND, { iss: '' }))).toBe('token_issuer_unknown');
  });

  it.each([
    ['no sub', undefined],
    ['a sub that is no SPIFFE ID', 'frontend'],
    ['a sub that is a trust domain', 'spiffe://prod.example'],
    ['a sub of an unknown domain', 'spiffe://other.example/ns/shop/sa/frontend'],
    ['a sub of a domain that ends alike', 'spiffe://evil-prod.example/ns/shop/sa/frontend'],
    ['a sub in capitals', 'spiffe://PROD.example/ns/shop/sa/frontend'],
    ['a sub with dots', 'spiffe://prod.example/ns/../sa/frontend'],
    ['a sub that is a list', [FRONTEND]],
  ])('with %s is nobody’s', async (_name, sub) => {
    expect(await outcome(svid(prod, sub))).toBe('token_issuer_unknown');
  });

  it('is of type JWT or JOSE, or of none', async () => {
    for (const typ of ['JWT', 'JOSE', undefined])
      expect(await outcome(svid(prod, FRONTEND, {}, { typ }))).toContain(FRONTEND);
    for (const typ of ['at+jwt', 'wit+jwt'])
      expect(await outcome(svid(prod, FRONTEND, {}, { typ }))).toBe('token_type');
  });

  it('names an authority that its domain has now, and an audience that is ours', async () => {
    expect(await outcome(svid(prod, FRONTEND, {}, { kid: 'b' }))).toBe('token_key_unknown');
    expect(await outcome(svid(prod, FRONTEND, {}, { kid: undefined }))).toBe('token_key_unknown');
    expect(await outcome(svid(prod, FRONTEND, { aud: undefined }))).toBe('token_audience');
    expect(await outcome(svid(prod, FRONTEND, { aud: ['payments'] }))).toBe('token_audience');
    expect(await outcome(svid(prod, FRONTEND, { aud: ['payments', 'orders'] }))).toContain(FRONTEND);
  });

  it('stands beside the tokens of an issuer, which are chosen by iss as ever', async () => {
    const idp = issuerSettings({ keys: { kind: 'file', file: 'idp.jwks.json' } });
    const other = await makeIssuer({ kid: 'idp' });
    const keys = await authorities(other);
    const find: FindKeys = (issuer) => (issuer === idp ? keys : findKeys(issuer));
    const ask = async (text: string): Promise<string> => {
      const token = readToken(text, 'authorization');
      if (!token.ok) return token.reason;
      const signed = await verifyTokenSignature(token.value, [idp, ...ENTRIES], find);
      return signed.ok ? signed.value.untimed.issuer.issuer : signed.reason;
    };
    expect(await ask(await other.sign({ sub: FRONTEND }))).toBe(idp.issuer);
    expect(await ask(await other.sign({ iss: undefined, sub: FRONTEND }))).toBe('token_key_unknown');
    expect(await ask(await svid(prod, FRONTEND))).toBe('https://prod.example');
    expect(await ask(await svid(prod, FRONTEND, { iss: idp.issuer }))).toBe('token_key_unknown');
  });
});

describe('the authorities in a SPIFFE bundle', () => {
  it('are the keys for JWT-SVIDs alone: others, keys without a use, and EdDSA are left out', async () => {
    const ed = await makeIssuer({ algorithm: 'EdDSA', kid: 'ed' });
    const rs = await makeIssuer({ algorithm: 'RS256', kid: 'rs' });
    const keys = [
      { ...prod.jwk, use: 'jwt-svid', kid: 'right' },
      { ...prod.jwk, use: 'sig', kid: 'sig' },
      { ...prod.jwk, use: 'wit-svid', kid: 'wit' },
      { ...prod.jwk, use: 'JWT-SVID', kid: 'case' },
      { ...prod.jwk, use: undefined, kid: 'none' },
      { ...ed.jwk, use: 'jwt-svid' },
      { ...rs.jwk, use: 'jwt-svid', alg: undefined },
    ];
    const bundle = await readSpiffeBundle(JSON.stringify({ keys, spiffe_sequence: 7, spiffe_refresh_hint: 60 }));
    if (!bundle.ok) throw new Error(bundle.problem);
    expect([...bundle.value.keys.keys()]).toEqual(['right', 'rs']);
    expect(bundle.value).toMatchObject({ anchors: [], sequence: 7, refreshHint: 60_000 });
  });

  it.each([
    ['a private one', { d: 'AAAA' }, 'secret key material'],
    ['a kid that two share', {}, '"kid" was used'],
  ])('make the bundle a bad one: %s', async (_name, change, problem) => {
    const jwk = { ...prod.jwk, use: 'jwt-svid' };
    const bundle = await readSpiffeBundle(JSON.stringify({ keys: [jwk, { ...jwk, ...change }] }));
    expect(bundle).toMatchObject({ ok: false, problem: expect.stringContaining(problem) as string });
  });

  it('are none in an empty bundle, or in one without a usable entry', async () => {
    for (const keys of [[], [{ kty: 'AKP', use: 'jwt-svid', kid: 'x' }]]) {
      const bundle = await readSpiffeBundle(JSON.stringify({ keys }));
      expect(bundle.ok && bundle.value.keys.size).toBe(0);
    }
  });

  it.each([-1, 1.5, 2 ** 53, '7', null])('have no refresh hint of %j', async (hint) => {
    const bundle = await readSpiffeBundle(JSON.stringify({ keys: [], spiffe_refresh_hint: hint }));
    expect(bundle.ok).toBe(false);
  });
});
