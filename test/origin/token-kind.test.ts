/** What a kind of token demands beyond RFC 7519, with real signatures: each allow beside its nearest denials. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readToken } from '../../src/evidence/token.js';
import { instantAt } from '../../src/model/instant.js';
import type { FindKeys } from '../../src/model/ports.js';
import type { Result } from '../../src/model/result.js';
import type { IssuerSettings } from '../../src/model/settings.js';
import type { VerifiedToken } from '../../src/model/token.js';
import { checkTokenTimes, verifyTokenSignature } from '../../src/origin/token.js';
import { readJwks } from '../../src/state/jwks.js';
import { issuerSettings, makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

const NOW = 1_790_000_000_000;
const SECONDS = NOW / 1000;
const YEAR = 365 * 86_400;

let issuer: TestIssuer;
let keys: ReturnType<FindKeys>;
beforeAll(async () => {
  issuer = await makeIssuer({ now: () => NOW });
  const read = await readJwks(JSON.stringify(issuer.jwks));
  if (!read.ok) throw new Error(read.problem);
  keys = read.keys;
});

async function verify(
  claims: Record<string, unknown>,
  header: Record<string, unknown>,
  settings: Partial<IssuerSettings>,
): Promise<Result<VerifiedToken>> {
  const token = readToken(await issuer.sign(claims, header), 'authorization');
  if (!token.ok) return token;
  const signed = await verifyTokenSignature(token.value, [issuerSettings(settings)], () => keys);
  return signed.ok ? checkTokenTimes(signed.value, instantAt(NOW)) : signed;
}

async function outcome(...given: Parameters<typeof verify>): Promise<string> {
  const result = await verify(...given);
  return result.ok ? 'verified' : result.reason;
}

async function verified(...given: Parameters<typeof verify>): Promise<VerifiedToken> {
  const result = await verify(...given);
  if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
  return result.value;
}

describe('an access token (RFC 9068)', () => {
  const right = { sub: 'alice', client_id: 'web' };
  const typ = { typ: 'at+jwt' };
  const alone = { types: ['at+jwt'] };

  it('has sub and jti, where its issuer is listed for at+jwt alone', async () => {
    expect(await outcome(right, typ, alone)).toBe('verified');
    expect(await outcome(right, { typ: 'application/AT+JWT' }, alone)).toBe('verified');
    expect(await outcome({ sub: 'alice' }, typ, alone)).toBe('verified');
    for (const name of ['sub', 'jti'])
      for (const wrong of [undefined, null, '', 7, ['alice'], {}])
        expect([name, wrong, await outcome({ ...right, [name]: wrong }, typ, alone)]).toEqual([
          name,
          wrong,
          'token_malformed',
        ]);
  });

  it.each([
    ['iss', 'token_issuer_unknown'],
    ['aud', 'token_audience'],
    ['exp', 'token_malformed'],
    ['iat', 'token_malformed'],
  ])('has %s, like every token', async (name, reason) => {
    for (const settings of [alone, {}])
      expect(await outcome({ ...right, [name]: undefined }, typ, settings)).toBe(reason);
  });

  it('is no other kind of token that the same issuer signed', async () => {
    for (const other of [
      'JWT',
      undefined,
      'id+jwt',
      'logout+jwt',
      'dpop+jwt',
      'secevent+jwt',
      'txntoken+jwt',
      'wit+jwt',
    ])
      expect(await outcome(right, { typ: other }, alone)).toBe('token_type');
  });

  it('is not asked for where the operator takes other kinds too: the token does not choose the rules', async () => {
    expect(await outcome({}, typ, {})).toBe('verified');
    expect(await outcome({}, typ, { types: ['at+jwt', 'jwt'] })).toBe('verified');
    expect(await outcome({}, {}, { types: ['jwt'] })).toBe('verified');
  });
});

describe('a Kubernetes token', () => {
  const kubernetes = { identity: { kind: 'kubernetes' } } as const;
  const details = { namespace: 'shop', serviceaccount: { name: 'frontend', uid: 'u' }, pod: { name: 'p', uid: 'v' } };
  const claims = (more: object = {}): Record<string, unknown> => ({
    sub: 'system:serviceaccount:shop:frontend',
    'kubernetes.io': { ...details, ...more },
  });

  it('is flagged, and not refused, after its warnafter', async () => {
    const warned = await verified(claims({ warnafter: SECONDS - 60 }), { typ: undefined }, kubernetes);
    expect(warned.warnAfter).toBe(NOW - 60_000);
    expect((await verified(claims(), { typ: undefined }, kubernetes)).warnAfter).toBeUndefined();
  });

  it('with a warnafter that is no time is malformed, where the issuer is one of Kubernetes', async () => {
    for (const warnafter of ['1', null, {}, [], true, 1e300]) {
      expect(await outcome(claims({ warnafter }), {}, kubernetes)).toBe('token_malformed');
      expect(await outcome(claims({ warnafter }), {}, {})).toBe('verified');
    }
  });

  it('of a year is too long, unless the operator takes such', async () => {
    const extended = { ...claims({ warnafter: SECONDS + 3607 }), exp: SECONDS + YEAR };
    expect(await outcome(extended, {}, kubernetes)).toBe('token_lifetime_excess');
    expect(await outcome(extended, {}, { ...kubernetes, maxLifetime: YEAR * 1000 })).toBe('verified');
  });

  it('from a secret, as clusters made them before 1.24, is refused: it has neither aud nor exp', async () => {
    const legacy = {
      iss: 'kubernetes/serviceaccount',
      sub: 'system:serviceaccount:shop:frontend',
      'kubernetes.io/serviceaccount/namespace': 'shop',
      'kubernetes.io/serviceaccount/secret.name': 'frontend-token-x7b2p',
      'kubernetes.io/serviceaccount/service-account.name': 'frontend',
      'kubernetes.io/serviceaccount/service-account.uid': 'u',
      ...{ aud: undefined, exp: undefined, iat: undefined, jti: undefined },
    };
    const settings = { ...kubernetes, issuer: legacy.iss };
    expect(await outcome(legacy, {}, settings)).toBe('token_audience');
    expect(await outcome({ ...legacy, aud: 'orders' }, {}, settings)).toBe('token_malformed');
    expect(await outcome({ ...legacy, aud: 'orders', exp: SECONDS + 60 }, {}, settings)).toBe('token_malformed');
  });
});

describe('the actors of a token (RFC 8693)', () => {
  const of = async (act: unknown): Promise<unknown> => {
    const result = await verify({ sub: 'alice', scope: 'orders.read', act }, {}, {});
    return result.ok ? result.value.actors : result.reason;
  };
  const nested = (depth: number): unknown =>
    depth === 0 ? undefined : { sub: `actor-${depth}`, ...(depth > 1 ? { act: nested(depth - 1) } : {}) };

  it('are told from the one that acts now to the first', async () => {
    expect(await of(undefined)).toEqual([]);
    expect(await of({ sub: 'bff' })).toEqual(['bff']);
    expect(await of({ sub: 'agent', iss: 'https://a.example', act: { sub: 'bff', act: { client_id: 'x' } } })).toEqual([
      'agent of https://a.example',
      'bff',
      'unnamed',
    ]);
  });

  it('are told at every depth that fits into a token', async () => {
    expect(await of(nested(300))).toHaveLength(300);
  });

  it.each([
    ['a text', 'bff'],
    ['null', null],
    ['a list', [{ sub: 'bff' }]],
    ['a number', 7],
    ['an actor whose sub is no text', { sub: 7 }],
    ['an actor whose issuer is no text', { sub: 'bff', iss: [] }],
    ['an actor of a list', { sub: 'bff', act: [] }],
    ['an actor of null', { sub: 'bff', act: null }],
  ])('that are %s are malformed', async (_, act) => {
    expect(await of(act)).toBe('token_malformed');
  });

  it('give nothing: no scope, no subject, no times', async () => {
    const act = { sub: 'admin', scope: 'orders.admin', exp: SECONDS + YEAR, act: { sub: 'root', scope: 'everything' } };
    const token = await verified({ sub: 'alice', scope: 'orders.read', act }, {}, {});
    expect([token.subject, token.scopes, token.expires]).toEqual(['alice', ['orders.read'], NOW + 300_000]);
  });
});
