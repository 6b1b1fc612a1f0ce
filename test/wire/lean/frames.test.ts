import { describe, expect, test } from 'vitest';
import { decode } from './hpack.js';
import * as errors from '../../../src/wire/lean/errors.js';
import * as frames from '../../../src/wire/lean/frame.js';
import { frame, PREFACE, settings, uint32 } from '../../../src/wire/lean/frame.js';
import { framed } from '../../../src/wire/lean/response.js';
import { MAX_RECEIVE_BYTES } from '../../../src/wire/listener.js';
import * as wires from './wire.js';
import { ALLOW, check, CHECK_HEADERS, data, headers, headersOf, openWire, outcomeOf, outcomes, ping } from './wire.js';
import { block } from './hpack.js';

const OK = `OK:${ALLOW.toString('hex')}`;
const MESSAGE = framed(Buffer.from('request'));
const { reset, windowUpdate } = wires;

/** Ends with a GOAWAY of this code, the socket ended, and nothing after it read. */
function connectionError(code: number, bytes: readonly Buffer[], greeted = true): void {
  const wire = openWire();
  if (greeted) wire.greet(...bytes);
  else wire.send(...bytes);
  expect(outcomes(wire.said()).get(0)).toBe(`GOAWAY:${code}`);
  expect(wire.socket.ended).toBe(true);
  expect(wire.logged).toEqual([]);
  const before = wire.bytes().length;
  wire.send(check(99), ping());
  expect(wire.bytes()).toHaveLength(before);
}

test('begins with SETTINGS that say our limits, and acknowledges the peer’s', () => {
  const [own, window, ack] = openWire().greet().said();
  expect(own).toMatchObject({ type: frames.SETTINGS, flags: 0, id: 0 });
  expect([0, 6, 12, 18, 24].map((at) => [own?.payload.readUInt16BE(at), own?.payload.readUInt32BE(at + 2)])).toEqual([
    [1, 4_096],
    [3, 16_384],
    [4, 1_048_576],
    [5, 16_384],
    [6, 65_536],
  ]);
  expect(window).toMatchObject({ type: frames.WINDOW_UPDATE, id: 0, payload: uint32(16_777_216 - 65_535) });
  expect(ack).toMatchObject({ type: frames.SETTINGS, flags: frames.ACK, payload: Buffer.alloc(0) });
});

describe('a call', () => {
  test('is answered with HEADERS, DATA and trailers', () => {
    const seen: string[] = [];
    const wire = openWire({ handle: (bytes) => (seen.push(bytes.toString()), ALLOW) }).greet(check(1));
    const [head, message, trailers] = wire.said().slice(3);
    expect(seen).toEqual(['request']);
    expect(head).toMatchObject({ type: frames.HEADERS, flags: frames.END_HEADERS, id: 1 });
    expect(decode(Buffer.from(head?.payload ?? ''))).toEqual([
      [':status', '200'],
      ['content-type', 'application/grpc'],
    ]);
    expect(message).toMatchObject({ type: frames.DATA, flags: 0, id: 1, payload: framed(ALLOW) });
    expect(trailers).toMatchObject({ type: frames.HEADERS, flags: frames.END_HEADERS | frames.END_STREAM, id: 1 });
    expect(decode(Buffer.from(trailers?.payload ?? ''))).toEqual([['grpc-status', '0']]);
    expect(wire.said()).toHaveLength(6);
  });

  test('its answer is written at once, without waiting for a turn, and all of a chunk in one piece', () => {
    const wire = openWire().greet();
    const before = wire.socket.written.length;
    wire.send(Buffer.concat([check(1), check(3), check(5)]));
    expect(wire.socket.written.length - before).toBe(1);
    expect([1, 3, 5].map((id) => outcomeOf(wire, id))).toEqual([OK, OK, OK]);
  });

  test('its bytes are the handler’s own: nobody writes to them again', () => {
    const kept: Buffer[] = [];
    const wire = openWire({ handle: (bytes) => (kept.push(bytes), ALLOW) }).greet();
    const one = Buffer.alloc(3_000, 1);
    const two = Buffer.alloc(3_000, 2);
    const bytes = Buffer.concat([check(1, one), check(3, two)]);
    for (let at = 0; at < bytes.length; at += 700) wire.send(Buffer.from(bytes.subarray(at, at + 700)));
    expect(kept.map((each) => each.equals(one) || each.equals(two))).toEqual([true, true]);
  });

  test.each<[string, Buffer[], string]>([
    ['padded and with priority', [paddedHeaders(1), paddedData(1, MESSAGE)], OK],
    ['its header block in three frames', splitHeaders(1), OK],
    ['its message in pieces of one octet', [headers(1), ...pieces(1, MESSAGE, 1)], OK],
    ['its end in an empty DATA', [headers(1), data(1, MESSAGE, 0), data(1, Buffer.alloc(0))], OK],
    ['its end in trailers', [headers(1), data(1, MESSAGE, 0), trailers(1, ['x', 'y'])], OK],
    ['an empty message', [check(1, Buffer.alloc(0))], OK],
    ['a content-length that is right', [headers(1, headersOf({ 'content-length': '12' })), data(1, MESSAGE)], OK],
    [
      'application/grpc+proto',
      [headers(1, headersOf({ 'content-type': 'application/grpc+proto' })), data(1, MESSAGE)],
      OK,
    ],
    [
      'unknown flags',
      [frame(frames.HEADERS, 0x04 | (0xd0 & 0x50), 1, block(...CHECK_HEADERS)), data(1, MESSAGE, 0xf1 & ~8)],
      OK,
    ],
    ['without a message', [headers(1), data(1, Buffer.alloc(0))], 'grpc:12'],
    ['without a message or DATA', [headers(1, CHECK_HEADERS, 5)], 'grpc:12'],
    ['two messages', [headers(1), data(1, Buffer.concat([MESSAGE, MESSAGE]))], 'grpc:12'],
    ['two messages in two frames', [headers(1), data(1, MESSAGE, 0), data(1, MESSAGE)], 'grpc:12'],
    [
      'a frame that looks like a message behind the beginning of another',
      [headers(1), data(1, MESSAGE.subarray(0, 5), 0), data(1, framed(Buffer.of(1, 2)))],
      OK,
    ],
    ['a message and a bit', [headers(1), data(1, Buffer.concat([MESSAGE, Buffer.of(0)]))], 'grpc:12'],
    ['a message that is cut', [headers(1), data(1, MESSAGE.subarray(0, -1))], 'grpc:13'],
    ['a prefix that is cut', [headers(1), data(1, MESSAGE.subarray(0, 4))], 'grpc:13'],
    ['a compressed message', [headers(1), data(1, Buffer.concat([Buffer.of(1), MESSAGE.subarray(1)]))], 'grpc:12'],
    ['a strange first octet', [headers(1), data(1, Buffer.concat([Buffer.of(2), MESSAGE.subarray(1)]))], 'grpc:13'],
    ['an announced length above the limit', [headers(1), data(1, prefix(MAX_RECEIVE_BYTES + 1), 0)], 'grpc:8 RST:0'],
    ['an announced length at the limit', [headers(1), data(1, prefix(MAX_RECEIVE_BYTES), 0), reset(1)], 'none'],
    [
      'another method of the service',
      [headers(1, headersOf({ ':path': '/envoy.service.auth.v3.Authorization/Chec' })), data(1, MESSAGE)],
      'grpc:12 RST:0',
    ],
    ['its path in capitals', [headers(1, headersOf({ ':path': CHECK_HEADERS[2]![1].toUpperCase() }), 5)], 'grpc:12'],
    ['a query behind the path', [headers(1, headersOf({ ':path': `${CHECK_HEADERS[2]![1]}?a` }), 5)], 'grpc:12'],
    [
      'a method of health that is not there',
      [headers(1, headersOf({ ':path': '/grpc.health.v1.Health/List' }), 5)],
      'grpc:12',
    ],
    ['GET', [headers(1, headersOf({ ':method': 'GET' }), 5)], 'http:405'],
    ['post', [headers(1, headersOf({ ':method': 'post' })), data(1, MESSAGE)], 'http:405'],
    [
      'CONNECT',
      [
        headers(
          1,
          [
            [':method', 'CONNECT'],
            [':authority', 'guard'],
          ],
          5,
        ),
      ],
      'http:405',
    ],
    ['application/json', [headers(1, headersOf({ 'content-type': 'application/json' })), data(1, MESSAGE)], 'http:415'],
    [
      'application/grpc-web',
      [headers(1, headersOf({ 'content-type': 'application/grpc-web' })), data(1, MESSAGE)],
      'http:415',
    ],
    [
      'application/grpc+json',
      [headers(1, headersOf({ 'content-type': 'application/grpc+json' })), data(1, MESSAGE)],
      'http:415',
    ],
    [
      'two content types',
      [headers(1, [...CHECK_HEADERS, ['content-type', 'application/grpc']]), data(1, MESSAGE)],
      'http:415',
    ],
    ['no content type', [headers(1, headersOf({ 'content-type': undefined })), data(1, MESSAGE)], 'http:415'],
    ['headers above the limit', [headersInFrames(1, [...CHECK_HEADERS, ...many(1_024)]), data(1, MESSAGE)], 'http:431'],
    ['headers just below it', [headersInFrames(1, [...CHECK_HEADERS, ...many(1_000)]), data(1, MESSAGE)], OK],
  ])('with %s', (_, bytes, outcome) => {
    const wire = openWire().greet(...bytes);
    // A refusal that comes before the request has ended is followed by RST_STREAM(NO_ERROR).
    expect(outcomeOf(wire) ?? 'none').toBe(outcome);
    expect(outcomes(wire.said()).has(0)).toBe(false);
    expect(wire.logged).toEqual([]);
    expect(outcomeOf(wire.send(check(3)), 3)).toBe(OK);
    expect(wire.shared.use).toEqual({ streams: 0, partialBytes: 0 });
  });
});

test('nothing of one request counts for the next: its secret, its deadline, its length', () => {
  const deadlines: (number | undefined)[] = [];
  const handle = (_: Buffer, deadline: number | undefined): Buffer => (deadlines.push(deadline), ALLOW);
  const wire = openWire({ secret: () => 's3cret', handle, now: () => 0 }).greet();
  const all = { 'x-firsthand-secret': 's3cret', 'grpc-timeout': '5S', 'content-length': '12' };
  wire.send(headers(1, headersOf(all)), data(1, MESSAGE), headers(3), data(3, MESSAGE));
  const secretOnly = headersOf({ 'x-firsthand-secret': 's3cret' });
  wire.send(
    headers(5, secretOnly),
    data(5, framed(Buffer.from('another length'))),
    headers(7, headersOf({ Bad: 'x' })),
  );
  wire.send(headers(9, secretOnly), data(9, MESSAGE), headers(11), data(11, MESSAGE));
  const expected = [OK, 'grpc:16 RST:0', OK, 'RST:1', OK, 'grpc:16 RST:0'];
  expect([1, 3, 5, 7, 9, 11].map((id) => outcomeOf(wire, id))).toEqual(expected);
  expect(deadlines).toEqual([5_000, undefined, undefined]);
});

describe('a malformed request is RST_STREAM(PROTOCOL_ERROR), and the connection goes on:', () => {
  test.each<[string, Buffer]>([
    ...[':method', ':scheme', ':path'].map((name): [string, Buffer] => [
      `no ${name}`,
      headers(1, headersOf({ [name]: undefined })),
    ]),
    ...CHECK_HEADERS.slice(0, 4).map((pair): [string, Buffer] => [
      `${pair[0]} twice`,
      headers(1, [pair, ...CHECK_HEADERS]),
    ]),
    ['an empty :path', headers(1, headersOf({ ':path': '' }))],
    ['an unknown pseudo-header', headers(1, [[':protocol', 'x'], ...CHECK_HEADERS])],
    ['a pseudo-header of responses', headers(1, [[':status', '200'], ...CHECK_HEADERS])],
    ['a pseudo-header after another', headers(1, [['a', 'b'], ...CHECK_HEADERS])],
    ['a name in capitals', headers(1, headersOf({ 'X-A': 'b' }))],
    ['a name with a colon', headers(1, headersOf({ 'a:b': 'b' }))],
    ['an empty name', headers(1, headersOf({ '': 'b' }))],
    ['a name with a space', headers(1, headersOf({ 'a b': 'b' }))],
    ['a name beyond ASCII', headers(1, headersOf({ ä: 'b' }))],
    ['a value with CR', headers(1, headersOf({ a: 'b\r' }))],
    ['a value with LF', headers(1, headersOf({ a: 'b\nc' }))],
    ['a value with NUL', headers(1, headersOf({ a: '\0' }))],
    ['a value with a space before it', headers(1, headersOf({ a: ' b' }))],
    ['a value with a tab after it', headers(1, headersOf({ a: 'b\t' }))],
    ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map(
      (name): [string, Buffer] => [name, headers(1, headersOf({ [name]: 'x' }))],
    ),
    ['te that is not trailers', headers(1, headersOf({ te: 'gzip' }))],
    ['te with more than trailers', headers(1, headersOf({ te: 'trailers, gzip' }))],
    ['CONNECT with a path', headers(1, headersOf({ ':method': 'CONNECT' }))],
    ['a content-length that is no number', headers(1, headersOf({ 'content-length': '1a' }))],
    ['two content-lengths', headers(1, [...CHECK_HEADERS, ['content-length', '12'], ['content-length', '12']])],
    [
      'less than its content-length',
      Buffer.concat([headers(1, headersOf({ 'content-length': '13' })), data(1, MESSAGE)]),
    ],
    [
      'more than its content-length',
      Buffer.concat([headers(1, headersOf({ 'content-length': '11' })), data(1, MESSAGE, 0)]),
    ],
    ['a content-length without DATA', headers(1, headersOf({ 'content-length': '1' }), 5)],
    ['trailers without END_STREAM', Buffer.concat([headers(1), headers(1, [['a', 'b']])])],
    ['trailers with a pseudo-header', Buffer.concat([headers(1), data(1, MESSAGE, 0), trailers(1, [':path', '/'])])],
    [
      'a stream that depends on itself',
      frame(frames.HEADERS, 0x24, 1, Buffer.concat([uint32(1), Buffer.of(0), block(...CHECK_HEADERS)])),
    ],
    ['a WINDOW_UPDATE by nothing', Buffer.concat([headers(1), windowUpdate(1, 0)])],
    [
      'PRIORITY on itself',
      Buffer.concat([headers(1), frame(frames.PRIORITY, 0, 1, Buffer.concat([uint32(1), Buffer.of(0)]))]),
    ],
  ])('%s', (_, bytes) => {
    let asked = 0;
    const wire = openWire({ handle: () => (asked++, ALLOW) }).greet(bytes);
    expect(outcomeOf(wire)).toBe(`RST:${errors.PROTOCOL_ERROR}`);
    expect(asked).toBe(0);
    // What was on its way is ignored, and the next call is answered.
    wire.send(data(1, MESSAGE));
    expect(outcomeOf(wire)).toBe(`RST:${errors.PROTOCOL_ERROR}`);
    expect(outcomeOf(wire.send(check(3)), 3)).toBe(OK);
    expect(wire.shared.use).toEqual({ streams: 0, partialBytes: 0 });
  });
});

describe('other errors of a stream:', () => {
  test.each<[string, Buffer[], number]>([
    ['DATA after END_STREAM', [check(1), data(1, MESSAGE)], errors.STREAM_CLOSED],
    ['DATA after RST_STREAM', [headers(1), reset(1), data(1, MESSAGE)], errors.STREAM_CLOSED],
    ['a window of the stream that overflows', [headers(1), windowUpdate(1, 0x7fff_ffff)], errors.FLOW_CONTROL_ERROR],
    ['PRIORITY of a wrong length', [headers(1), frame(frames.PRIORITY, 0, 1, uint32(3))], errors.FRAME_SIZE_ERROR],
  ])('%s', (_, bytes, code) => {
    const wire = openWire().greet(...bytes);
    expect(outcomeOf(wire)?.split(' ').at(-1)).toBe(`RST:${code}`);
    expect(outcomeOf(wire.send(check(3)), 3)).toBe(OK);
  });

  test('frames for a stream whose handler still works', async () => {
    const handle = (): Promise<Buffer> => Promise.resolve(ALLOW);
    for (const late of [data(1, MESSAGE), trailers(1, ['a', 'b'])])
      expect(outcomeOf(openWire({ handle }).greet(check(1), late))).toBe(`RST:${errors.STREAM_CLOSED}`);
    const answered = openWire({ handle }).greet(check(1));
    await expect.poll(() => outcomeOf(answered)).toBe(OK);
  });
});

describe('errors of the connection:', () => {
  const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, COMPRESSION_ERROR } = errors;
  test.each<[string, Buffer[], number]>([
    ['DATA on stream 0', [data(0, MESSAGE)], PROTOCOL_ERROR],
    ['DATA on an idle stream', [data(1, MESSAGE)], PROTOCOL_ERROR],
    [
      'DATA with a padding as long as the frame',
      [headers(1), frame(0, 8, 1, Buffer.of(5, 1, 2, 3, 4))],
      PROTOCOL_ERROR,
    ],
    ['DATA that is padded and empty', [headers(1), frame(0, 8, 1)], PROTOCOL_ERROR],
    ['HEADERS on stream 0', [headers(0)], PROTOCOL_ERROR],
    ['HEADERS on a stream of a server', [headers(2)], PROTOCOL_ERROR],
    ['HEADERS on a lower number', [check(5), check(3)], PROTOCOL_ERROR],
    ['HEADERS on a stream that has ended', [check(1), check(1)], STREAM_CLOSED],
    ['HEADERS after RST_STREAM', [headers(1), reset(1), headers(1)], STREAM_CLOSED],
    [
      'HEADERS with a padding that is too long',
      [frame(1, 0x0c, 1, Buffer.concat([Buffer.of(255), block(...CHECK_HEADERS)]).subarray(0, 100))],
      PROTOCOL_ERROR,
    ],
    ['HEADERS without room for their priority', [frame(1, 0x24, 1, uint32(3))], FRAME_SIZE_ERROR],
    ['HEADERS that cannot be decompressed', [frame(1, 4, 1, Buffer.of(0xff))], COMPRESSION_ERROR],
    ['trailers that cannot be decompressed', [headers(1), frame(1, 5, 1, Buffer.of(0x80))], COMPRESSION_ERROR],
    [
      'a block of a stream that is reset, which cannot be decompressed',
      [headers(1, [['a', 'b']]), frame(1, 5, 1, Buffer.of(0x80))],
      COMPRESSION_ERROR,
    ],
    ['PRIORITY on stream 0', [frame(2, 0, 0, Buffer.alloc(5))], PROTOCOL_ERROR],
    ['RST_STREAM on stream 0', [reset(0)], PROTOCOL_ERROR],
    ['RST_STREAM on an idle stream', [reset(1)], PROTOCOL_ERROR],
    ['RST_STREAM of a wrong length', [headers(1), frame(3, 0, 1, Buffer.alloc(5))], FRAME_SIZE_ERROR],
    ['SETTINGS on a stream', [frame(4, 0, 1)], PROTOCOL_ERROR],
    ['SETTINGS of a wrong length', [frame(4, 0, 0, Buffer.alloc(7))], FRAME_SIZE_ERROR],
    ['SETTINGS that acknowledge and say something', [frame(4, 1, 0, Buffer.alloc(6))], FRAME_SIZE_ERROR],
    ['ENABLE_PUSH 2', [settings([2, 2])], PROTOCOL_ERROR],
    ['INITIAL_WINDOW_SIZE of 2^31', [settings([4, 0x8000_0000])], FLOW_CONTROL_ERROR],
    ['MAX_FRAME_SIZE below', [settings([5, 16_383])], PROTOCOL_ERROR],
    ['MAX_FRAME_SIZE above', [settings([5, 16_777_216])], PROTOCOL_ERROR],
    [
      'INITIAL_WINDOW_SIZE that makes a stream’s window overflow',
      [headers(1), windowUpdate(1, 0x7fff_ffff - 65_535), settings([4, 65_536])],
      FLOW_CONTROL_ERROR,
    ],
    ['PUSH_PROMISE', [headers(1), frame(5, 4, 1, uint32(2))], PROTOCOL_ERROR],
    ['PING on a stream', [frame(6, 0, 1, Buffer.alloc(8))], PROTOCOL_ERROR],
    ['PING of a wrong length', [frame(6, 0, 0, Buffer.alloc(7))], FRAME_SIZE_ERROR],
    ['GOAWAY on a stream', [frame(7, 0, 1, Buffer.alloc(8))], PROTOCOL_ERROR],
    ['GOAWAY of a wrong length', [frame(7, 0, 0, Buffer.alloc(7))], FRAME_SIZE_ERROR],
    ['WINDOW_UPDATE by nothing', [windowUpdate(0, 0)], PROTOCOL_ERROR],
    ['WINDOW_UPDATE of a wrong length', [frame(8, 0, 0, Buffer.alloc(3))], FRAME_SIZE_ERROR],
    ['WINDOW_UPDATE on an idle stream', [windowUpdate(1, 1)], PROTOCOL_ERROR],
    ['the connection’s window overflows', [windowUpdate(0, 0x7fff_ffff)], FLOW_CONTROL_ERROR],
    ['CONTINUATION out of nowhere', [frame(9, 4, 1)], PROTOCOL_ERROR],
    ['CONTINUATION of another stream', [headers(1, CHECK_HEADERS, 0), frame(9, 4, 3)], PROTOCOL_ERROR],
    ['CONTINUATION after the end of the block', [headers(1), frame(9, 4, 1)], PROTOCOL_ERROR],
    ['PING inside a block', [headers(1, CHECK_HEADERS, 0), ping()], PROTOCOL_ERROR],
    ['an unknown frame inside a block', [headers(1, CHECK_HEADERS, 0), frame(0xfe, 0, 1)], PROTOCOL_ERROR],
    ['a frame of 16,385 octets', [headers(1), frame(0, 0, 1, Buffer.alloc(16_385))], FRAME_SIZE_ERROR],
  ])('%s', (_, bytes, code) => connectionError(code, bytes));

  test.each<[string, Buffer]>([
    ['another preface', Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nXM\r\n\r\n'), settings()])],
    ['HTTP/1', Buffer.from('GET / HTTP/1.1\r\nHost: guard\r\n\r\n')],
    ['anything before SETTINGS', Buffer.concat([PREFACE, ping()])],
    ['an acknowledgement before SETTINGS', Buffer.concat([PREFACE, frame(4, 1, 0)])],
  ])('%s', (_, bytes) => connectionError(PROTOCOL_ERROR, [bytes], false));

  test('answers that were given before the error are sent, and those that come after are not', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const handle = (bytes: Buffer): Buffer | Promise<Buffer> => (bytes.length === 0 ? gate.then(() => ALLOW) : ALLOW);
    const wire = openWire({ handle }).greet(check(1), check(3, Buffer.alloc(0)), data(0, MESSAGE), check(5));
    release();
    await gate;
    await expect.poll(() => wire.shared.use.streams).toBe(0);
    expect(outcomes(wire.said())).toEqual(
      new Map([
        [1, OK],
        [0, `GOAWAY:${PROTOCOL_ERROR}`],
      ]),
    );
  });
});

describe('what is ignored:', () => {
  test.each<[string, Buffer[]]>([
    ['unknown frames', [frame(0xfe, 0xff, 0, Buffer.alloc(20)), frame(0xfe, 0xff, 7, Buffer.alloc(20))]],
    ['unknown settings', [settings([0x99, 5])]],
    ['PRIORITY', [frame(2, 0, 1, Buffer.alloc(5)), frame(2, 0, 101, Buffer.alloc(5))]],
    ['a PING that answers', [frame(6, 1, 0, Buffer.alloc(8))]],
    ['GOAWAY of the peer', [frame(7, 0, 0, Buffer.alloc(8))]],
    ['WINDOW_UPDATE and RST_STREAM on a stream that has ended', [check(7), windowUpdate(7, 5), reset(7)]],
    ['the reserved bit of a number', [windowUpdate(0x8000_0000, 1)]],
  ])('%s', (_, bytes) => {
    const wire = openWire().greet(...bytes, check(9));
    expect(outcomeOf(wire, 9)).toBe(OK);
    expect(outcomeOf(wire, 0)).toBeUndefined();
  });

  test('but PING is answered with its own octets', () => {
    const answer = openWire().greet(ping('abcdefgh')).said().at(-1);
    expect(answer).toMatchObject({ type: frames.PING, flags: frames.ACK, payload: Buffer.from('abcdefgh') });
  });
});

function prefix(length: number): Buffer {
  return Buffer.concat([Buffer.of(0), uint32(length)]);
}

function many(count: number): [string, string][] {
  return Array.from({ length: count }, (_, index) => [`x-${index}`.padEnd(16, 'x'), 'v'.repeat(16)]);
}

function pieces(id: number, bytes: Buffer, size: number): Buffer[] {
  const cut = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  return cut.map((piece, index) => data(id, piece, index === cut.length - 1 ? 1 : 0));
}

function trailers(id: number, ...list: [string, string][]): Buffer {
  return headers(id, list, frames.END_HEADERS | frames.END_STREAM);
}

function paddedHeaders(id: number): Buffer {
  const payload = Buffer.concat([Buffer.of(7), uint32(0), Buffer.of(15), block(...CHECK_HEADERS), Buffer.alloc(7)]);
  return frame(frames.HEADERS, frames.END_HEADERS | frames.PADDED | frames.WITH_PRIORITY, id, payload);
}

function paddedData(id: number, bytes: Buffer): Buffer {
  return data(id, Buffer.concat([Buffer.of(3), bytes, Buffer.alloc(3)]), frames.END_STREAM | frames.PADDED);
}

function splitHeaders(id: number): Buffer[] {
  const whole = block(...CHECK_HEADERS);
  return [
    frame(frames.HEADERS, 0, id, whole.subarray(0, 11)),
    frame(frames.CONTINUATION, 0, id, whole.subarray(11, 12)),
    Buffer.concat([frame(frames.CONTINUATION, frames.END_HEADERS, id, whole.subarray(12)), data(id, MESSAGE)]),
  ];
}

function headersInFrames(id: number, list: readonly (readonly [string, string])[]): Buffer {
  const whole = block(...list);
  const cut = Array.from({ length: Math.ceil(whole.length / 16_000) }, (_, index) =>
    whole.subarray(index * 16_000, (index + 1) * 16_000),
  );
  return Buffer.concat(
    cut.map((piece, index) =>
      frame(index === 0 ? frames.HEADERS : frames.CONTINUATION, index === cut.length - 1 ? 4 : 0, id, piece),
    ),
  );
}
