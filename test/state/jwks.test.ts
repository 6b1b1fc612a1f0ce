import fc from 'fast-check';
import { CompactSign, compactVerify, exportJWK, generateKeyPair } from 'jose';
import { constants, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { VerificationKey } from '../../src/model/ports.js';
import { ALGORITHMS } from '../../src/model/settings.js';
import type { Algorithm } from '../../src/model/settings.js';
import { readJwks } from '../../src/state/jwks.js';
import { makeIssuer, twin } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

type Jwk = Record<string, unknown>;

const read = (...keys: unknown[]) => readJwks(JSON.stringify({ keys }));
const problemOf = async (...keys: unknown[]): Promise<string> => {
  const result = await read(...keys);
  return result.ok ? `read ${[...result.keys.keys()].join()}` : result.problem;
};
const onlyKey = async (jwk: unknown): Promise<VerificationKey> => {
  const result = await read(jwk);
  const [key] = result.ok ? result.keys.values() : [];
  if (key === undefined) throw new Error(result.ok ? 'no key' : result.problem);
  return key;
};
const fitting = ({ fits }: VerificationKey): Algorithm[] => ALGORITHMS.filter((algorithm) => fits(algorithm));

const jwkOf = (type: 'rsa' | 'ec' | 'ed25519' | 'x25519' | 'ed448', options: object = {}): Jwk => {
  const generate = generateKeyPairSync as (type: string, options: object) => { publicKey: { export(o: object): Jwk } };
  return generate(type, options).publicKey.export({ format: 'jwk' });
};

let rsa: Jwk;
let ec: Jwk;
let ed: Jwk;
let issuer: TestIssuer;
beforeAll(async () => {
  rsa = { ...jwkOf('rsa', { modulusLength: 2048 }), kid: 'r' };
  ec = { ...jwkOf('ec', { namedCurve: 'P-256' }), kid: 'e' };
  ed = { ...jwkOf('ed25519'), kid: 'd' };
  issuer = await makeIssuer();
});

describe('a JWK Set', () => {
  it('gives its keys by kid', async () => {
    const result = await read(rsa, ec, ed);
    expect(result.ok && [...result.keys.keys()]).toEqual(['r', 'e', 'd']);
    expect(result.ok && result.ignored).toEqual([]);
  });

  it('may be empty: nothing is trusted any more', async () => {
    const result = await readJwks('{"keys":[]}');
    expect(result.ok && result.keys.size).toBe(0);
  });

  it('is an object with a list of objects', async () => {
    for (const text of ['', 'x', 'null', '[]', '{}', '{"keys":{}}', '{"keys":null}', '{"keys":[1]}', '{"keys":[[]]}'])
      expect(await readJwks(text)).toMatchObject({ ok: false });
  });

  it('leaves out keys that are for something else, and says so', async () => {
    const others = [
      { ...ec, kid: 'x', use: 'enc' },
      { ...ec, kid: 'x', use: 'jwt-svid' },
      { ...ec, kid: 'x', key_ops: ['deriveKey'] },
      { ...ec, kid: 'x', key_ops: 'verify' },
      { ...ec, kid: 'x', alg: 'ECDH-ES' },
      { ...ec, kid: 'x', alg: 'ES384' },
      { ...rsa, kid: 'x', alg: 'HS256' },
      { ...ec, kid: undefined },
      { ...ec, kid: '' },
      { ...ec, kid: 7 },
      { ...jwkOf('ec', { namedCurve: 'secp256k1' }), kid: 'x' },
      { ...jwkOf('x25519'), kid: 'x' },
      { ...jwkOf('ed448'), kid: 'x' },
      { kty: 'AKP', kid: 'x', pub: 'AAAA' },
      { kid: 'x' },
    ];
    for (const other of others) {
      const result = await read(other, ed);
      expect(result.ok && [...result.keys.keys()]).toEqual(['d']);
      expect(result.ok && result.ignored).toHaveLength(1);
      expect(await problemOf(other)).toMatch(/^no key is usable: keys\[0\] is left out: /);
    }
    expect(await problemOf({ ...ec, use: 'sig', key_ops: ['verify'], alg: 'ES256' })).toBe('read e');
  });

  it('is refused whole for secret key material, also of a key that is not used', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const secret = await exportJWK(privateKey);
    for (const bad of [
      { ...secret, kid: 'x' },
      { ...secret, use: 'enc' },
      { kty: 'oct', kid: 'x', k: 'AAAA' },
    ])
      expect(await problemOf(ed, bad)).toMatch(/^keys\[1\]: it holds secret key material/);
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'])
      expect(await problemOf(ed, { ...rsa, [name]: 'AQ' })).toMatch(/secret key material/);
    expect(await problemOf(secret)).not.toContain(String(secret.d));
  });

  it('is refused whole for a weak RSA key', async () => {
    expect(await problemOf({ ...jwkOf('rsa', { modulusLength: 2040 }), kid: 'x' })).toMatch(/at least 2048 bits/);
    expect(await problemOf({ ...rsa, e: 'AQ' })).toMatch(/exponent/);
    expect(await problemOf({ ...rsa, e: 'BA' })).toMatch(/exponent|no valid RSA key/);
  });

  it('is refused whole for a key that does not import', async () => {
    for (const bad of [
      { ...ec, y: ec['x'] },
      { ...ec, x: undefined },
      { ...ed, x: 'AAAA' },
      { ...rsa, n: 5 },
      { ...rsa, e: 5 },
    ])
      expect(await problemOf(bad)).toMatch(/^keys\[0\]: it is no valid /);
  });

  it('is refused whole where two keys share a kid', async () => {
    expect(await problemOf(ec, { ...ed, kid: 'e' })).toMatch(/^keys\[1\]: its "kid" was used/);
    expect(await problemOf(ec, { ...ed, kid: 'E' })).toBe('read e,E');
  });

  it('has at most 1000 keys and 1 MiB', async () => {
    const many = (count: number): unknown[] => Array.from({ length: count }, (_, i) => ({ ...ed, kid: `k${i}` }));
    expect(await read(...many(1000))).toMatchObject({ ok: true });
    expect(await problemOf(...many(1001))).toMatch(/at most 1000 keys/);
    expect(await readJwks(`{"keys":[]}${' '.repeat(1024 * 1024)}`)).toMatchObject({ ok: false });
    expect(await readJwks(`{"keys":[]}${' '.repeat(1024)}`)).toMatchObject({ ok: true });
  });

  it('never makes the reader throw', async () => {
    const jwk = fc.dictionary(
      fc.constantFrom('kty', 'kid', 'crv', 'x', 'y', 'n', 'e', 'use', 'alg', 'key_ops', '__proto__'),
      fc.oneof(fc.constantFrom('EC', 'RSA', 'OKP', 'P-256', 'Ed25519', 'sig', 'AQAB', 'ES256'), fc.jsonValue()),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.array(jwk).map((keys) => JSON.stringify({ keys })),
        ),
        async (text) => {
          expect(typeof (await readJwks(text)).ok).toBe('boolean');
        },
      ),
    );
  });
});

describe('a verification key', () => {
  it('fits the algorithms of its own kind alone', async () => {
    expect(fitting(await onlyKey(rsa))).toEqual(['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']);
    expect(fitting(await onlyKey(ec))).toEqual(['ES256']);
    expect(fitting(await onlyKey({ ...jwkOf('ec', { namedCurve: 'P-384' }), kid: 'x' }))).toEqual(['ES384']);
    expect(fitting(await onlyKey({ ...jwkOf('ec', { namedCurve: 'P-521' }), kid: 'x' }))).toEqual(['ES512']);
    expect(fitting(await onlyKey(ed))).toEqual(['EdDSA', 'Ed25519']);
  });

  it('that names its algorithm fits that one alone; EdDSA and Ed25519 are one', async () => {
    expect(fitting(await onlyKey({ ...rsa, alg: 'PS256' }))).toEqual(['PS256']);
    expect(fitting(await onlyKey({ ...ed, alg: 'Ed25519' }))).toEqual(['EdDSA', 'Ed25519']);
    expect(fitting(await onlyKey({ ...ed, alg: 'EdDSA' }))).toEqual(['EdDSA', 'Ed25519']);
  });

  it.each(ALGORITHMS)('verifies what jose signs with %s, and nothing one bit away', async (algorithm) => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    const key = await onlyKey({ ...(await exportJWK(publicKey)), kid: 'x' });
    const token = await new CompactSign(Buffer.from('{}')).setProtectedHeader({ alg: algorithm }).sign(privateKey);
    await expect(compactVerify(token, publicKey)).resolves.toBeDefined();
    const dot = token.lastIndexOf('.');
    const input = Buffer.from(token.slice(0, dot));
    const signature = Buffer.from(token.slice(dot + 1), 'base64url');
    expect(await key.verify(algorithm, input, signature)).toBe(true);
    for (const at of [0, signature.length - 1]) {
      const bent = Buffer.from(signature);
      bent[at] = (bent[at] ?? 0) ^ 1;
      expect(await key.verify(algorithm, input, bent)).toBe(false);
    }
    expect(await key.verify(algorithm, Buffer.concat([input, Buffer.from('A')]), signature)).toBe(false);
  });

  it('takes ECDSA signatures of one length and form only', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = await onlyKey({ ...publicKey.export({ format: 'jwk' }), kid: 'x' });
    const input = Buffer.from('input');
    const raw = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await key.verify('ES256', input, raw)).toBe(true);
    const der = sign('sha256', input, privateKey);
    const zero = Buffer.alloc(1);
    for (const bad of [der, Buffer.concat([raw, zero]), raw.subarray(0, 63), Buffer.alloc(0), Buffer.alloc(64)])
      expect(await key.verify('ES256', input, bad)).toBe(false);
    const padded = Buffer.concat([zero, raw.subarray(0, 32), zero, raw.subarray(32)]);
    expect(await key.verify('ES256', input, padded)).toBe(false);
  });

  it('takes PSS signatures with a salt as long as the hash only', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = await onlyKey({ ...publicKey.export({ format: 'jwk' }), kid: 'x' });
    const input = Buffer.from('input');
    const salted = (saltLength: number): Buffer =>
      sign('sha256', input, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
    expect(await key.verify('PS256', input, salted(32))).toBe(true);
    for (const length of [0, 20, 48, 64]) expect(await key.verify('PS256', input, salted(length))).toBe(false);
    expect(await key.verify('RS256', input, salted(32))).toBe(false);
  });

  it('verifies the twin of an ECDSA signature: names of tokens must not be made of signatures', async () => {
    const key = await onlyKey(issuer.jwk);
    const token = twin(await issuer.sign());
    const dot = token.lastIndexOf('.');
    const signature = Buffer.from(token.slice(dot + 1), 'base64url');
    expect(await key.verify('ES256', Buffer.from(token.slice(0, dot)), signature)).toBe(true);
    await expect(compactVerify(token, issuer.publicKey)).resolves.toBeDefined();
  });

  it('answers false, and never an exception, to any signature that nobody made', async () => {
    const keys: [Algorithm, VerificationKey, number][] = [
      ['ES256', await onlyKey(ec), 64],
      ['RS256', await onlyKey(rsa), 256],
      ['PS256', await onlyKey(rsa), 256],
      ['EdDSA', await onlyKey(ed), 64],
    ];
    const edges = keys.flatMap(([, , size]) => [Buffer.alloc(size), Buffer.alloc(size, 255), Buffer.alloc(size, 1)]);
    const signature = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      fc.uint8Array({ minLength: 256, maxLength: 256 }),
      fc.constantFrom(...edges),
    );
    await fc.assert(
      fc.asyncProperty(signature, async (bytes) => {
        for (const [algorithm, key] of keys) expect(await key.verify(algorithm, Buffer.from('x'), bytes)).toBe(false);
      }),
    );
  });
});

describe('the recorded key set', () => {
  const pki = (name: string): Promise<string> => readFile(new URL(`../captures/pki/${name}`, import.meta.url), 'utf8');

  it('holds three keys, each the public half of its recorded private key', async () => {
    const result = await readJwks(await pki('jwks.json'));
    if (!result.ok) throw new Error(result.problem);
    expect([...result.keys.keys()]).toEqual(['test-es256', 'test-rs256', 'test-eddsa']);
    for (const [file, kid, hash, algorithm] of [
      ['jwt-test-es256.key', 'test-es256', 'sha256', 'ES256'],
      ['jwt-test-rs256.key', 'test-rs256', 'sha256', 'RS256'],
      ['jwt-test-eddsa.key', 'test-eddsa', null, 'EdDSA'],
    ] as const) {
      const key = createPrivateKey(await pki(file));
      const signature = sign(hash, Buffer.from('x'), { key, dsaEncoding: 'ieee-p1363' });
      expect(await result.keys.get(kid)?.verify(algorithm, Buffer.from('x'), signature)).toBe(true);
    }
  });
});
