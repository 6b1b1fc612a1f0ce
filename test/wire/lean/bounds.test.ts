/** Windows, deadlines, floods, readers that do not read, and the end: what a connection does over time. */
import { describe, expect, test } from 'vitest';
import { ENHANCE_YOUR_CALM } from '../../../src/wire/lean/errors.js';
import * as frames from '../../../src/wire/lean/frame.js';
import { frame, PREFACE, settings, uint32 } from '../../../src/wire/lean/frame.js';
import * as limits from '../../../src/wire/lean/limits.js';
import { framed } from '../../../src/wire/lean/response.js';
import { timeoutOf } from '../../../src/wire/lean/timeout.js';
import { seeded } from '../../helpers/random.js';
import { block } from './hpack.js';
import * as wires from './wire.js';
import { ALLOW, check, CHECK_HEADERS, data, headers, headersOf, openWire, outcomeOf, ping } from './wire.js';
import type { Frame, Wire } from './wire.js';

const OK = `OK:${ALLOW.toString('hex')}`;
const MESSAGE = framed(Buffer.from('request'));
const { reset, windowUpdate } = wires;

/** A handler whose answers come when a test wants them. */
function gate(): { handle: () => Promise<Buffer>; release: () => void } {
  let release = (): void => {};
  const open = new Promise<void>((resolve) => (release = resolve));
  return { handle: () => open.then(() => ALLOW), release: () => release() };
}

const ticks = (wire: Wire, count: number): Wire => {
  for (let tick = 0; tick < count; tick++) wire.connection.tick();
  return wire;
};
const dataOf = (wire: Wire, id = 1): Frame[] =>
  wire.said().filter((each) => each.type === frames.DATA && each.id === id);
const octetsOf = (wire: Wire, id = 1): number => dataOf(wire, id).reduce((sum, { payload }) => sum + payload.length, 0);

describe('what we send', () => {
  test('waits for the window of its stream, and goes on octet by octet', () => {
    const wire = openWire().greet(settings([4, 0]), check(1), check(3));
    expect([octetsOf(wire, 1), octetsOf(wire, 3)]).toEqual([0, 0]);
    wire.send(windowUpdate(1, 1));
    expect([octetsOf(wire, 1), octetsOf(wire, 3)]).toEqual([1, 0]);
    for (let octet = 0; octet < 8; octet++) wire.send(windowUpdate(1, 1));
    expect(outcomeOf(wire)).toBe(OK);
    expect(dataOf(wire).map(({ payload }) => payload.length)).toEqual(new Array(9).fill(1));
    wire.send(settings([4, 100]));
    expect(outcomeOf(wire, 3)).toBe(OK);
  });

  test('waits for the window of the connection, which streams share', () => {
    const answer = Buffer.alloc(40_000, 7);
    const wire = openWire({ handle: () => answer }).greet(check(1), check(3), check(5));
    expect([1, 3, 5].reduce((sum, id) => sum + octetsOf(wire, id), 0)).toBe(65_535);
    expect(Math.max(...wire.said().map(({ payload }) => payload.length))).toBe(16_384);
    wire.send(windowUpdate(0, 60_000));
    for (const id of [1, 3, 5]) expect(outcomeOf(wire, id)).toBe(`OK:${answer.toString('hex')}`);
  });

  test('many small answers use up the window of the connection together', () => {
    const answer = Buffer.alloc(995, 7);
    const wire = openWire({ handle: () => answer }).greet();
    for (let id = 1; id < 200; id += 2) wire.send(check(id));
    const sent = (): number =>
      wire.said().reduce((sum, { type, payload }) => sum + (type === 0 ? payload.length : 0), 0);
    expect(sent()).toBe(65_535);
    wire.send(windowUpdate(0, 1));
    expect(sent()).toBe(65_536);
    wire.send(windowUpdate(0, 100_000));
    expect(sent()).toBe(100_000);
    for (let id = 1; id < 200; id += 2) expect(outcomeOf(wire, id)).toBe(`OK:${answer.toString('hex')}`);
  });

  test('a window that was made negative has to grow above zero first', () => {
    const answer = Buffer.alloc(995, 7);
    const wire = openWire({ handle: () => answer }).greet(settings([4, 600]), check(1));
    expect(octetsOf(wire)).toBe(600);
    wire.send(settings([4, 100]), windowUpdate(1, 500));
    expect(octetsOf(wire)).toBe(600);
    wire.send(windowUpdate(1, 1));
    expect(octetsOf(wire)).toBe(601);
    wire.send(windowUpdate(1, 399));
    expect(outcomeOf(wire)).toBe(`OK:${answer.toString('hex')}`);
  });

  test('says that it follows where the peer reduced the table, once', () => {
    const wire = openWire().greet(settings([1, 0]), check(1), check(3));
    const blocks = wire.said().flatMap(({ type, payload }) => (type === frames.HEADERS ? [payload[0]] : []));
    expect(blocks.map((first) => first === 0x20)).toEqual([true, false, false, false]);
    expect([outcomeOf(wire, 1), outcomeOf(wire, 3)]).toEqual([OK, OK]);
  });

  test('is forgotten when the peer resets the stream', () => {
    const wire = openWire().greet(settings([4, 0]), check(1), reset(1), windowUpdate(1, 100));
    expect(octetsOf(wire)).toBe(0);
    expect(wire.shared.use.streams).toBe(0);
  });

  test('is forgotten too where it waits for the connection, and no longer counts', () => {
    const answer = Buffer.alloc(1_000_000, 7);
    const wire = openWire({ handle: () => answer }).greet(check(1));
    for (let id = 3; id < 41; id += 2) wire.send(check(id), reset(id));
    wire.send(reset(1));
    expect(wire.shared.use.streams).toBe(0);
    const before = wire.bytes().length;
    expect(wire.send(windowUpdate(0, 10_000_000)).bytes()).toHaveLength(before);
    expect(wire.shared.use.streams).toBe(0);
    ticks(wire, limits.STALL_TICKS + 2);
    expect([wire.socket.ended, wire.socket.destroyed]).toEqual([false, false]);
    // The window is whole for the next one.
    wire.send(settings([4, 2_000_000]), check(41));
    expect(outcomeOf(wire, 41)).toBe(`OK:${answer.toString('hex')}`);
  });

  test.each<[string, Buffer]>([
    ['the windows', settings([4, 0])],
    ['the window of the connection', Buffer.alloc(0)],
  ])('that is never taken ends the connection: %s', (_, first) => {
    const wire = openWire({ handle: () => Buffer.alloc(100_000) }).greet(first, check(1));
    ticks(wire, limits.STALL_TICKS);
    expect(wire.socket.destroyed).toBe(false);
    ticks(wire, 2);
    expect(wire.socket.destroyed).toBe(true);
    expect(wire.shared.use).toEqual({ streams: 0, partialBytes: 0 });
  });

  test('but not while a little is taken now and then', () => {
    const wire = openWire({ handle: () => Buffer.alloc(100_000) }).greet(check(1));
    for (let round = 0; round < 5; round++)
      ticks(wire.send(windowUpdate(0, 1), windowUpdate(1, 1)), limits.STALL_TICKS);
    expect(wire.socket.destroyed).toBe(false);
  });

  test('has a bound: answers that nobody takes end the connection', () => {
    const wire = openWire({ handle: () => Buffer.alloc(1_048_576) }).greet(settings([4, 0]));
    for (let id = 1; id < 21 && !wire.socket.ended; id += 2) wire.send(check(id));
    expect(outcomeOf(wire, 0)).toBe(`GOAWAY:${ENHANCE_YOUR_CALM}`);
    expect(outcomeOf(wire, 5)).toBeUndefined();
  });
});

describe('a reader that does not read', () => {
  test('is not read either', () => {
    const wire = openWire({ handle: () => Buffer.alloc(20_000) }).greet(
      settings([4, 0x7fff_ffff]),
      windowUpdate(0, 1e9),
    );
    wire.socket.full = true;
    for (let id = 1; id < 40; id += 2) wire.send(check(id));
    expect(wire.socket.paused).toBe(true);
    expect(wire.socket.destroyed).toBe(false);
    // What waits is not written over.
    for (let id = 1; id < 40; id += 2) expect(outcomeOf(wire, id)).toMatch(/^OK:0+$/);
    wire.socket.writableLength = 0;
    wire.socket.emit('drain');
    expect(wire.socket.paused).toBe(false);
  });

  test('is read again, and forgotten, once we have said our last word', () => {
    const wire = openWire({ handle: () => Buffer.alloc(20_000) }).greet(
      settings([4, 0x7fff_ffff]),
      windowUpdate(0, 1e9),
    );
    wire.socket.full = true;
    for (let id = 1; id < 40; id += 2) wire.send(check(id));
    wire.send(data(0, MESSAGE));
    expect([wire.socket.paused, wire.socket.ended]).toEqual([false, true]);
  });

  test('is closed when too much waits, or for too long', () => {
    for (const patience of [limits.STALL_TICKS + 2, 0]) {
      const wire = openWire({ handle: () => Buffer.alloc(20_000) }).greet(
        settings([4, 0x7fff_ffff]),
        windowUpdate(0, 1e9),
      );
      wire.socket.full = true;
      const calls = patience > 0 ? 20 : 400;
      for (let call = 0; call < calls && !wire.socket.destroyed; call++) wire.send(check(1 + call * 2));
      expect(wire.socket.destroyed).toBe(patience === 0);
      ticks(wire, patience);
      expect(wire.socket.destroyed).toBe(true);
      expect(wire.socket.writableLength).toBeLessThan(limits.MAX_UNSENT + 100_000);
    }
  });
});

describe('what we receive', () => {
  test('windows are given back before they are used up, and rarely', () => {
    const wire = openWire().greet();
    const large = Buffer.alloc(16_000);
    for (let id = 1; id < 4_001; id += 2) wire.send(check(id, large));
    const updates = wire.said().filter(({ type, id }) => type === frames.WINDOW_UPDATE && id === 0);
    expect(updates.length).toBeGreaterThan(2);
    expect(updates.length).toBeLessThan(6);
    expect(outcomeOf(wire, 3_999)).toBe(OK);
  });

  test('a message of several MiB comes through, and its stream says more in time', () => {
    const lengths: number[] = [];
    const wire = openWire({ handle: (bytes) => (lengths.push(bytes.length), ALLOW) }).greet(headers(1));
    const message = framed(Buffer.alloc(5_000_000));
    let window = limits.STREAM_WINDOW;
    for (let at = 0; at < message.length; at += 16_384) {
      const piece = message.subarray(at, at + 16_384);
      window -= piece.length;
      expect(window).toBeGreaterThanOrEqual(0);
      const before = wire.socket.written.length;
      wire.send(data(1, piece, at + 16_384 >= message.length ? 1 : 0));
      for (const said of wires.framesIn(Buffer.concat(wire.socket.written.slice(before))))
        if (said.type === frames.WINDOW_UPDATE && said.id === 1) window += said.payload.readUInt32BE(0);
    }
    expect(lengths).toEqual([5_000_000]);
    expect(outcomeOf(wire)).toBe(OK);
    expect(wire.shared.use).toEqual({ streams: 0, partialBytes: 0 });
  });

  test('messages that do not end have a bound, of all streams together', () => {
    const wire = openWire().greet();
    const most = framed(Buffer.alloc(1_000_000)).subarray(0, -1);
    let refused = 0;
    for (let id = 1; id < 300; id += 2) {
      wire.socket.written.length = 0;
      wire.send(headers(id));
      for (let at = 0; at < most.length && outcomeOf(wire, id) === undefined; at += 16_384)
        wire.send(data(id, most.subarray(at, at + 16_384), 0));
      expect(wire.shared.use.partialBytes).toBeLessThanOrEqual(limits.MAX_PARTIAL_BYTES);
      if (outcomeOf(wire, id) === 'grpc:8 RST:0') refused++;
    }
    expect(refused).toBeGreaterThan(50);
    expect(wire.socket.ended).toBe(false);
    wire.socket.destroy();
    expect(wire.shared.use).toEqual({ streams: 0, partialBytes: 0 });
  });

  test('memory grows with what came, not with what was announced', () => {
    const wire = openWire().greet();
    for (let id = 1; id < 2_001; id += 2)
      wire.send(headers(id), data(id, Buffer.concat([Buffer.of(0), uint32(8_000_000), Buffer.alloc(64)]), 0));
    expect(wire.shared.use.streams).toBe(1_000);
    expect(wire.shared.use.partialBytes).toBe(1_000 * 69);
  });
});

describe('deadlines', () => {
  test.each<[string, number | undefined]>([
    ['200m', 200],
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['30S', 30_000],
    ['1500u', 1.5],
    ['99999999n', 99.999_999],
    ['0m', 0],
    ['00000001S', 1_000],
    ['', undefined],
    ['m', undefined],
    ['200', undefined],
    ['200ms', undefined],
    ['200 m', undefined],
    ['-1m', undefined],
    ['+1m', undefined],
    ['1.5S', undefined],
    ['123456789m', undefined],
    ['1h', undefined],
    ['١m', undefined],
  ])('grpc-timeout %s', (text, ms) => {
    const got = timeoutOf(text);
    if (ms === undefined) expect(got).toBeUndefined();
    else expect(got).toBeCloseTo(ms, 6);
    const deadlines: (number | undefined)[] = [];
    const handle = (_: Buffer, deadline: number | undefined): Buffer => (deadlines.push(deadline), ALLOW);
    const wire = openWire({ handle, now: () => 1_000_000 });
    wire.greet(headers(1, headersOf({ 'grpc-timeout': Buffer.from(text).toString('latin1') })), data(1, MESSAGE));
    if (ms === undefined) expect(outcomeOf(wire)).toMatch(/^(grpc:13 RST:0|RST:1)$/);
    else expect(deadlines[0]).toBeCloseTo(1_000_000 + ms, 6);
  });

  test('two of them are none', () => {
    const twice = headers(1, [...CHECK_HEADERS, ['grpc-timeout', '1S'], ['grpc-timeout', '1S']]);
    expect(outcomeOf(openWire().greet(twice))).toBe('grpc:13 RST:0');
  });

  test('a call whose handler works beyond its deadline ends with DEADLINE_EXCEEDED, and once', async () => {
    const { handle, release } = gate();
    const wire = openWire({ handle });
    wire.greet(headers(1, headersOf({ 'grpc-timeout': '20m' })), data(1, MESSAGE), check(3));
    await expect.poll(() => outcomeOf(wire)).toBe('grpc:4');
    expect(wire.shared.use.streams).toBe(2);
    release();
    await expect.poll(() => outcomeOf(wire, 3)).toBe(OK);
    expect(outcomeOf(wire)).toBe('grpc:4');
    expect(wire.shared.use.streams).toBe(0);
  });

  test('an answer in time is an answer, whatever the timer says later', async () => {
    const wire = openWire({ handle: () => Promise.resolve(ALLOW) });
    wire.greet(headers(1, headersOf({ 'grpc-timeout': '40m' })), data(1, MESSAGE));
    await expect.poll(() => outcomeOf(wire)).toBe(OK);
    const { handle } = gate();
    const other = openWire({ handle });
    other.greet(headers(1, headersOf({ 'grpc-timeout': '60m' })), data(1, MESSAGE));
    await expect.poll(() => outcomeOf(other)).toBe('grpc:4');
    expect(outcomeOf(wire)).toBe(OK);
  });

  test('an answer that waits for a window is not taken back at the deadline', async () => {
    const wire = openWire({ handle: (bytes) => (bytes.length === 0 ? gate().handle() : Promise.resolve(ALLOW)) });
    wire.greet(settings([4, 0]), headers(1, headersOf({ 'grpc-timeout': '20m' })), data(1, MESSAGE));
    const later = openWire({ handle: gate().handle });
    later.greet(headers(1, headersOf({ 'grpc-timeout': '60m' })), data(1, MESSAGE));
    await expect.poll(() => outcomeOf(later)).toBe('grpc:4');
    expect(outcomeOf(wire)).toBeUndefined();
    expect(outcomeOf(wire.send(windowUpdate(1, 100)))).toBe(OK);
  });

  test('a request that does not end is ended: at its deadline, or after a minute', () => {
    let now = 0;
    const wire = openWire({ now: () => now }).greet(headers(1, headersOf({ 'grpc-timeout': '5S' })), headers(3));
    now = 4_999;
    expect(outcomeOf(ticks(wire, 5))).toBeUndefined();
    now = 5_000;
    expect(outcomeOf(ticks(wire, 1))).toBe('grpc:4 RST:0');
    expect(outcomeOf(ticks(wire, limits.REQUEST_TICKS - 6), 3)).toBeUndefined();
    expect(outcomeOf(ticks(wire, 1), 3)).toBe('RST:8');
  });

  test('a connection that never begins is closed', () => {
    for (const start of [Buffer.alloc(0), PREFACE.subarray(0, 20), PREFACE]) {
      const wire = openWire();
      ticks(wire.send(start), limits.HANDSHAKE_TICKS);
      expect(wire.socket.ended).toBe(false);
      ticks(wire, 1);
      expect(outcomeOf(wire, 0)).toBe('GOAWAY:1');
      expect(wire.socket.ended).toBe(true);
      ticks(wire, limits.LINGER_TICKS + 1);
      expect(wire.socket.destroyed).toBe(true);
    }
  });
});

describe('floods end with ENHANCE_YOUR_CALM:', () => {
  const empty = Buffer.alloc(0);
  const few = limits.BUDGET_PER_TICK / 2;
  test.each<[string, (index: number) => Buffer, number]>([
    ['PING', () => ping(), 1],
    ['SETTINGS', () => settings(), 16],
    ['SETTINGS that acknowledge', () => frame(frames.SETTINGS, frames.ACK, 0), 16],
    ['WINDOW_UPDATE', () => windowUpdate(0, 1), 1],
    ['PRIORITY', () => frame(frames.PRIORITY, 0, 9, Buffer.alloc(5)), 1],
    ['unknown frames', () => frame(0xfe, 0, 0), 1],
    ['GOAWAY', () => frame(frames.GOAWAY, 0, 0, Buffer.alloc(8)), 1],
    ['empty DATA', () => data(1, empty, 0), 1],
    ['DATA of one octet', () => data(1, Buffer.of(0), 0), 1],
    ['DATA on streams that have ended', () => data(1, empty), 1],
    ['malformed requests', (index) => headers(2 * index + 3, [['a', 'b']]), 1],
    ['streams opened and reset', (index) => Buffer.concat([headers(2 * index + 3), reset(2 * index + 3)]), 1],
  ])('%s', (name, one, points) => {
    const wire = openWire().greet(name.includes('ended') ? check(1) : headers(1));
    const count = Math.floor(few / points);
    for (let index = 0; index < count; index++) wire.send(one(index));
    expect(outcomeOf(wire, 0)).toBeUndefined();
    ticks(wire, 1);
    for (let index = count; index < 4 * count && !wire.socket.ended; index++) wire.send(one(index));
    expect(outcomeOf(wire, 0)).toBe(`GOAWAY:${ENHANCE_YOUR_CALM}`);
  });

  test('CONTINUATION: empty ones, and a block that is too large', () => {
    for (const [piece, most] of [
      [empty, limits.MAX_CONTINUATIONS + 1],
      [Buffer.alloc(10_000), 7],
    ] as const) {
      const wire = openWire().greet(headers(1, CHECK_HEADERS, 0));
      let sent = 0;
      for (; !wire.socket.ended; sent++) wire.send(frame(frames.CONTINUATION, 0, 1, piece));
      expect(sent).toBeLessThanOrEqual(most);
      expect(outcomeOf(wire, 0)).toBe(`GOAWAY:${ENHANCE_YOUR_CALM}`);
    }
    const within = openWire().greet(headers(1, CHECK_HEADERS, 0));
    for (let index = 1; index < limits.MAX_CONTINUATIONS; index++) within.send(frame(frames.CONTINUATION, 0, 1, empty));
    within.send(frame(frames.CONTINUATION, frames.END_HEADERS, 1, empty), data(1, MESSAGE));
    expect(outcomeOf(within)).toBe(OK);
  });

  test('rapid reset: a handler that works counts until it has answered', async () => {
    const { handle, release } = gate();
    let asked = 0;
    const wire = openWire({ handle: () => (asked++, handle()) }).greet();
    for (let id = 1; asked < limits.MAX_STREAMS && !wire.socket.ended; id += 2) {
      wire.send(check(id), reset(id));
      if (id % 5_000 === 1) ticks(wire, 1);
    }
    const last = 2 * limits.MAX_STREAMS + 1;
    expect(outcomeOf(ticks(wire, 1).send(check(last)), last)).toBe('RST:7');
    expect(asked).toBe(limits.MAX_STREAMS);
    release();
    await expect.poll(() => wire.shared.use.streams).toBe(0);
    expect(outcomeOf(wire.send(check(last + 2)), last)).toBe('RST:7');
    expect(asked).toBe(limits.MAX_STREAMS + 1);
  });

  test('but what belongs to calls that were answered is none', () => {
    const wire = openWire().greet(windowUpdate(0, 1_000_000));
    for (let id = 1; id < 20_001; id += 2) wire.send(Buffer.concat([check(id), reset(id)]));
    expect(wire.socket.ended).toBe(false);
    expect(outcomeOf(wire, 19_999)).toBe(OK);
  });

  test('streams beyond SETTINGS are refused as such, and those before go on', () => {
    const wire = openWire().greet();
    const one = block(...CHECK_HEADERS);
    const all = Array.from({ length: limits.MAX_STREAMS + 2 }, (_, index) => frame(1, 4, 2 * index + 1, one));
    wire.send(Buffer.concat(all));
    const said = wires.outcomes(wire.said());
    expect([...said]).toEqual([
      [2 * limits.MAX_STREAMS + 1, 'RST:7'],
      [2 * limits.MAX_STREAMS + 3, 'RST:7'],
    ]);
    expect(outcomeOf(wire.send(data(1, MESSAGE)))).toBe(OK);
  });
});

describe('an answer belongs to its stream:', () => {
  /** Each request waits until it is released by its own text, which is its answer too. */
  function gates(): { handle: (bytes: Buffer) => Promise<Buffer>; release: (text: string) => void } {
    const waiting = new Map<string, (answer: Buffer) => void>();
    return {
      handle: (bytes) => new Promise((resolve) => waiting.set(bytes.toString(), resolve)),
      release: (text) => waiting.get(text)?.(Buffer.from(text)),
    };
  }
  const answerOf = (text: string): string => `OK:${Buffer.from(text).toString('hex')}`;

  test.each<[string, (wire: Wire) => Promise<void> | void]>([
    ['reset by the peer', (wire) => void wire.send(reset(1))],
    ['ended at its deadline', (wire) => expect.poll(() => outcomeOf(wire)).toBe('grpc:4')],
    ['ended by an error', (wire) => void wire.send(data(1, MESSAGE))],
  ])('a stream was %s, and its late answer goes to no other', async (_, end) => {
    const { handle, release } = gates();
    const wire = openWire({ handle });
    wire.greet(headers(1, headersOf({ 'grpc-timeout': '30m' })), data(1, framed(Buffer.from('first'))));
    await end(wire);
    for (const id of [3, 5, 7]) wire.send(check(id, Buffer.from(`call ${id}`)));
    release('first');
    await expect.poll(() => wire.shared.use.streams).toBe(3);
    for (const id of [3, 5, 7]) expect(outcomeOf(wire, id)).toBeUndefined();
    for (const id of [7, 3, 5]) release(`call ${id}`);
    await expect.poll(() => wire.shared.use.streams).toBe(0);
    for (const id of [3, 5, 7]) expect(outcomeOf(wire, id)).toBe(answerOf(`call ${id}`));
    expect(outcomeOf(wire, 1) ?? '').not.toContain('OK');
  });

  test('random calls, resets, deadlines and answers in any order: each gets its own, or none', async () => {
    const random = seeded(31);
    const counts = { answered: 0, others: 0 };
    for (let round = 0; round < 30; round++) {
      const { handle, release } = gates();
      // Every other one is answered at once, so that its object is used again.
      const wire = openWire({
        handle: (bytes) => (bytes.includes('now') ? Buffer.from(bytes) : handle(bytes)),
      }).greet();
      const calls: { id: number; text: string }[] = [];
      for (let id = 1; id < 200; id += 2) {
        const text = `${random.pick(['now', 'later'])} ${id}`;
        const head = random.below(4) === 0 ? headersOf({ 'grpc-timeout': `${1 + random.below(3)}m` }) : CHECK_HEADERS;
        calls.push({ id, text });
        wire.send(headers(id, head), data(id, framed(Buffer.from(text))));
        if (random.below(4) === 0) wire.send(reset(random.pick(calls).id));
        if (random.below(2) === 0) release(random.pick(calls).text);
        if (random.below(9) === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      for (const { text } of calls) release(text);
      await expect.poll(() => wire.shared.use.streams).toBe(0);
      for (const { id, text } of calls) {
        const ok =
          outcomeOf(wire, id)
            ?.split(' ')
            .filter((part) => part.startsWith('OK')) ?? [];
        expect(ok.length === 0 || (ok.length === 1 && ok[0] === answerOf(text)), `${id} ${ok.join()}`).toBe(true);
        counts[ok.length === 1 ? 'answered' : 'others']++;
      }
    }
    expect(counts.answered).toBeGreaterThan(1_500);
    expect(counts.others).toBeGreaterThan(200);
  });
});

describe('leaving', () => {
  const goaways = (wire: Wire): number[][] =>
    wire
      .said()
      .filter(({ type }) => type === frames.GOAWAY)
      .map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)]);
  const farewell = (wire: Wire): Buffer => {
    const asked = wire.said().findLast(({ type, flags }) => type === frames.PING && flags === 0);
    return frame(frames.PING, frames.ACK, 0, asked?.payload ?? Buffer.alloc(0));
  };

  test('answers what is in flight and what was on its way, refuses what comes later, and ends', async () => {
    const { handle, release } = gate();
    const wire = openWire({ handle }).greet(check(1));
    wire.connection.leave();
    expect(goaways(wire)).toEqual([[0x7fff_ffff, 0]]);
    wire.send(check(3), farewell(wire), check(5));
    expect(goaways(wire)).toEqual([
      [0x7fff_ffff, 0],
      [3, 0],
    ]);
    expect(wire.socket.ended).toBe(false);
    release();
    await expect.poll(() => wire.socket.ended).toBe(true);
    expect([1, 3, 5].map((id) => outcomeOf(wire, id))).toEqual([OK, OK, undefined]);
  });

  test('ends within a second or two though the peer answers nothing', () => {
    const wire = openWire().greet(check(1));
    wire.connection.leave();
    expect(wire.socket.ended).toBe(false);
    ticks(wire, 1);
    expect(wire.socket.ended).toBe(true);
    ticks(wire, limits.LINGER_TICKS + 1);
    expect(wire.socket.destroyed).toBe(true);
  });

  test('at once, where nobody ever said a word', () => {
    const wire = openWire();
    wire.connection.leave();
    expect(wire.socket.ended).toBe(true);
  });
});

describe('health', () => {
  const ask = (id: number, method: string, message: Buffer): Buffer =>
    Buffer.concat([headers(id, headersOf({ ':path': `/grpc.health.v1.Health/${method}` })), data(id, framed(message))]);
  const named = (service: string): Buffer => Buffer.concat([Buffer.of(0x0a, service.length), Buffer.from(service)]);
  const AUTHORIZATION = 'envoy.service.auth.v3.Authorization';

  test.each<[string, Buffer, string]>([
    ['the empty name', Buffer.alloc(0), 'OK:0801'],
    ['the service', named(AUTHORIZATION), 'OK:0801'],
    ['another service', named('other'), 'grpc:5'],
    ['the last of two names', Buffer.concat([named('other'), named('')]), 'OK:0801'],
    [
      'fields that it does not know',
      Buffer.concat([Buffer.of(0x10, 0x96, 1, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8), named('')]),
      'OK:0801',
    ],
    ['a name that is cut', named('other').subarray(0, -1), 'grpc:13'],
    ['a length without an end', Buffer.of(0x0a, 0xff), 'grpc:13'],
    ['field number 0', Buffer.of(0x02, 0), 'grpc:13'],
    ['a group', Buffer.of(0x0b, 0x0c), 'grpc:13'],
    ['a number of eleven octets', Buffer.concat([Buffer.of(0x10), Buffer.alloc(11, 0x80)]), 'grpc:13'],
  ])('Check: %s', (_, message, outcome) => {
    expect(outcomeOf(openWire().greet(ask(1, 'Check', message)))).toBe(outcome);
  });

  test('Watch says each change, also before a secret, and ends when we leave', () => {
    const wire = openWire({ secret: () => 's' }).greet(
      ask(1, 'Watch', Buffer.alloc(0)),
      ask(3, 'Watch', named('other')),
    );
    const told = (id: number): string[] => dataOf(wire, id).map(({ payload }) => payload.subarray(5).toString('hex'));
    wire.shared.health.setServing(true);
    wire.shared.health.setServing(false);
    wire.shared.health.setServing(true);
    wire.connection.leave();
    expect(told(1)).toEqual(['0801', '0802', '0801']);
    expect(told(3)).toEqual(['0803']);
    expect([outcomeOf(wire, 1), outcomeOf(wire, 3)]).toEqual(['grpc:14', 'grpc:14']);
    expect(wire.shared.use.streams).toBe(0);
  });

  test('a Watch that was reset is told nothing, and leaves nothing behind', async () => {
    const wire = openWire().greet(settings([4, 9]), ask(1, 'Watch', Buffer.alloc(0)));
    expect(octetsOf(wire)).toBe(7);
    wire.shared.health.setServing(false);
    await expect.poll(() => octetsOf(wire)).toBe(9);
    wire.send(reset(1));
    wire.shared.health.setServing(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(octetsOf(wire)).toBe(9);
    expect(wire.shared.use.streams).toBe(0);
  });

  test('a Watch that was reset is told nothing, though its windows are open', async () => {
    const wire = openWire().greet(ask(1, 'Watch', Buffer.alloc(0)), reset(1), ask(3, 'Watch', Buffer.alloc(0)));
    wire.shared.health.setServing(false);
    await expect.poll(() => octetsOf(wire, 3)).toBe(14);
    expect(octetsOf(wire, 1)).toBe(7);
  });

  test('a Watch with a deadline ends at it', async () => {
    const wire = openWire();
    const path = '/grpc.health.v1.Health/Watch';
    wire.greet(headers(1, headersOf({ ':path': path, 'grpc-timeout': '20m' })), data(1, framed(Buffer.alloc(0))));
    await expect.poll(() => outcomeOf(wire)).toBe('grpc:4');
  });
});
