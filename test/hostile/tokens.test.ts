/** Tokens that a stranger made or bent (RFC 8725), each beside the one that it was made from. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateKeyPair, exportJWK, CompactSign } from 'jose';
import type { Guard } from '../helpers/guard.js';
import { makeIssuer, nonCanonical, signedWithPublicKey, unsigned, withHeader } from '../helpers/tokens.js';
import { expectAllowed, expectDenied } from '../helpers/verdicts.js';
import { callThrough, guardOf, ISSUER, makeWorld, SCOPES } from '../helpers/world.js';
import type { World } from '../helpers/world.js';

let world: World;
let guard: Guard;
beforeAll(async () => {
  world = await makeWorld();
  guard = await guardOf(world, {});
});
afterAll(() => guard.stop());

const present = (token: string, headers: readonly (readonly [string, string])[] = []) =>
  guard.check(callThrough({ hops: [world.frontend], token, headers }));

/** A key of a stranger's own. */
async function strangers() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: world.idp.kid, alg: 'ES256', use: 'sig' };
  const sign = (header: Record<string, unknown>, claims: Record<string, unknown> = {}): Promise<string> => {
    const iat = Math.floor(Date.now() / 1000);
    const all = { iss: ISSUER.issuer, aud: 'orders', iat, exp: iat + 300, jti: 'x', scope: SCOPES, ...claims };
    return new CompactSign(Buffer.from(JSON.stringify(all)))
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', ...header })
      .sign(privateKey);
  };
  return { jwk, sign };
}

describe('a token', () => {
  test.each(['none', 'None', 'NONE', 'noNE', 'none '])('without a signature is refused as alg %s', async (spelling) => {
    const token = await world.token();
    const bare = unsigned(token, spelling);
    const answer = await present(bare);
    expect(['token_algorithm', 'token_malformed']).toContain(answer.metadata['reason']);
    expect(answer.code).toBe(16);
    expectDenied(await present(`${bare}${token.split('.')[2] ?? ''}`), 'token_algorithm');
    expectAllowed(await present(token));
  });

  test('that is signed by HMAC with the public key is refused, whatever form of the key was the secret', async () => {
    const token = await world.token();
    for (const forged of await signedWithPublicKey(world.idp, token)) {
      expectDenied(await present(forged), 'token_algorithm');
      expectDenied(await present(withHeader(forged, { alg: 'ES256' })), 'token_signature');
    }
  });

  test.each(['HS256', 'hs256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'es256', 'ES256K', ''])(
    'that says %s of an ES256 key is refused',
    async (alg) => {
      const answer = await present(withHeader(await world.token(), { alg }));
      expect(['token_algorithm', 'token_key_unknown']).toContain(answer.metadata['reason']);
      expect(answer.code).toBe(16);
    },
  );

  test('that brings its own key is judged by the keys of its issuer', async () => {
    const { jwk, sign } = await strangers();
    for (const header of [
      { jwk },
      { jku: 'https://evil.example/jwks.json' },
      { x5u: 'https://evil.example/cert.pem' },
      { x5c: [Buffer.from(world.thief.der).toString('base64')] },
      { jwk, jku: 'https://evil.example/jwks.json', 'x5t#S256': 'x' },
    ]) {
      expectDenied(await present(await sign({ ...header, kid: world.idp.kid })), 'token_signature');
      expectDenied(await present(await sign({ ...header, kid: 'evil' })), 'token_key_unknown');
      expectDenied(await present(await sign(header)), 'token_key_unknown');
      expectAllowed(await present(await world.token({}, header)));
    }
  });

  test.each(['../key-1', 'key-1\u0000', 'KEY-1', ' key-1', "key-1' OR 1=1", '__proto__', 'constructor', ''])(
    'whose kid is %j has no key',
    async (kid) => {
      expectDenied(await present(await world.token({}, { kid })), 'token_key_unknown');
    },
  );

  test('whose header asks to be read in another way is refused', async () => {
    const token = await world.token();
    for (const header of [
      { crit: ['b64'], b64: true },
      { crit: [] },
      { crit: ['exp'] },
      { b64: false },
      { zip: 'DEF' },
      { enc: 'A128GCM' },
    ])
      expectDenied(await present(withHeader(token, header)), 'token_malformed');
  });

  test('that is spelled in another way is refused', async () => {
    const token = await world.token();
    const [header = '', payload = '', signature = ''] = token.split('.');
    for (const bent of [
      nonCanonical(token),
      `${token}=`,
      `${header}=.${payload}.${signature}`,
      `${token}.`,
      `${token}.x`,
      `.${token}`,
      `${header}..${signature}`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature}.${signature}.${signature}`,
      `${header} .${payload}.${signature}`,
      token.replace('.', '%2E'),
      `"${token}"`,
      `${token}\u0000`,
    ])
      expectDenied(await present(bent), 'token_malformed');
    const json = JSON.stringify({ payload, protected: header, signature });
    expectDenied(await present(json), 'header_ambiguous');
    expectAllowed(await present(token));
  });

  test('behind another scheme, or with more than one space, is none or malformed', async () => {
    const token = await world.token();
    const line = (value: string) =>
      guard.check(callThrough({ hops: [world.frontend], headers: [['authorization', value]] }));
    for (const value of [`Basic ${token}`, `DPoP ${token}`, token, `Bearer: ${token}`, 'x', ''])
      expectDenied(await line(value), 'token_missing');
    for (const value of [
      'Bearer',
      'Bearer ',
      `Bearer  ${token}`,
      `Bearer\t${token}`,
      `Bearer ${token} `,
      `Bearer ${token} x`,
    ])
      expectDenied(await line(value), 'token_malformed');
    for (const value of [`Bearer ${token}`, `bearer ${token}`, `BEARER ${token}`]) expectAllowed(await line(value));
  });

  test('in the query, a cookie or a body is no token', async () => {
    const token = await world.token();
    const call = { hops: [world.frontend] };
    expectDenied(await guard.check(callThrough({ ...call, path: `/orders/1?access_token=${token}` })), 'token_missing');
    expectDenied(await guard.check(callThrough({ ...call, headers: [['cookie', `token=${token}`]] })), 'token_missing');
  });

  test('whose payload is no JSON object is refused, whoever signed it', async () => {
    expectDenied(await present(await world.idp.signBytes('[]')), 'token_malformed');
    expectDenied(await present(await world.idp.signBytes('{"iss":"x"')), 'token_malformed');
    expectDenied(await present(await world.idp.signBytes(Buffer.from([0xff, 0x7b, 0x7d]))), 'token_malformed');
    expectDenied(await present(await world.idp.signBytes('\ufeff{}')), 'token_malformed');
  });

  test.each([
    ['exp', '9999999999'],
    ['exp', null],
    ['exp', 1e300],
    ['exp', true],
    ['iat', undefined],
    ['iat', '1'],
    ['nbf', '0'],
    ['nbf', {}],
    ['sub', 7],
    ['jti', 7],
    ['scope', 7],
    ['scope', { 'orders.read': true }],
    ['scope', ['orders.read', 7]],
    ['txn', []],
  ])('whose %s is %j is malformed', async (claim, value) => {
    expectDenied(await present(await world.token({ [claim]: value })), 'token_malformed');
  });

  test.each([7, null, [7], [], '', 'ORDERS', 'orders ', ['payments'], { orders: true }])(
    'for the audience %j is for nobody here',
    async (aud) => {
      expectDenied(await present(await world.token({ aud })), 'token_audience');
    },
  );

  test.each(['https://idp.prod.example/', 'HTTPS://IDP.PROD.EXAMPLE', ' https://idp.prod.example', undefined, ''])(
    'of the issuer %j is of nobody',
    async (iss) => {
      expectDenied(await present(await world.token({ iss })), 'token_issuer_unknown');
    },
  );

  test.each([
    'orders.read2',
    'orders',
    'orders.readx orders',
    'ORDERS.READ',
    'orders.*',
    '**',
    'orders.read,orders.write',
    'orders.read\torders.write',
    '',
  ])('with the scope %j has no orders.read', async (scope) => {
    expectDenied(await present(await world.token({ scope })), 'scope_missing');
    expectAllowed(await present(await world.token({ scope: `${scope} orders.read` })));
  });
});

describe('an issuer', () => {
  test('gives nothing beyond its grants', async () => {
    const tokens = [{ ...ISSUER, grants: ['catalog.*'] }];
    const own = await guardOf(world, { config: { tokens } });
    const token = await world.token();
    const call = (path: string) => own.check(callThrough({ hops: [world.frontend], token, path }));
    expectDenied(await call('/orders/1'), 'scope_missing');
    expectAllowed(await call('/catalog/x'));
    await own.stop();
  });

  test('is not another that has the same key id', async () => {
    const other = await makeIssuer({ issuer: 'https://other.prod.example', kid: world.idp.kid });
    const entry = { issuer: other.issuer, keys: 'other.json', audiences: ['orders'], grants: ['**'] };
    const own = await guardOf(world, {
      config: { tokens: [{ ...ISSUER, grants: ['**'] }, entry] },
      files: { 'other.json': JSON.stringify(other.jwks) },
    });
    const call = (token: string) => own.check(callThrough({ hops: [world.frontend], token }));
    expectDenied(await call(await other.sign({ iss: ISSUER.issuer, scope: SCOPES })), 'token_signature');
    expectAllowed(await call(await other.sign({ scope: SCOPES })));
    await own.stop();
  });

  test('whose JWKS file suddenly holds a private key keeps the last good one', async () => {
    const own = await guardOf(world, {});
    const token = await world.token();
    const { jwk } = await makeIssuer({ kid: 'new' });
    own.write('idp.json', JSON.stringify({ keys: [{ ...jwk, d: 'secret' }] }));
    await own.reload();
    const answer = await own.check(callThrough({ hops: [world.frontend], token }));
    expectAllowed(answer);
    expect(own.logged.some((line) => line.includes('idp.json'))).toBe(true);
    await own.stop();
  });
});
