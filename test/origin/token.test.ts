import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { readToken } from '../../src/evidence/token.js';
import { instantAt } from '../../src/model/instant.js';
import type { Horizon, HorizonPart } from '../../src/model/instant.js';
import type { ScopePattern } from '../../src/model/patterns.js';
import type { FindKeys } from '../../src/model/ports.js';
import type { Result } from '../../src/model/result.js';
import type { IssuerSettings } from '../../src/model/settings.js';
import type { VerifiedToken } from '../../src/model/token.js';
import { checkTokenTimes, verifyTokenSignature } from '../../src/origin/token.js';
import { readJwks } from '../../src/state/jwks.js';
import {
  issuerSettings,
  makeIssuer,
  nonCanonical,
  signedWithPublicKey,
  TEST_ISSUER,
  twin,
  unsigned,
  withHeader,
  withPayload,
  withSignature,
} from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

/** A whole second, so that `iat` is exactly now. */
const NOW = 1_790_000_000_000;
const SECONDS = NOW / 1000;

interface World {
  readonly issuers?: readonly IssuerSettings[];
  readonly findKeys?: FindKeys;
  readonly now?: number;
  readonly place?: string;
  readonly deaf?: HorizonPart;
}

let issuer: TestIssuer;
let rsa: TestIssuer;
let keys: ReturnType<FindKeys>;
beforeAll(async () => {
  issuer = await makeIssuer({ now: () => NOW });
  rsa = await makeIssuer({ now: () => NOW, algorithm: 'RS256', kid: 'rsa' });
  keys = await keysOf(issuer, rsa);
});

async function keysOf(...issuers: readonly TestIssuer[]): Promise<ReturnType<FindKeys>> {
  const read = await readJwks(JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) }));
  if (!read.ok) throw new Error(read.problem);
  return read.keys;
}

async function verify(text: string, world: World = {}): Promise<Result<VerifiedToken> & { horizon?: Horizon }> {
  const { issuers = [issuerSettings()], findKeys = () => keys, now = NOW, place = 'authorization' } = world;
  const token = readToken(text, place);
  if (!token.ok) return token;
  const signed = await verifyTokenSignature(token.value, issuers, findKeys);
  if (!signed.ok) return signed;
  const instant = instantAt(now);
  return { ...checkTokenTimes(signed.value, instant), horizon: instant.horizon() };
}

async function outcome(text: string | Promise<string>, world: World = {}): Promise<string> {
  const result = await verify(await text, world);
  return result.ok ? 'verified' : result.reason;
}

async function verified(text: string | Promise<string>, world: World = {}): Promise<VerifiedToken> {
  const result = await verify(await text, world);
  if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
  return result.value;
}

describe('a token that is right', () => {
  it('is verified into our own words', async () => {
    const text = await issuer.sign({ sub: 'user:alice', jti: 'j', txn: 't', scope: 'orders.read orders.write' });
    expect(await verified(text)).toMatchObject({
      issuer: { issuer: TEST_ISSUER },
      kid: 'key-1',
      subject: 'user:alice',
      jti: 'j',
      txn: 't',
      issuedAt: NOW,
      expires: NOW + 300_000,
      scopes: ['orders.read', 'orders.write'],
    });
  });

  it('keeps of the claims what is looked at afterwards, and no other', async () => {
    const text = await issuer.sign({ sub: 's', cnf: { jkt: 'x' }, scope: 'a', profile: 'long', ns: 'shop' });
    const names = async (identity: IssuerSettings['identity']): Promise<string[]> =>
      Object.keys((await verified(text, { issuers: [issuerSettings({ identity })] })).claims).sort();
    expect(await names(null)).toEqual(['aud', 'cnf', 'scope']);
    expect(await names({ kind: 'kubernetes' })).toEqual(['aud', 'cnf', 'scope', 'sub']);
    const parts = [{ text: 'spiffe://prod.example/ns/' }, { claim: 'ns' }];
    expect(await names({ kind: 'template', parts })).toEqual(['aud', 'cnf', 'ns', 'scope']);
  });

  it('needs neither jti, sub, txn, nbf nor scope', async () => {
    expect(await verified(issuer.sign({ jti: undefined }))).toMatchObject({ jti: undefined, scopes: [] });
  });

  it.each(['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'] as const)('may be signed with %s', async (algorithm) => {
    const signer = await makeIssuer({ algorithm, now: () => NOW });
    const text = await signer.sign();
    const own = await keysOf(signer);
    expect(await outcome(text, { findKeys: () => own })).toBe('verified');
    expect(await outcome(text, { findKeys: () => new Map() })).toBe('token_key_unknown');
  });
});

describe('the issuer', () => {
  it('is chosen by the exact iss', async () => {
    for (const iss of [`${TEST_ISSUER}/`, TEST_ISSUER.toUpperCase(), ` ${TEST_ISSUER}`, '', undefined])
      expect(await outcome(issuer.sign({ iss }))).toBe('token_issuer_unknown');
    expect(await outcome(issuer.sign(), { issuers: [] })).toBe('token_issuer_unknown');
    expect(await outcome(issuer.sign({ iss: [TEST_ISSUER] }))).toBe('token_malformed');
  });

  it('is looked for at the place of the token only', async () => {
    expect(await outcome(issuer.sign(), { place: 'x-token' })).toBe('token_issuer_unknown');
    const issuers = [issuerSettings({ from: 'x-token' })];
    expect(await outcome(issuer.sign(), { place: 'x-token', issuers })).toBe('verified');
  });

  it('has its own keys: those of another do not verify its tokens', async () => {
    const other = await makeIssuer({ issuer: 'https://other.example', now: () => NOW });
    const otherKeys = await keysOf(other);
    const issuers = [issuerSettings(), issuerSettings({ issuer: other.issuer })];
    const findKeys: FindKeys = ({ issuer: name }) => (name === other.issuer ? otherKeys : keys);
    expect(await outcome(other.sign(), { issuers, findKeys })).toBe('verified');
    expect(await outcome(other.sign({ iss: TEST_ISSUER }), { issuers, findKeys })).toBe('token_signature');
  });

  it('may be listed for several types, each with its own rules', async () => {
    const issuers = [
      issuerSettings({ types: ['jwt'], grants: [] }),
      issuerSettings({ types: ['at+jwt'], audiences: ['payments'] }),
    ];
    const text = (typ: string, aud: string): Promise<string> =>
      issuer.sign({ aud, scope: 'a', sub: 's', client_id: 'c' }, { typ });
    expect((await verified(text('JWT', 'orders'), { issuers })).scopes).toEqual([]);
    expect((await verified(text('at+jwt', 'payments'), { issuers })).scopes).toEqual(['a']);
    expect(await outcome(text('at+jwt', 'orders'), { issuers })).toBe('token_audience');
    expect(await outcome(text('other', 'orders'), { issuers })).toBe('token_type');
  });
});

describe('the type', () => {
  it('compares as a media type, and none counts as JWT', async () => {
    for (const typ of ['JWT', 'jwt', 'application/jwt', 'AT+JWT', 'Application/at+JWT', undefined])
      expect(await outcome(issuer.sign({}, { typ }))).toBe('verified');
    for (const typ of ['', 'dpop+jwt', 'text/jwt', 'application/application/jwt', 'jwt ', 'at+jwt; v=1'])
      expect(await outcome(issuer.sign({}, { typ }))).toBe('token_type');
  });

  it('can be demanded, and then none is not enough', async () => {
    const issuers = [issuerSettings({ types: ['at+jwt'] })];
    expect(await outcome(issuer.sign({ sub: 's', client_id: 'c' }, { typ: 'at+jwt' }), { issuers })).toBe('verified');
    for (const typ of ['JWT', undefined])
      expect(await outcome(issuer.sign({}, { typ }), { issuers })).toBe('token_type');
  });
});

describe('the algorithm', () => {
  it('is never none, in whatever case', async () => {
    const text = await issuer.sign();
    for (const spelling of ['none', 'None', 'NONE', 'noNE']) {
      expect(await outcome(unsigned(text, spelling))).toBe('token_algorithm');
      expect(await outcome(withHeader(text, { alg: spelling }))).toBe('token_algorithm');
    }
    expect(await outcome(withSignature(text, ''))).toBe('token_malformed');
  });

  it('is never HS256 with the public key as the secret', async () => {
    for (const signer of [issuer, rsa])
      for (const text of await signedWithPublicKey(signer, await signer.sign()))
        expect(await outcome(text)).toBe('token_algorithm');
  });

  it('is one that the issuer may use, compared with case', async () => {
    expect(await outcome(issuer.sign(), { issuers: [issuerSettings({ algorithms: ['ES256'] })] })).toBe('verified');
    expect(await outcome(issuer.sign(), { issuers: [issuerSettings({ algorithms: ['RS256'] })] })).toBe(
      'token_algorithm',
    );
    for (const alg of ['es256', 'ES256 ', ''])
      expect(await outcome(withHeader(await issuer.sign(), { alg }))).toBe('token_algorithm');
  });
});

describe('the key', () => {
  it('is found by kid, never without one', async () => {
    expect(await outcome(issuer.sign({}, { kid: 'key-1' }))).toBe('verified');
    for (const kid of [undefined, '', 'key-2', 'KEY-1', '__proto__', '../key-1'])
      expect(await outcome(issuer.sign({}, { kid }))).toBe('token_key_unknown');
  });

  it('must be there: keys that could not be loaded are not unknown keys', async () => {
    expect(await outcome(issuer.sign(), { findKeys: () => 'unavailable' })).toBe('keys_unavailable');
    expect(await outcome(issuer.sign(), { findKeys: () => new Map() })).toBe('token_key_unknown');
  });

  it('must be of the kind that the algorithm needs', async () => {
    expect(await outcome(rsa.sign({}, { kid: 'rsa' }))).toBe('verified');
    expect(await outcome(issuer.sign({}, { kid: 'rsa' }))).toBe('token_key_unknown');
    expect(await outcome(withHeader(await rsa.sign(), { alg: 'PS256' }))).toBe('token_key_unknown');
  });

  it('is never taken from the token', async () => {
    const thief = await makeIssuer({ now: () => NOW, kid: 'stolen' });
    const carried = {
      jwk: thief.jwk,
      jku: 'https://thief.example/jwks',
      x5u: 'https://thief.example/x',
      x5c: ['AAAA'],
    };
    expect(await outcome(thief.sign({}, carried))).toBe('token_key_unknown');
    expect(await outcome(thief.sign({}, { ...carried, kid: 'key-1' }))).toBe('token_signature');
    expect(await outcome(issuer.sign({}, carried))).toBe('verified');
  });
});

describe('the signature', () => {
  it('covers header and payload as received', async () => {
    const text = await issuer.sign({ scope: 'orders.read' });
    expect(await outcome(text)).toBe('verified');
    expect(
      await outcome(withPayload(text, JSON.stringify({ iss: TEST_ISSUER, aud: 'orders', exp: 9e9, iat: 1 }))),
    ).toBe('token_signature');
    expect(await outcome(withHeader(text, { x: 1 }))).toBe('token_signature');
    expect(await outcome(withSignature(text, Buffer.alloc(64)))).toBe('token_signature');
    expect(await outcome(withSignature(text, (await issuer.sign()).split('.')[2] ?? ''))).toBe('token_signature');
  });

  it('has one spelling, but ECDSA gives each token a twin: both are one token', async () => {
    const text = await issuer.sign();
    expect(await outcome(nonCanonical(text))).toBe('token_malformed');
    expect((await verified(twin(text))).name).toBe((await verified(text)).name);
  });

  it('decides before a doubled claim counts, of which the last wins', async () => {
    const payload = (times: string): string => `{"iss":"${TEST_ISSUER}","aud":"a","aud":"orders",${times}}`;
    const text = await issuer.signBytes(payload(`"exp":1,"exp":${SECONDS + 60},"iat":${SECONDS}`));
    expect(await outcome(text)).toBe('verified');
    expect(await outcome(withPayload(await issuer.sign(), payload(`"exp":1,"exp":${SECONDS + 60},"iat":1`)))).toBe(
      'token_signature',
    );
  });
});

describe('the audience', () => {
  it('names one of ours, as a text or in a list of texts', async () => {
    for (const aud of ['orders', ['orders'], ['other', 'orders']])
      expect(await outcome(issuer.sign({ aud }))).toBe('verified');
    for (const aud of [
      'other',
      'Orders',
      'orders payments',
      '',
      [],
      ['other'],
      undefined,
      null,
      1,
      {},
      ['orders', 1],
      [['orders']],
    ])
      expect(await outcome(issuer.sign({ aud }))).toBe('token_audience');
  });

  it('is none of ours where none is configured', async () => {
    expect(await outcome(issuer.sign(), { issuers: [issuerSettings({ audiences: [] })] })).toBe('token_audience');
  });
});

describe('the other claims', () => {
  it('have the types of RFC 7519; exp and iat are required', async () => {
    for (const wrong of ['1', null, true, [], {}])
      for (const claim of ['exp', 'iat', 'nbf'])
        expect(await outcome(issuer.sign({ [claim]: wrong }))).toBe('token_malformed');
    for (const claim of ['exp', 'iat'])
      expect(await outcome(issuer.sign({ [claim]: undefined }))).toBe('token_malformed');
    for (const claim of ['sub', 'txn', 'jti'])
      expect(await outcome(issuer.sign({ [claim]: 7 }))).toBe('token_malformed');
    const missing = await verify(await issuer.sign({ exp: undefined }));
    expect(missing).toMatchObject({ detail: expect.stringContaining('"exp"'), hint: expect.stringContaining('"exp"') });
  });

  it('hold times that a calendar has', async () => {
    const times = (exp: string): Promise<string> =>
      issuer.signBytes(`{"iss":"${TEST_ISSUER}","aud":"orders","iat":${SECONDS},"exp":${exp}}`);
    const issuers = [issuerSettings({ maxLifetime: Infinity })];
    for (const exp of ['1e999', '-1e999', '1e300', '253402300800'])
      expect(await outcome(times(exp), { issuers })).toBe('token_malformed');
    expect(await outcome(times('253402300799'), { issuers })).toBe('verified');
  });
});

describe('the scopes', () => {
  const scopes = async (claims: Record<string, unknown>, settings: Partial<IssuerSettings> = {}): Promise<unknown> => {
    const result = await verify(await issuer.sign(claims), { issuers: [issuerSettings(settings)] });
    return result.ok ? result.value.scopes : result.reason;
  };
  const patterns = (...texts: string[]): ScopePattern[] => texts as ScopePattern[];

  it('are a text or a list, each once', async () => {
    expect(await scopes({ scope: 'b a  b ' })).toEqual(['b', 'a']);
    expect(await scopes({ scope: ['b', 'a', 'b'] })).toEqual(['b', 'a']);
    expect(await scopes({ scope: '' })).toEqual([]);
  });

  it('come from the first claim that is there, and from no other', async () => {
    expect(await scopes({ scp: ['a'] })).toEqual(['a']);
    expect(await scopes({ scope: 'a', scp: 'b' })).toEqual(['a']);
    expect(await scopes({ scope: '', scp: 'b' })).toEqual([]);
    expect(await scopes({ scope: 'a', roles: 'b' }, { scopeClaims: ['roles'] })).toEqual(['b']);
    expect(await scopes({}, { scopeClaims: ['toString', '__proto__'] })).toEqual([]);
  });

  it('are of no other type', async () => {
    for (const scope of [1, null, {}, true, ['a', 1]]) expect(await scopes({ scope })).toBe('token_malformed');
  });

  it('are cut to what the issuer may give', async () => {
    const scope = 'orders.read orders payments.read public';
    expect(await scopes({ scope }, { grants: patterns('orders.*', 'public') })).toEqual(['orders.read', 'public']);
    expect(await scopes({ scope }, { grants: [] })).toEqual([]);
  });

  it('are never split out of a list, and hold only characters that a scope can have', async () => {
    expect(await scopes({ scope: ['a b', 'c'] })).toEqual(['c']);
    expect(await scopes({ scope: 'a\tb c\nd "e" f\u00e9 g' })).toEqual(['g']);
  });
});

describe('the time', () => {
  const at = (now: number): World => ({ now });

  it('ends clockSkew after exp, to the millisecond', async () => {
    const text = await issuer.sign();
    expect(await outcome(text, at(NOW + 330_000 - 1))).toBe('verified');
    expect(await outcome(text, at(NOW + 330_000))).toBe('token_expired');
    expect((await verified(text, at(NOW + 310_000))).expires).toBe(NOW + 300_000);
  });

  it('begins clockSkew before nbf and iat, to the millisecond', async () => {
    const text = await issuer.sign({ nbf: SECONDS + 60 });
    expect(await outcome(text, at(NOW + 30_000 - 1))).toBe('token_not_yet_valid');
    expect(await outcome(text, at(NOW + 30_000))).toBe('verified');
    expect(await outcome(issuer.sign(), at(NOW - 30_000 - 1))).toBe('token_not_yet_valid');
    expect(await outcome(issuer.sign(), at(NOW - 30_000))).toBe('verified');
  });

  it('is exact for fractions of seconds', async () => {
    const issuers = [issuerSettings({ clockSkew: 0 })];
    for (const fraction of [0.001, 0.123, 0.29, 0.57, 0.999]) {
      const exp = SECONDS + fraction;
      const end = NOW + Math.round(fraction * 1000);
      expect((await verified(issuer.sign({ exp }), { issuers })).expires).toBe(end);
      expect(await outcome(issuer.sign({ exp }), { issuers, now: end - 1 })).toBe('verified');
      expect(await outcome(issuer.sign({ exp }), { issuers, now: end })).toBe('token_expired');
    }
  });

  it('is exact for small numbers too, where a plain product is not', async () => {
    const text = await issuer.sign({ iat: 0, exp: 1.001 });
    expect((await verified(text, { now: 0 })).expires).toBe(1001);
  });

  it('between iat and exp is at most maxLifetime', async () => {
    const text = (seconds: number): Promise<string> => issuer.sign({ exp: SECONDS + seconds });
    expect(await outcome(text(3600))).toBe('verified');
    expect(await outcome(text(3600.001))).toBe('token_lifetime_excess');
  });

  it('tells for which moments the answer holds', async () => {
    const text = await issuer.sign({ nbf: SECONDS + 10 });
    const result = await verify(text);
    expect(result.horizon).toEqual({ from: NOW - 20_000, until: NOW + 330_000 });
  });

  it('gives one answer within the horizon and another beyond its end', async () => {
    const text = await issuer.sign({ nbf: SECONDS + 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -100_000, max: 400_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (offset, share) => {
          const first = await verify(text, { now: NOW + offset });
          const { from, until } = first.horizon ?? { from: NaN, until: NaN };
          const low = Math.max(from, NOW - 1e6);
          const within = Math.floor(low + (Math.min(until, NOW + 1e6) - low) * share);
          expect(await outcome(text, { now: within })).toBe(first.ok ? 'verified' : first.reason);
          if (until !== Infinity)
            expect(await outcome(text, { now: until })).not.toBe(first.ok ? 'verified' : 'token_expired');
        },
      ),
    );
  });
});

describe('the first reason', () => {
  it('is the one of the first step that fails', async () => {
    const wrong = { aud: 'other', exp: SECONDS - 7200, nbf: SECONDS + 600, iat: SECONDS - 90_000 };
    const text = (claims: object, header: object = {}): Promise<string> =>
      issuer.sign({ ...wrong, ...claims }, { kid: 'key-1', ...header });
    const forged = withSignature(await text({}), Buffer.alloc(64));
    expect(await outcome(text({ iss: 'x' }, { typ: 'x', kid: 'x' }))).toBe('token_issuer_unknown');
    expect(await outcome(withHeader(forged, { typ: 'x', alg: 'x', kid: 'x' }))).toBe('token_type');
    expect(await outcome(withHeader(forged, { alg: 'x', kid: 'x' }), { findKeys: () => 'unavailable' })).toBe(
      'token_algorithm',
    );
    expect(await outcome(withHeader(forged, { kid: 'x' }), { findKeys: () => 'unavailable' })).toBe('keys_unavailable');
    expect(await outcome(withHeader(forged, { kid: 'x' }))).toBe('token_key_unknown');
    expect(await outcome(forged)).toBe('token_signature');
    expect(await outcome(text({}))).toBe('token_audience');
    expect(await outcome(text({ aud: 'orders' }))).toBe('token_expired');
    expect(await outcome(text({ aud: 'orders', exp: SECONDS + 60 }))).toBe('token_not_yet_valid');
    expect(await outcome(text({ aud: 'orders', exp: SECONDS + 60, nbf: SECONDS }))).toBe('token_lifetime_excess');
    expect(await outcome(text({ aud: 'orders', exp: SECONDS + 60, nbf: SECONDS, iat: SECONDS }))).toBe('verified');
  });

  it('shows no claim of the token in its hint', async () => {
    const claims = { sub: 'SECRET', scope: 'SECRET', jti: 'SECRET' };
    const texts = await Promise.all(
      [
        { aud: 'SECRET' },
        { iss: 'SECRET' },
        { exp: 1 },
        { iat: SECONDS - 9e4 },
        { exp: 'SECRET' },
        { scope: [{ SECRET: 1 }] },
      ].map((wrong) => issuer.sign({ ...claims, ...wrong })),
    );
    texts.push(await issuer.sign(claims, { kid: 'SECRET' }), await issuer.sign(claims, { typ: 'SECRET' }));
    for (const text of texts) {
      const result = await verify(text);
      expect(result.ok).toBe(false);
      expect(result.ok ? '' : (result.hint ?? '')).not.toMatch(/secret/i);
    }
  });
});

describe('what nobody signed', () => {
  it('never throws and never verifies', async () => {
    const text = await issuer.sign({ scope: 'orders.read' });
    const mutated = fc
      .tuple(fc.nat(text.length - 1), fc.string({ minLength: 0, maxLength: 3, unit: 'grapheme-ascii' }))
      .map(([at, put]) => text.slice(0, at) + put + text.slice(at + 1));
    const claims = fc.record({
      iss: fc.constant(TEST_ISSUER),
      aud: fc.jsonValue(),
      exp: fc.jsonValue(),
      scope: fc.jsonValue(),
    });
    const header = fc.record(
      {
        alg: fc.constantFrom('ES256', 'RS256', 'none', 'HS256'),
        kid: fc.constantFrom('key-1', 'rsa', 'x'),
        typ: fc.jsonValue(),
      },
      { requiredKeys: ['alg'] },
    );
    const forged = fc
      .tuple(header, claims, fc.uint8Array({ maxLength: 80 }))
      .map((parts) =>
        parts
          .map((part) => Buffer.from(part instanceof Uint8Array ? part : JSON.stringify(part)).toString('base64url'))
          .join('.'),
      );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), mutated, forged), async (sent) => {
        if (sent !== text) expect(await outcome(sent)).not.toBe('verified');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the recorded tokens', () => {
  const pki = (name: string): Promise<string> => readFile(new URL(`../captures/pki/${name}`, import.meta.url), 'utf8');

  it('verify, or fail for the reason they were made for', async () => {
    const tokens = JSON.parse(await pki('tokens.json')) as Record<string, string>;
    const read = await readJwks(await pki('jwks.json'));
    if (!read.ok) throw new Error(read.problem);
    const issuers = [
      issuerSettings({
        issuer: 'https://issuer.prod.example',
        audiences: ['payments.shop.prod.example'],
        maxLifetime: 40 * 365.25 * 86_400_000,
      }),
    ];
    const world = { issuers, findKeys: () => read.keys };
    const outcomes: Record<string, string> = {};
    for (const [name, text] of Object.entries(tokens)) outcomes[name] = await outcome(text, world);
    expect(outcomes).toEqual({
      bound: 'verified',
      unbound: 'verified',
      rs256: 'verified',
      eddsa: 'verified',
      expired: 'token_expired',
      'wrong-aud': 'token_audience',
      'unknown-key': 'token_signature',
      'wrong-issuer': 'token_issuer_unknown',
      'actor-chain': 'verified',
      agent: 'verified',
      'alg-none': 'token_algorithm',
    });
    expect((await verified(tokens['unbound'] ?? '', world)).scopes).toEqual(['payments:read', 'payments:write']);
    expect(
      await outcome(tokens['unbound'] ?? '', {
        ...world,
        issuers: [issuerSettings({ ...issuers[0], maxLifetime: 3_600_000 })],
      }),
    ).toBe('token_lifetime_excess');
  });
});
