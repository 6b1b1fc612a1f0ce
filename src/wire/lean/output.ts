/**
 * What a connection says, gathered until flush() hands it to the socket in one piece. In: frames. Out: socket.write().
 * The memory is used again as soon as the socket has it all written. Does NOT know windows: who writes DATA asked
 * before.
 */
import { DATA, END_HEADERS, END_STREAM, frame, FRAME_HEADER, HEADERS, RST_STREAM, uint32 } from './frame.js';
import { GRPC_HEAD, GRPC_OK } from './response.js';

/** What we need of a socket. */
export interface Writable {
  write(bytes: Buffer): boolean;
  readonly writableLength: number;
}

const CAPACITY = 65_536;

/** An answer's frames but for the stream's number, the lengths and the message. */
const HEAD_FRAME = frame(HEADERS, END_HEADERS, 0, GRPC_HEAD);
const TRAILERS_FRAME = frame(HEADERS, END_HEADERS | END_STREAM, 0, GRPC_OK);
const PREFIX = 5;
/** RFC 7541 §4.2, §6.3: from now on our table has no room. It had no entry before either. */
const NO_TABLE = Buffer.of(0x20);

export class Output {
  private buffer = Buffer.allocUnsafeSlow(CAPACITY);
  private length = 0;
  private announce = false;

  constructor(private readonly socket: Writable) {}

  /** Octets that wait for the socket, flushed or not. */
  waiting(): number {
    return this.length + this.socket.writableLength;
  }

  /** The peer reduced the table of what we send: the next block has to say that we follow (RFC 9113 §4.3.1). */
  announceTable(): void {
    this.announce = true;
  }

  write(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  headers(id: number, block: Buffer, endStream: boolean): void {
    const whole = this.announce ? Buffer.concat([NO_TABLE, block]) : block;
    this.announce = false;
    this.header(whole.length, HEADERS, endStream ? END_HEADERS | END_STREAM : END_HEADERS, id);
    this.write(whole);
  }

  data(id: number, bytes: Uint8Array, endStream: boolean): void {
    this.header(bytes.length, DATA, endStream ? END_STREAM : 0, id);
    this.write(bytes);
  }

  reset(id: number, code: number): void {
    this.write(frame(RST_STREAM, 0, id, uint32(code)));
  }

  /** HEADERS, DATA and trailers of an OK, at once. */
  answer(id: number, message: Buffer): void {
    if (this.announce) return this.answerInParts(id, message);
    const payload = PREFIX + message.length;
    this.room(HEAD_FRAME.length + FRAME_HEADER + payload + TRAILERS_FRAME.length);
    this.template(HEAD_FRAME, id);
    this.header(payload, DATA, 0, id);
    this.prefix(message.length);
    this.buffer.set(message, this.length);
    this.length += message.length;
    this.template(TRAILERS_FRAME, id);
  }

  flush(): void {
    if (this.length === 0) return;
    const bytes = this.buffer.subarray(0, this.length);
    this.length = 0;
    this.socket.write(bytes);
    // What the socket still has to write must not be overwritten.
    if (this.socket.writableLength > 0) this.buffer = Buffer.allocUnsafeSlow(CAPACITY);
  }

  private answerInParts(id: number, message: Buffer): void {
    this.headers(id, GRPC_HEAD, false);
    this.header(PREFIX + message.length, DATA, 0, id);
    this.room(PREFIX);
    this.prefix(message.length);
    this.write(message);
    this.headers(id, GRPC_OK, true);
  }

  private template(bytes: Buffer, id: number): void {
    this.buffer.set(bytes, this.length);
    this.uint32(id, this.length + FRAME_HEADER - 4);
    this.length += bytes.length;
  }

  private header(length: number, type: number, flags: number, id: number): void {
    this.room(FRAME_HEADER);
    const { buffer } = this;
    buffer[this.length] = length >>> 16;
    buffer[this.length + 1] = length >>> 8;
    buffer[this.length + 2] = length;
    buffer[this.length + 3] = type;
    buffer[this.length + 4] = flags;
    this.uint32(id, this.length + 5);
    this.length += FRAME_HEADER;
  }

  /** Not compressed, and so many octets. */
  private prefix(length: number): void {
    this.buffer[this.length] = 0;
    this.uint32(length, this.length + 1);
    this.length += PREFIX;
  }

  private uint32(value: number, at: number): void {
    const { buffer } = this;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }

  private room(octets: number): void {
    if (this.length + octets <= this.buffer.length) return;
    this.flush();
    if (octets > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(octets);
  }
}
