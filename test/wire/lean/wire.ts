/**
 * A connection of the lean listener without a socket: bytes in, frames out, in one thread and one turn, so that
 * thousands of conversations cost nothing. Only the socket is not real. In: a handler. Out: what was said, frame by
 * frame.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { answering } from '../../../src/wire/answering.js';
import type { HandleCheck } from '../../../src/wire/listener.js';
import { Connection } from '../../../src/wire/lean/connection.js';
import * as frames from '../../../src/wire/lean/frame.js';
import { frame, PREFACE, readUint32, settings, uint32 } from '../../../src/wire/lean/frame.js';
import { Health } from '../../../src/wire/lean/health.js';
import { framed } from '../../../src/wire/lean/response.js';
import type { Shared } from '../../../src/wire/lean/shared.js';
import { block, decode } from './hpack.js';
import type { Pair } from './hpack.js';

export const ALLOW = Buffer.from([0x0a, 0x00, 0x1a, 0x00]);

/**
 * What a socket does, as far as a connection asks. `full` keeps what is written waiting, as a reader that does not
 * read.
 */
class Ends extends EventEmitter {
  readonly written: Buffer[] = [];
  writableLength = 0;
  destroyed = false;
  ended = false;
  paused = false;
  full = false;
  write(bytes: Buffer): boolean {
    // A socket that has not written all keeps the very memory.
    this.written.push(this.full ? bytes : Buffer.from(bytes));
    if (this.full) this.writableLength += bytes.length;
    return !this.full;
  }
  end(): void {
    this.ended = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export interface Wire {
  readonly socket: Ends;
  readonly connection: Connection;
  readonly shared: Shared;
  readonly logged: string[];
  /** Preface, SETTINGS, and then these. */
  greet(...more: readonly Buffer[]): Wire;
  send(...chunks: readonly Buffer[]): Wire;
  said(): Frame[];
  bytes(): Buffer;
}

export interface Options {
  readonly handle?: HandleCheck;
  readonly secret?: () => string | undefined;
  readonly now?: () => number;
}

export function openWire({ handle = () => ALLOW, secret, now = Date.now }: Options = {}): Wire {
  const logged: string[] = [];
  const log = (message: string, facts?: object): void => void logged.push(`${message} ${JSON.stringify(facts)}`);
  const shared: Shared = {
    ask: answering(handle, log),
    secret,
    health: new Health(),
    use: { streams: 0, partialBytes: 0 },
    now,
    log,
  };
  const socket = new Ends();
  const connection = new Connection(socket as unknown as Socket, shared);
  const wire: Wire = {
    socket,
    connection,
    shared,
    logged,
    greet: (...more) => wire.send(Buffer.concat([PREFACE, settings(), ...more])),
    send: (...chunks) => {
      for (const chunk of chunks) socket.emit('data', chunk);
      return wire;
    },
    bytes: () => Buffer.concat(socket.written),
    said: () => framesIn(wire.bytes()),
  };
  return wire;
}

export function framesIn(bytes: Buffer): Frame[] {
  const found: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + frames.FRAME_HEADER + bytes.readUIntBE(at, 3);
    if (end > bytes.length) throw new Error('a frame that was not finished');
    const [type = 0, flags = 0] = [bytes[at + 3], bytes[at + 4]];
    found.push({ type, flags, id: readUint32(bytes, at + 5), payload: bytes.subarray(at + frames.FRAME_HEADER, end) });
    at = end;
  }
  return found;
}

export const CHECK_HEADERS: readonly Pair[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/envoy.service.auth.v3.Authorization/Check'],
  [':authority', 'guard'],
  ['te', 'trailers'],
  ['content-type', 'application/grpc'],
];

/** CHECK_HEADERS with some changed (by name), left out (undefined) or added. */
export function headersOf(changes: Readonly<Record<string, string | undefined>>): Pair[] {
  const changed = CHECK_HEADERS.flatMap(([name, value]): Pair[] => {
    const wanted = name in changes ? changes[name] : value;
    return wanted === undefined ? [] : [[name, wanted]];
  });
  const added = Object.entries(changes).filter(([name]) => !CHECK_HEADERS.some(([known]) => known === name));
  return [...changed, ...added.flatMap(([name, value]): Pair[] => (value === undefined ? [] : [[name, value]]))];
}

export const headers = (id: number, list: readonly Pair[] = CHECK_HEADERS, flags = frames.END_HEADERS): Buffer =>
  frame(frames.HEADERS, flags, id, block(...list));
export const data = (id: number, payload: Uint8Array, flags = frames.END_STREAM): Buffer =>
  frame(frames.DATA, flags, id, payload);
export const check = (id: number, message: Uint8Array = Buffer.from('request')): Buffer =>
  Buffer.concat([headers(id), data(id, framed(message))]);
export const windowUpdate = (id: number, increment: number): Buffer =>
  frame(frames.WINDOW_UPDATE, 0, id, uint32(increment));
export const reset = (id: number, code = 8): Buffer => frame(frames.RST_STREAM, 0, id, uint32(code));
export const ping = (text = '12345678'): Buffer => frame(frames.PING, 0, 0, Buffer.from(text));

/** How each stream and the connection ended. `OK:hex` is a message with gRPC status 0. */
export function outcomes(said: readonly Frame[]): Map<number, string> {
  const found = new Map<number, string>();
  const messages = new Map<number, Buffer>();
  const add = (id: number, what: string): void => void found.set(id, [found.get(id), what].filter(Boolean).join(' '));
  for (const { type, flags, id, payload } of said) {
    if (type === frames.DATA) messages.set(id, Buffer.concat([messages.get(id) ?? Buffer.alloc(0), payload]));
    if (type === frames.RST_STREAM) add(id, `RST:${readUint32(payload, 0)}`);
    if (type === frames.GOAWAY) add(0, `GOAWAY:${readUint32(payload, 4)}`);
    if (type === frames.HEADERS) {
      const fields = new Map(decode(Buffer.from(payload)));
      const status = fields.get('grpc-status');
      if (status === '0') add(id, `OK:${messages.get(id)?.subarray(5).toString('hex')}`);
      else if (status !== undefined) add(id, `grpc:${status}`);
      else if (fields.get(':status') !== '200') add(id, `http:${fields.get(':status')}`);
    }
    void flags;
  }
  return found;
}

/** What became of one stream. */
export const outcomeOf = (wire: Wire, id = 1): string | undefined => outcomes(wire.said()).get(id);
