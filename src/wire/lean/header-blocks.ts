/**
 * HEADERS and CONTINUATION frames → whole header blocks (RFC 9113 §4.3, §6.2, §6.10). In: frames. Out: each block with
 * what its HEADERS said. Refuses numbers that no client's stream can have, paddings and priorities that do not fit,
 * anything between the frames of a block, and blocks of too many frames or octets. Does NOT decompress.
 */
import { ConnectionError, ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from './errors.js';
import { END_HEADERS, END_STREAM, PADDED, readUint32, WITH_PRIORITY } from './frame.js';
import { MAX_CONTINUATIONS, MAX_HEADER_BLOCK } from './limits.js';

export interface BlockSink {
  /** `ownParent`: the stream was said to depend on itself (RFC 7540 §5.3.1). */
  block(id: number, endStream: boolean, ownParent: boolean, bytes: Buffer, start: number, end: number): void;
}

/** A block whose last frame is still to come. */
interface Open {
  readonly id: number;
  readonly endStream: boolean;
  readonly ownParent: boolean;
  readonly pieces: Buffer[];
  octets: number;
}

export class HeaderBlocks {
  private open: Open | undefined = undefined;

  constructor(private readonly sink: BlockSink) {}

  isOpen(): boolean {
    return this.open !== undefined;
  }

  headers(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if ((id & 1) === 0) throw new ConnectionError(PROTOCOL_ERROR, `HEADERS on stream ${id}, which is no client's`);
    let ownParent = false;
    if ((flags & (PADDED | WITH_PRIORITY)) !== 0) {
      if ((flags & PADDED) !== 0) end -= padding(bytes, start++, end);
      if ((flags & WITH_PRIORITY) !== 0) {
        if (end - start < 5) throw new ConnectionError(FRAME_SIZE_ERROR, 'HEADERS without room for their priority');
        ownParent = (readUint32(bytes, start) & 0x7fff_ffff) === id;
        start += 5;
      }
    }
    const endStream = (flags & END_STREAM) !== 0;
    if ((flags & END_HEADERS) !== 0) return this.sink.block(id, endStream, ownParent, bytes, start, end);
    this.open = { id, endStream, ownParent, pieces: [bytes.subarray(start, end)], octets: end - start };
  }

  continuation(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { open } = this;
    if (open === undefined || open.id !== id)
      throw new ConnectionError(PROTOCOL_ERROR, `CONTINUATION on stream ${id}, which has no open block`);
    open.octets += end - start;
    if (open.pieces.push(bytes.subarray(start, end)) > MAX_CONTINUATIONS + 1 || open.octets > MAX_HEADER_BLOCK)
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'a header block of too many frames or octets');
    if ((flags & END_HEADERS) === 0) return;
    this.open = undefined;
    const block = Buffer.concat(open.pieces);
    this.sink.block(id, open.endStream, open.ownParent, block, 0, block.length);
  }
}

/** The octets to leave out at the end; `start` is that of the payload, where their number stands (§6.1). */
export function padding(bytes: Buffer, start: number, end: number): number {
  const octets = start < end ? (bytes[start] as number) : Infinity;
  if (octets > end - start - 1) throw new ConnectionError(PROTOCOL_ERROR, 'a padding that is longer than its frame');
  return octets;
}
