import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { readToken, tokenIn, tokenName } from '../../src/evidence/token.js';
import { headersOf } from '../../src/model/attributes.js';
import {
  base64url,
  makeIssuer,
  nonCanonical,
  TEST_ISSUER,
  twin,
  unsigned,
  withHeader,
  withPayload,
  withSignature,
} from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

let issuer: TestIssuer;
let token: string;
beforeAll(async () => {
  issuer = await makeIssuer();
  token = await issuer.sign({ jti: 'one' });
});

const reasonOf = (text: string): string => {
  const result = readToken(text, 'authorization');
  return result.ok ? 'read' : result.reason;
};
const found = (lines: [string, string][], places: string[]): unknown => {
  const result = tokenIn(headersOf(lines), places);
  return result.ok ? (result.value?.text ?? 'none') : result.reason;
};

describe('the token of a request', () => {
  it('is read after the scheme Bearer, in any case', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR'])
      expect(found([['authorization', `${scheme} ${token}`]], ['authorization'])).toBe(token);
  });

  it('is separated from its scheme by exactly one space', () => {
    for (const gap of ['', '  ', '\t', ' \t'])
      expect(found([['authorization', `Bearer${gap}${token}`]], ['authorization'])).not.toBe(token);
    for (const value of [`Bearer  ${token}`, `Bearer\t${token}`, 'Bearer', 'Bearer ', `Bearer ${token} `])
      expect(found([['authorization', value]], ['authorization'])).toBe('token_malformed');
  });

  it('is none where the header is absent, empty, or of another scheme', () => {
    expect(found([], ['authorization'])).toBe('none');
    for (const value of ['', 'Basic dXNlcjpwYXNz', `DPoP ${token}`, `Bearerx ${token}`, token])
      expect(found([['authorization', value]], ['authorization'])).toBe('none');
  });

  it('stands bare in any other header', () => {
    expect(found([['x-token', token]], ['x-token'])).toBe(token);
    expect(found([['x-token', '']], ['x-token'])).toBe('none');
    expect(found([['x-token', `Bearer ${token}`]], ['x-token'])).toBe('token_malformed');
  });

  it('is not looked for where no issuer expects it', () => {
    expect(found([['x-token', token]], ['authorization'])).toBe('none');
    expect(found([['authorization', `Bearer ${token}`]], [])).toBe('none');
  });

  it('is refused in two configured places, even when it is the same', () => {
    const both: [string, string][] = [
      ['authorization', `Bearer ${token}`],
      ['x-token', token],
    ];
    expect(found(both, ['authorization', 'x-token'])).toBe('credentials_conflict');
    expect(found(both, ['authorization', 'authorization'])).toBe(token);
  });

  it('is refused where its header comes twice or comma-joined', () => {
    const line: [string, string] = ['authorization', `Bearer ${token}`];
    expect(found([line, line], ['authorization'])).toBe('header_ambiguous');
    expect(found([line, ['Authorization', '']], ['authorization'])).toBe('header_ambiguous');
    expect(found([['authorization', `Bearer ${token},Bearer ${token}`]], ['authorization'])).toBe('header_ambiguous');
    expect(found([['x-token', `${token},${token}`]], ['x-token'])).toBe('header_ambiguous');
  });

  it('has at most 16 KiB', async () => {
    const padded = async (length: number): Promise<string> => issuer.sign({ jti: 'x', pad: 'p'.repeat(length) });
    expect(reasonOf(await padded(11_900))).toBe('read');
    expect(reasonOf(await padded(12_300))).toBe('limit_exceeded');
    expect(reasonOf('a'.repeat(16 * 1024))).toBe('token_malformed');
    expect(reasonOf('a'.repeat(16 * 1024 + 1))).toBe('limit_exceeded');
  });
});

describe('the form of a token', () => {
  it('is read into header, claims, name and place', () => {
    const result = readToken(token, 'x-token');
    expect(result).toMatchObject({
      ok: true,
      value: { text: token, place: 'x-token', header: { alg: 'ES256', typ: 'JWT', kid: 'key-1' } },
    });
    expect(result.ok && result.value.claimed['jti']).toBe('one');
  });

  it('has three parts', () => {
    for (const text of ['', '.', '..', 'a.b', token.replace('.', ''), `${token}.x`, `.${token}`, `${token}.`])
      expect(reasonOf(text)).toBe('token_malformed');
    const encrypted = readToken(`${token}.x.y`, 'authorization');
    expect(encrypted).toMatchObject({ reason: 'token_malformed', detail: expect.stringContaining('encrypted') });
  });

  it('holds no white space, padding or character of another alphabet', () => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    for (const bad of [' ', '\n', '\t', '=', '+', '/', '\u200b', '\u0000', '"']) {
      expect(reasonOf(token + bad)).toBe('token_malformed');
      expect(reasonOf(bad + token)).toBe('token_malformed');
      expect(reasonOf(`${header}${bad}.${payload}.${signature}`)).toBe('token_malformed');
      expect(reasonOf(`${header}.${payload}.${signature.slice(0, 9)}${bad}${signature.slice(9)}`)).toBe(
        'token_malformed',
      );
    }
  });

  it('has one spelling for the same bytes', () => {
    expect(reasonOf(nonCanonical(token))).toBe('token_malformed');
    expect(reasonOf(withSignature(token, 'A'))).toBe('token_malformed');
    const [header = '', payload = '', signature = ''] = token.split('.');
    const spare = base64url('{"alg":"ES256" }');
    expect(reasonOf(`${spare}.${payload}.${signature}`)).toBe('read');
    expect(reasonOf(`${nonCanonical(`..${spare}`).slice(2)}.${payload}.${signature}`)).toBe('token_malformed');
    expect(reasonOf(`${header}.${nonCanonical(`..${base64url('{"a":1} ')}`).slice(2)}.${signature}`)).toBe(
      'token_malformed',
    );
  });

  it('has a header and a payload that are JSON objects in UTF-8', () => {
    const latin1 = Buffer.from('{"sub":"\xe9"}', 'latin1');
    const bom = Buffer.from('\ufeff{"sub":"a"}');
    for (const payload of ['', '[]', 'null', '"x"', '1', '{', '{}x', '{"a":NaN}', latin1, bom]) {
      expect(reasonOf(withPayload(token, payload))).toBe('token_malformed');
      expect(reasonOf(base64url(payload) + token.slice(token.indexOf('.')))).toBe('token_malformed');
    }
    expect(reasonOf(withPayload(token, '{}'))).toBe('read');
    expect(reasonOf(withPayload(token, '{"sub":"é"}'))).toBe('read');
  });

  it('has no header parameter that changes how it is read', () => {
    for (const changes of [
      { crit: ['exp'] },
      { crit: [] },
      { b64: false },
      { b64: true },
      { enc: 'A128GCM' },
      { zip: 'DEF' },
    ])
      expect(reasonOf(withHeader(token, changes))).toBe('token_malformed');
    expect(reasonOf(withHeader(token, { jku: 'https://evil.example', jwk: {}, x5u: 'x', x5c: [] }))).toBe('read');
  });

  it('has texts where texts belong', () => {
    for (const changes of [
      { alg: undefined },
      { alg: 1 },
      { alg: null },
      { typ: 1 },
      { typ: null },
      { kid: 1 },
      { kid: {} },
    ])
      expect(reasonOf(withHeader(token, changes))).toBe('token_malformed');
    for (const changes of [{ typ: undefined }, { kid: undefined }])
      expect(reasonOf(withHeader(token, changes))).toBe('read');
    for (const payload of ['{"iss":1}', '{"iss":null}', '{"jti":1}', '{"jti":["a"]}'])
      expect(reasonOf(withPayload(token, payload))).toBe('token_malformed');
  });

  it('has a signature, unless its algorithm says none, which is refused by that name later', () => {
    expect(reasonOf(withSignature(token, ''))).toBe('token_malformed');
    for (const spelling of ['none', 'None', 'noNE']) expect(reasonOf(unsigned(token, spelling))).toBe('read');
  });

  it('lets no claim be found that is not in the token', () => {
    const result = readToken(withPayload(token, '{"__proto__":{"iss":"x"}}'), 'authorization');
    if (!result.ok) throw new Error(result.detail);
    expect(result.value.claimed['iss']).toBeUndefined();
    expect(result.value.claimed['toString']).toBeUndefined();
  });

  it('never makes the reader throw, and what is read is what was sent', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map(base64url),
      fc.json().map(base64url),
      fc.constantFrom(...token.split('.')),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 6 }).map((all) => all.join('.')),
    );
    fc.assert(
      fc.property(text, (sent) => {
        const result = readToken(sent, 'authorization');
        if (result.ok) expect(result.value.text).toBe(sent);
        else expect(['token_malformed', 'limit_exceeded']).toContain(result.reason);
        expect(() => tokenIn(headersOf([['authorization', sent]]), ['authorization', 'x-token'])).not.toThrow();
      }),
    );
  });
});

describe('the name of a token', () => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

  it('is the SHA-256 of issuer LF jti', () => {
    const result = readToken(token, 'authorization');
    expect(result.ok && result.value.name).toBe(sha256(`${TEST_ISSUER}\none`));
    expect(tokenName({ iss: 'a', jti: 'b' }, 'h.p')).toBe(sha256('a\nb'));
  });

  it('is that of the signing input where there is no jti', () => {
    for (const claims of [{ iss: 'a' }, { iss: 'a', jti: '' }, { jti: 'b' }])
      expect(tokenName(claims, 'h.p')).toBe(sha256('h.p'));
  });

  it('is one for a token and its twin, with and without a jti', async () => {
    for (const text of [token, await issuer.sign({ jti: undefined })]) {
      const [one, other] = [text, twin(text)].map((spelling) => readToken(spelling, 'authorization'));
      if (!one?.ok || !other?.ok) throw new Error('both are well-formed');
      expect(other.value.text).not.toBe(one.value.text);
      expect(other.value.name).toBe(one.value.name);
    }
  });

  it('differs between tokens', async () => {
    const names = await Promise.all(
      [{ jti: 'a' }, { jti: 'b' }, { jti: undefined, n: 1 }, { jti: undefined, n: 2 }].map(async (claims) => {
        const result = readToken(await issuer.sign(claims), 'authorization');
        return result.ok && result.value.name;
      }),
    );
    expect(new Set(names).size).toBe(4);
  });
});

describe('the last character of a part', () => {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const text = fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 90 });

  it('is judged as encoding the octets again would judge it, for every ending', () => {
    const isRefused = (part: string): boolean => {
      const read = readToken(`${part}.e30.AAAA`, 'authorization');
      return !read.ok && read.detail.includes('canonical');
    };
    const again = (part: string): string => Buffer.from(part, 'base64url').toString('base64url');
    const agrees = (part: string): void => expect([part, isRefused(part)]).toEqual([part, again(part) !== part]);
    fc.assert(fc.property(text, fc.constantFrom(...ALPHABET), (head, last) => void agrees(head + last)));
    for (const head of ['', 'A', 'AA', 'AAA']) for (const last of ALPHABET) agrees(head + last);
  });
});
