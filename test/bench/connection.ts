/**
 * One connection of the load, over a Unix socket: some 5 µs of CPU for each call, so that one process keeps any server busy.
 * In: bytes of requests. Out: each answer's data, in a buffer that is used again, and whether the call came to a good end.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FIRST_BLOCK, FLAG, FRAME, frame, HEAD, NEXT_BLOCK, OPENING, SETTINGS_ACK, writeHead } from './frames.js';

/** `data`: the frame's payload with the five octets of gRPC before the message; undefined where none came. */
export type OnAnswer = (slot: number, data: Buffer | undefined) => void;

export interface Connection {
  /** False where flow control asks to wait. `slot` comes back with the answer. Nothing leaves before `flush`. */
  send(slot: number, bytes: Buffer, idAt: number): boolean;
  flush(): void;
  /** False once the server is gone. */
  alive(): boolean;
  close(): void;
}

const OUT = 256 * 1024;
const SLOTS = 1 << 16;
const GRPC = 5;

export async function openConnection(path: string, onAnswer: OnAnswer, onTurn: () => void): Promise<Connection> {
  let window = 65_535;
  let stream = 1;
  let requests = 0;
  const slots = new Int32Array(SLOTS).fill(-1);
  const free: Buffer[] = [];
  let out: Buffer = Buffer.allocUnsafeSlow(OUT);
  let length = 0;
  let rest: Buffer | undefined;
  let ready: () => void = () => undefined;
  let broken: Error | undefined;

  const flush = (): void => {
    if (length === 0) return;
    const full = out;
    socket.write(full.subarray(0, length), () => void free.push(full));
    out = free.pop() ?? Buffer.allocUnsafeSlow(OUT);
    length = 0;
  };
  const put = (bytes: Buffer): void => {
    if (length + bytes.length > OUT) flush();
    length += bytes.copy(out, length);
  };
  const end = (id: number, data: Buffer | undefined): void => {
    const at = (id >> 1) & (SLOTS - 1);
    const slot = slots[at] ?? -1;
    if (slot < 0) return;
    slots[at] = -1;
    onAnswer(slot, data);
  };
  const onFrame = (buffer: Buffer, at: number, size: number): void => {
    const [type, flags] = [buffer[at + 3], buffer[at + 4] ?? 0];
    const id = buffer.readUInt32BE(at + 5);
    const from = at + HEAD;
    // Whatever ends a call before its data came is no answer.
    const failed = type === FRAME.reset || (type === FRAME.headers && (flags & FLAG.endStream) !== 0);
    if (type === FRAME.data) end(id, buffer.subarray(from, from + size));
    else if (failed) end(id, undefined);
    else if (type === FRAME.windowUpdate) window += id === 0 ? buffer.readUInt32BE(from) : 0;
    else if (type === FRAME.goaway) broken = new Error('the server says goodbye');
    else if (type === FRAME.ping && (flags & FLAG.ack) === 0)
      put(frame(FRAME.ping, FLAG.ack, 0, Buffer.from(buffer.subarray(from, from + size))));
    else if (type === FRAME.settings && (flags & FLAG.ack) === 0) {
      put(SETTINGS_ACK);
      ready();
    }
  };
  const onBytes = (chunk: Buffer): void => {
    const buffer = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (buffer.length - at >= HEAD) {
      const size = buffer.readUIntBE(at, 3);
      if (buffer.length - at < HEAD + size) break;
      onFrame(buffer, at, size);
      at += HEAD + size;
    }
    rest = at === buffer.length ? undefined : Buffer.from(buffer.subarray(at));
    onTurn();
    flush();
  };
  const socket = await dial(path, onBytes);
  const settled = new Promise<void>((resolve) => (ready = resolve));
  put(OPENING);
  flush();
  await settled;
  return {
    send(slot, bytes, idAt) {
      if (broken !== undefined || socket.destroyed) throw broken ?? new Error('the server hung up');
      const block = stream === 1 ? FIRST_BLOCK : NEXT_BLOCK;
      const size = bytes.length + GRPC;
      if (window < size) return false;
      if (length + 2 * HEAD + block.length + size > OUT) flush();
      window -= size;
      slots[(stream >> 1) & (SLOTS - 1)] = slot;
      writeHead(out, length, block.length, FRAME.headers, FLAG.endHeaders, stream);
      length += HEAD;
      length += block.copy(out, length);
      writeHead(out, length, size, FRAME.data, FLAG.endStream, stream);
      length += HEAD;
      out[length] = 0;
      out.writeUInt32BE(bytes.length, length + 1);
      bytes.copy(out, length + GRPC);
      writeId(out, length + GRPC + idAt + 24, (requests += 1));
      length += size;
      stream += 2;
      return true;
    },
    flush,
    alive: () => broken === undefined && !socket.destroyed,
    close: () => socket.destroy(),
  };
}

/** The last twelve hex digits of x-request-id, so that no two requests on the wire are the same. */
function writeId(out: Buffer, at: number, id: number): void {
  for (let digit = 11, left = id; digit >= 0; digit -= 1) {
    out[at + digit] = HEX[left % 16] ?? 0;
    left = Math.floor(left / 16);
  }
}
const HEX = Buffer.from('0123456789abcdef');

/** Reads into one buffer again and again: the load must not stop to collect garbage. */
function dial(path: string, onBytes: (chunk: Buffer) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafeSlow(256 * 1024);
    const socket = connect({
      path,
      onread: {
        buffer,
        callback: (size) => {
          onBytes(buffer.subarray(0, size));
          return true;
        },
      },
    });
    socket.once('connect', () => resolve(socket)).on('error', reject);
  });
}
