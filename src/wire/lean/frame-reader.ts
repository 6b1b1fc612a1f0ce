/**
 * Chunks of a connection → preface and frames (RFC 9113 §3.4, §4.1). In: chunks as the socket gives them, split
 * anywhere. Out: each whole frame, to the sink, as a range of the memory that it came in: nothing is copied but a frame
 * that lies in two chunks. That memory is never written to again. Refuses another preface, and a frame that is larger
 * than we take. Does NOT know what a frame means.
 */
import { ConnectionError, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from './errors.js';
import { FRAME_HEADER, PREFACE, readUint32 } from './frame.js';
import { MAX_FRAME } from './limits.js';

export interface FrameSink {
  /** `bytes[start..end)` is the payload. */
  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void;
}

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  private greeted = 0;
  /**
   * A frame whose rest is still to come, and how much of it is here. While its length is not known: room for a header.
   */
  private partial: Buffer = NOTHING;
  private have = 0;

  constructor(private readonly sink: FrameSink) {}

  read(chunk: Buffer): void {
    let at = this.greeted < PREFACE.length ? this.preface(chunk) : 0;
    if (this.have > 0) at = this.complete(chunk, at);
    while (chunk.length - at >= FRAME_HEADER) {
      const end = at + FRAME_HEADER + lengthAt(chunk, at);
      if (end > chunk.length) break;
      this.give(chunk, at, end);
      at = end;
    }
    if (at < chunk.length) this.keep(chunk, at);
  }

  private preface(chunk: Buffer): number {
    const length = Math.min(chunk.length, PREFACE.length - this.greeted);
    for (let at = 0; at < length; at++)
      if (chunk[at] !== PREFACE[this.greeted + at])
        throw new ConnectionError(PROTOCOL_ERROR, 'this is no HTTP/2 client');
    this.greeted += length;
    return length;
  }

  private give(bytes: Buffer, at: number, end: number): void {
    const id = readUint32(bytes, at + 5) & 0x7fff_ffff;
    this.sink.frame(bytes[at + 3] as number, bytes[at + 4] as number, id, bytes, at + FRAME_HEADER, end);
  }

  /** Fills the frame that was cut; returns where the next one begins. */
  private complete(chunk: Buffer, at: number): number {
    at = this.fill(chunk, at);
    if (this.have === FRAME_HEADER && this.partial.length === FRAME_HEADER) {
      const length = lengthAt(this.partial, 0);
      if (length > 0) {
        this.partial = Buffer.concat([this.partial], FRAME_HEADER + length);
        at = this.fill(chunk, at);
      }
    }
    if (this.have < this.partial.length) return at;
    const whole = this.partial;
    this.partial = NOTHING;
    this.have = 0;
    this.give(whole, 0, whole.length);
    return at;
  }

  private fill(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.partial, this.have, at, at + this.partial.length - this.have);
    this.have += copied;
    return at + copied;
  }

  private keep(chunk: Buffer, at: number): void {
    const known = chunk.length - at >= FRAME_HEADER;
    this.partial = Buffer.allocUnsafe(FRAME_HEADER + (known ? lengthAt(chunk, at) : 0));
    this.have = 0;
    this.fill(chunk, at);
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
  if (length > MAX_FRAME) throw new ConnectionError(FRAME_SIZE_ERROR, `a frame of ${length} octets`);
  return length;
}
