import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grpcCode, httpStatus, isAllow, REASONS } from '../../src/model/reasons.js';
import type { DenyReason, Reason } from '../../src/model/reasons.js';
import { denial } from '../../src/wire/denial.js';
import { CHECK_RESPONSE } from '../../src/wire/proto.js';
import { encodeAnswer } from '../../src/wire/write-response.js';
import type { Answer } from '../../src/wire/write-response.js';
import { decodeAnswer } from './answers.js';

const reasons = Object.keys(REASONS) as Reason[];
const denyReasons = reasons.filter((reason): reason is DenyReason => !isAllow(reason));

const allow = (parts: Partial<Extract<Answer, { kind: 'allow' }>>): Buffer =>
  encodeAnswer({ kind: 'allow', set: [], remove: [], metadata: {}, ...parts });
const deny = (parts: Partial<Extract<Answer, { kind: 'deny' }>>): Buffer =>
  encodeAnswer({ kind: 'deny', reason: 'token_missing', headers: [], body: '', metadata: {}, ...parts });

/** HTTP status → code of google.rpc.Status (contract section 6). */
const CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 413: 3, 503: 14 };

describe('a denial', () => {
  test.each(denyReasons)('for %s has a status code and an HTTP status in its bytes', (reason) => {
    const shown = denial({ reason, id: 'd-1', hint: undefined, detail: 'reason', grpc: false });
    const bytes = deny({ reason, ...shown, metadata: { decision: 'deny', reason } });
    const status = httpStatus(reason);
    expect(status).toBeGreaterThanOrEqual(400);
    expect([...bytes.subarray(0, 4)]).toEqual([0x0a, 2, 0x08, CODES[status]]);
    const decoded = decodeAnswer(bytes);
    expect(decoded.code).toBe(grpcCode(reason));
    expect(decoded.http_response).toBe('denied_response');
    expect(decoded.httpStatus).toBe(status);
    expect(decoded.headers).toEqual(shown.headers);
    expect(JSON.parse(decoded.body)).toMatchObject({ status, reason, id: 'd-1' });
    expect(decoded.metadata).toEqual({ decision: 'deny', reason });
  });

  test('with a reason that allows is a fault', () => {
    for (const reason of reasons.filter(isAllow))
      expect(() => deny({ reason: reason as unknown as DenyReason })).toThrow(/is no reason for a denial/);
  });

  test('is these bytes', () => {
    const bytes = deny({ headers: [['a', 'b']], body: 'c' });
    expect(bytes.toString('hex')).toBe(
      ['0a020810', '1212', '0a03089103', '12080a060a0161120162', '1a0163', '2200'].join(''),
    );
  });
});

describe('an allow', () => {
  test('is these bytes', () => {
    const bytes = allow({ set: [['a', 'b']], remove: ['c'], metadata: { d: true } });
    expect(bytes.toString('hex')).toBe(
      ['0a020800', '1a13', '120e0a060a016112016212020800', '1802', '2a0163', '2209', '0a070a016412022001'].join(''),
    );
  });

  test('overwrites what it sets and removes the rest', () => {
    const decoded = decodeAnswer(
      allow({ set: [['x-firsthand-decision', 'd-1']], remove: ['x-firsthand-origin', 'x_firsthand_origin'] }),
    );
    expect(decoded).toMatchObject({
      code: 0,
      http_response: 'ok_response',
      headers: [['x-firsthand-decision', 'd-1']],
      appends: [false],
      removed: ['x-firsthand-origin', 'x_firsthand_origin'],
    });
  });

  test('that sets and removes one header, or sets it twice, is a fault', () => {
    expect(() => allow({ set: [['a', '1']], remove: ['b', 'a'] })).toThrow('names the header a twice');
    expect(() =>
      allow({
        set: [
          ['a', '1'],
          ['a', '2'],
        ],
      }),
    ).toThrow('names the header a twice');
    expect(() => allow({ set: [['a', '1']], remove: ['b', 'b'] })).not.toThrow();
  });
});

describe('headers of an answer', () => {
  test.each(['', 'A', 'a b', 'a_b', ':path', 'a\r\nb', 'é'])('the name %j is a fault', (name) => {
    expect(() => allow({ set: [[name, 'v']] })).toThrow('no name for a header');
    expect(() => deny({ headers: [[name, 'v']] })).toThrow('no name for a header');
  });

  test.each(['', 'A', 'a b', ':path', 'a\r\nb', 'é'])('the name %j to remove is a fault', (name) => {
    expect(() => allow({ remove: [name] })).toThrow('no name of a header');
  });

  test('a value with any control character is a fault', () => {
    for (const code of [...Array(32).keys(), 127]) {
      const value = `a${String.fromCharCode(code)}b`;
      expect(() => allow({ set: [['a', value]] }), `code ${code}`).toThrow('control character');
      expect(() => deny({ headers: [['a', value]] }), `code ${code}`).toThrow('control character');
    }
    expect(() => allow({ set: [['a', 'a b ~ é']] })).not.toThrow();
  });
});

describe('metadata', () => {
  test('comes back as it was', () => {
    const metadata = { text: 'a', empty: '', rule: 3, big: 1e300, yes: true, no: false, list: ['a', 'b'], none: [] };
    expect(decodeAnswer(allow({ metadata })).metadata).toEqual(metadata);
    expect(decodeAnswer(deny({ metadata })).metadata).toEqual(metadata);
  });

  test('a number that is not finite is a fault', () => {
    for (const value of [NaN, Infinity, -Infinity])
      expect(() => deny({ metadata: { value } })).toThrow('the metadata value is not a finite number');
  });
});

test('every text of an answer is UTF-8, also where a claim held half a surrogate pair', () => {
  const half = 'a\ud800b';
  const decoded = decodeAnswer(deny({ body: half, headers: [['a', half]], metadata: { text: half, list: [half] } }));
  expect(decoded).toMatchObject({ body: 'a�b', headers: [['a', 'a�b']], metadata: { text: 'a�b', list: ['a�b'] } });
  const anyText = fc.string({ unit: 'binary', maxLength: 10 }).map((text) => text.replace(/\p{Cc}/gu, ''));
  const loose = fc.array(fc.constantFrom('\ud83d', '\ude00', 'a', '\u{1f600}')).map((units) => units.join(''));
  fc.assert(
    fc.property(fc.oneof(anyText, loose), (text) => {
      const bytes = deny({ body: text, metadata: { text } });
      const { body, metadata } = decodeAnswer(bytes);
      expect(body).toBe(Buffer.from(text).toString());
      expect(metadata['text']).toBe(body);
      expect(bytes.includes(Buffer.from(body))).toBe(true);
      expect(isUtf8(Buffer.from(body))).toBe(true);
    }),
  );
});

describe('the bytes are those of the library of the proto files', () => {
  const text = fc
    .oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', minLength: 100, maxLength: 300 }))
    .map((each) => each.replace(/\p{Cc}/gu, ''));
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const pairs = fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, maxLength: 6 });
  const number = fc.double({ noDefaultInfinity: true, noNaN: true });
  const metadata = fc.dictionary(name, fc.oneof(text, number, fc.boolean(), fc.array(text, { maxLength: 40 })));
  const struct = (given: Answer['metadata']): object => ({
    fields: Object.fromEntries(Object.entries(given).map(([key, value]) => [key, libraryValue(value)])),
  });
  const libraryValue = (value: Answer['metadata'][string]): object => {
    if (typeof value === 'string') return { string_value: value };
    if (typeof value === 'boolean') return { bool_value: value };
    if (typeof value === 'number') return { number_value: value };
    return { list_value: { values: value.map((each) => ({ string_value: each })) } };
  };
  const option = ([key, value]: readonly [string, string]): object => ({ header: { key, value } });

  test('for allows', () => {
    const removed = fc.uniqueArray(name.map((each) => `r-${each}`));
    fc.assert(
      fc.property(pairs, removed, metadata, (set, remove, facts) => {
        const named = set.map(([key, value]) => [`s-${key}`, value] as const);
        const wanted = CHECK_RESPONSE.serialize({
          status: { code: 0 },
          ok_response: {
            headers: named.map((pair) => ({ ...option(pair), append: { value: false }, append_action: 2 })),
            headers_to_remove: remove,
          },
          dynamic_metadata: struct(facts),
        });
        expect(allow({ set: named, remove, metadata: facts }).equals(wanted)).toBe(true);
      }),
    );
  });

  test('for denials', () => {
    fc.assert(
      fc.property(fc.constantFrom(...denyReasons), pairs, text, metadata, (reason, headers, body, facts) => {
        const wanted = CHECK_RESPONSE.serialize({
          status: { code: grpcCode(reason) },
          denied_response: { status: { code: httpStatus(reason) }, headers: headers.map(option), body },
          dynamic_metadata: struct(facts),
        });
        expect(deny({ reason, headers, body, metadata: facts }).equals(wanted)).toBe(true);
      }),
    );
  });
});
