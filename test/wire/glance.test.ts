/**
 * A glance never reads what the full reader reads differently. Whatever it takes for ordinary is a CheckRequest to
 * read-request.ts and to the library of the proto files, and both say the very same as the bytes in the places that it found.
 */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../src/model/attributes.js';
import { OURS } from '../../src/wire/answer.js';
import { createGlance } from '../../src/wire/glance.js';
import type { Glance, GlanceOptions } from '../../src/wire/glance.js';
import { CHECK_REQUEST } from '../../src/wire/proto.js';
import { readRequest } from '../../src/wire/read-request.js';
import type { Seen } from '../../src/wire/seen.js';
import { FORWARDED_HEADER, OVERRIDE_HEADERS } from '../../src/request/shape.js';
import { seeded } from '../helpers/random.js';
import { field, headerMap, mapEntry, rawHeader, request, textHeader, varintField } from './bytes.js';

const CAPTURES = new URL('../captures/', import.meta.url);
const captures = readdirSync(CAPTURES)
  .filter((file) => file.endsWith('.bin'))
  .map((file) => readFileSync(new URL(file, CAPTURES)));

const SUSPECTS = [...OURS, ...OVERRIDE_HEADERS, 'upgrade', ':protocol'];
const OPTIONS: GlanceOptions = {
  credentials: ['authorization', 'x-token'],
  forwarded: FORWARDED_HEADER,
  suspects: SUSPECTS,
  allowed: [],
};
function glanceOf(options: Partial<GlanceOptions> = {}): Glance {
  const glance = createGlance({ ...OPTIONS, ...options });
  if (glance === undefined) throw new Error('no glance');
  return glance;
}
const glance = glanceOf();

interface Decoded {
  readonly attributes: {
    readonly source: { readonly principal: string; readonly certificate: string } | null;
    readonly destination: { readonly principal: string } | null;
    readonly request: {
      readonly http: {
        readonly method: string;
        readonly path: string;
        readonly host: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly header_map: {
          readonly headers: readonly { readonly key: string; readonly value: string; readonly raw_value: Buffer }[];
        } | null;
      };
    };
  };
}

/** What the library reads, in the form of what a glance finds. */
function byLibrary(bytes: Buffer): Record<string, unknown> {
  const { source, destination, request: inner } = (CHECK_REQUEST.deserialize(bytes) as Decoded).attributes;
  const { method, path, host, headers, header_map: list } = inner.http;
  const raw = list?.headers.map(({ key, value, raw_value }) => [key, value || raw_value.toString()] as const) ?? [];
  const lines = new Map<string, string[]>();
  for (const [key, value] of [...Object.entries(headers), ...raw])
    lines.set(key.toLowerCase(), [...(lines.get(key.toLowerCase()) ?? []), value]);
  return factsOf(
    {
      principal: source?.principal ?? '',
      certificate: source?.certificate ?? '',
      destinationPrincipal: destination?.principal ?? '',
      ...{ method, path, host },
    },
    (name) => lines.get(name) ?? [],
  );
}

const byReader = (attributes: Attributes): Record<string, unknown> =>
  factsOf(attributes, (name) => attributes.headers.all(name));

/** At most one line of each; none and an empty one are the same to a glance. */
const only = (values: readonly string[]): string => {
  expect(values.length).toBeLessThan(2);
  return values[0] ?? '';
};

const factsOf = (
  { principal, certificate, destinationPrincipal, method, path, host }: Omit<Attributes, 'headers'>,
  all: (name: string) => readonly string[],
): Record<string, unknown> => ({
  ...{ principal, certificate, destination: destinationPrincipal, method, host },
  ...{ path: path.split('?')[0] ?? '', target: path },
  forwarded: only(all(FORWARDED_HEADER)),
  credentials: OPTIONS.credentials.map((name) => only(all(name))),
  traceparent: only(all('traceparent')),
  requestId: only(all('x-request-id')),
  grpc: only(all('content-type')).toLowerCase().startsWith('application/grpc'),
  suspects: SUSPECTS.filter((name) => all(name).length > 0),
});

function byGlance(bytes: Buffer, seen: Seen): Record<string, unknown> {
  const text = (from: number, to: number): string => bytes.toString('utf8', from, to);
  return {
    principal: text(seen.principal, seen.principalEnd),
    certificate: text(seen.certificate, seen.certificateEnd),
    destination: text(seen.destination, seen.destinationEnd),
    method: text(seen.method, seen.methodEnd),
    host: text(seen.host, seen.hostEnd),
    path: text(seen.path, seen.pathEnd),
    target: text(seen.path, seen.targetEnd),
    forwarded: text(seen.forwarded, seen.forwardedEnd),
    credentials: OPTIONS.credentials.map((_, place) =>
      text(seen.credentials[place * 2] ?? 0, seen.credentials[place * 2 + 1] ?? 0),
    ),
    traceparent: text(seen.traceparent, seen.traceparentEnd),
    requestId: text(seen.requestId, seen.requestIdEnd),
    grpc: seen.grpc,
    suspects: [],
  };
}

/** Whether the request is ordinary; fails where a glance and the readers differ. */
function agrees(bytes: Buffer): boolean {
  if (!glance.look(bytes)) return false;
  const found = byGlance(bytes, glance.seen);
  // Names and principals in which readers repair bytes go the whole way later on: only plain texts are ever learned.
  if (
    !Object.values(found)
      .flat()
      .every((each) => typeof each !== 'string' || /^[\x20-\x7e]*$/.test(each))
  )
    return true;
  const read = readRequest(bytes);
  if (!read.ok) throw new Error(`the reader refuses an ordinary request: ${read.detail} ${bytes.toString('hex')}`);
  expect(found).toEqual(byReader(read.value));
  expect(found).toEqual(byLibrary(bytes));
  return true;
}

describe('a glance', () => {
  test('finds in recorded CheckRequests what the readers read', () => {
    const ordinary = captures.filter(agrees).length;
    console.log(`glance: ${ordinary} of ${captures.length} recorded requests are ordinary`);
    expect(ordinary).toBeGreaterThan(captures.length * 0.7);
  });

  test('agrees with the readers on 20,000 mutated ones', () => {
    const random = seeded(7);
    let ordinary = 0;
    const mutations = 20_000;
    for (let n = 0; n < mutations; n += 1) if (agrees(mutated(random.pick(captures), random))) ordinary += 1;
    console.log(`glance: ${ordinary} of ${mutations} mutated requests are ordinary`);
    expect(ordinary).toBeGreaterThan(mutations / 10);
  });

  const text = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.stringMatching(/^[\x21-\x7e]{0,40}$/),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const bytes = fc.oneof({ weight: 4, arbitrary: text }, fc.uint8Array({ maxLength: 12 }));
  const known = fc.constantFrom(
    ...OPTIONS.credentials,
    FORWARDED_HEADER,
    'content-type',
    'traceparent',
    'x-request-id',
  );
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/) },
    { weight: 4, arbitrary: known },
    { weight: 1, arbitrary: known.map((each) => each.replaceAll('-', '_')) },
    { weight: 1, arbitrary: known.map((each) => each.toUpperCase()) },
    { weight: 1, arbitrary: fc.constantFrom(...SUSPECTS, ':method', ':path', 'Host', '', 'a b', 'é') },
  );
  const strange = fc.oneof(
    fc.constant(varintField(9, 300)),
    fc.tuple(fc.integer({ min: 1, max: 20 }), bytes).map(([number, payload]) => field(number, payload)),
    fc.integer({ min: 1, max: 15 }).map((number) => varintField(number, 7)),
  );
  const part = (number: number): fc.Arbitrary<Buffer> => text.map((value) => field(number, value));
  const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.oneof(
      { weight: 9, arbitrary: fc.constant<T[]>([]) },
      arbitrary.map((each) => [each]),
    );
  const lines = fc.uniqueArray(fc.tuple(name, bytes), { selector: ([key]) => key, maxLength: 8 });
  const encoded = fc.tuple(fc.constantFrom('map', 'raw', 'text'), lines).map(([form, pairs]) => {
    if (form === 'map') return pairs.map(([key, value]) => mapEntry(key, value));
    return [headerMap(...pairs.map(([key, value]) => (form === 'raw' ? rawHeader : textHeader)(key, value)))];
  });
  const http = fc
    .tuple(part(2), part(4), part(5), encoded, rarely(strange), rarely(encoded.map((each) => Buffer.concat(each))))
    .map(([method, path, host, headers, extra, more]) => [method, path, host, ...headers, ...extra, ...more]);
  const peer = (number: number): fc.Arbitrary<Buffer> =>
    fc
      .tuple(fc.option(part(4), { nil: Buffer.of() }), rarely(part(5)), rarely(strange))
      .map(([principal, certificate, extra]) => field(number, principal, ...certificate, ...extra));
  const whole = fc
    .tuple(rarely(peer(2)), fc.option(peer(1), { nil: Buffer.of() }), http, rarely(strange), rarely(strange))
    .map(([destination, source, inner, extra, top]) =>
      Buffer.concat([field(1, source, ...destination, field(4, field(2, ...inner)), ...extra), ...top]),
    );

  test('agrees with the readers on generated ones, in both encodings', () => {
    let ordinary = 0;
    let all = 0;
    fc.assert(
      fc.property(whole, (given) => {
        all += 1;
        if (agrees(given)) ordinary += 1;
      }),
      { numRuns: 8000 },
    );
    console.log(`glance: ${ordinary} of ${all} generated requests are ordinary`);
    expect(ordinary).toBeGreaterThan(all / 10);
  });
});

function mutated(bytes: Buffer, random: ReturnType<typeof seeded>): Buffer {
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length);
  switch (random.below(5)) {
    case 0:
      copy[at] = random.below(256);
      return copy;
    case 1:
      copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return Buffer.concat([copy.subarray(0, at), Buffer.of(random.below(256)), copy.subarray(at)]);
    default:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + random.below(3))]);
  }
}

describe('a request is not ordinary', () => {
  const line = (key: string, value: string | Uint8Array = 'v'): Buffer => request(headerMap(rawHeader(key, value)));
  const looks = (bytes: Buffer, options: Partial<GlanceOptions> = {}): boolean => glanceOf(options).look(bytes);

  test.each(SUSPECTS.flatMap((each) => [each, each.replaceAll('-', '_'), each.toUpperCase()]))('with %s', (each) => {
    expect(looks(line(each))).toBe(false);
    expect(looks(line(`${each}2`.toLowerCase()))).toBe(true);
  });

  test.each(['X-Foo', 'a b', '', 'é', 'x\u0000', 'x_token', 'x_request_id', 'x_forwarded_client_cert'])(
    'with a name like %j',
    (each) => expect(looks(line(each))).toBe(false),
  );

  test('with one name twice, in either encoding', () => {
    expect(looks(request(headerMap(rawHeader('a', '1'), rawHeader('b', '1'))))).toBe(true);
    expect(looks(request(headerMap(rawHeader('a', '1'), rawHeader('a', '1'))))).toBe(false);
    expect(looks(request(mapEntry('a', '1'), mapEntry('b', '1')))).toBe(true);
    expect(looks(request(mapEntry('a', '1'), mapEntry('a', '1')))).toBe(false);
    expect(looks(request(headerMap(rawHeader('a_b', '1'), rawHeader('a-b', '1'))))).toBe(false);
  });

  test('in both encodings at once, or in a list twice', () => {
    expect(looks(request(mapEntry('a', '1'), headerMap(rawHeader('b', '1'))))).toBe(false);
    expect(looks(request(headerMap(rawHeader('a', '1')), headerMap(rawHeader('b', '1'))))).toBe(false);
  });

  test('with text that is not ASCII, where readers look at it', () => {
    expect(looks(request(mapEntry('a', 'é')))).toBe(false);
    expect(looks(request(headerMap(textHeader('a', Buffer.of(0xff)))))).toBe(false);
    // Of a raw value they repair what is wrong, and nobody looks.
    expect(looks(line('a', Buffer.of(0xff)))).toBe(true);
    expect(looks(request(field(4, '/x?', Buffer.of(0xff))))).toBe(false);
  });

  test('with both kinds of value', () => {
    const both = field(1, field(1, 'a'), field(2, 'v'), field(3, 'w'));
    expect(looks(request(headerMap(both)))).toBe(false);
    expect(looks(request(headerMap(field(1, field(1, 'a'), field(2, ''), field(3, 'w')))))).toBe(true);
  });

  test('beyond limits well below those of the reader', () => {
    expect(looks(line('a', 'v'.repeat(32 * 1024)))).toBe(true);
    expect(looks(line('a', 'v'.repeat(32 * 1024 + 1)))).toBe(false);
    expect(looks(line('a'.repeat(1024)))).toBe(true);
    expect(looks(line('a'.repeat(1025)))).toBe(false);
    const many = (count: number): Buffer =>
      request(headerMap(...Array.from({ length: count }, (_, n) => rawHeader(`h${n}`, 'v'))));
    expect([looks(many(96)), looks(many(97))]).toEqual([true, false]);
    expect(looks(Buffer.concat([line('a'), field(9, 'x'.repeat(512 * 1024))]))).toBe(false);
  });

  test('without an http part, or with bytes behind its end', () => {
    expect(looks(field(1, field(4)))).toBe(false);
    expect(looks(Buffer.alloc(0))).toBe(false);
    const bytes = line('a');
    for (let end = 1; end < bytes.length; end += 1) expect(looks(bytes.subarray(0, end))).toBe(false);
    expect(looks(Buffer.concat([bytes, Buffer.of(0)]))).toBe(false);
  });

  test('but for an override that is let through as it is spelled', () => {
    const allowed = { allowed: ['x-original-url'] };
    expect(looks(line('x-original-url'), allowed)).toBe(true);
    expect(looks(line('x_original_url'), allowed)).toBe(false);
    expect(looks(line('x-original-url'))).toBe(false);
  });
});

test('where one header has two roles there is no glance', () => {
  expect(createGlance({ ...OPTIONS, credentials: ['traceparent'] })).toBeUndefined();
  expect(createGlance({ ...OPTIONS, credentials: ['x-token', 'x_token'] })).toBeUndefined();
  expect(createGlance({ ...OPTIONS, credentials: [FORWARDED_HEADER] })).toBeUndefined();
  expect(createGlance({ ...OPTIONS, credentials: ['x-original-url'], allowed: ['x-original-url'] })).toBeUndefined();
});
