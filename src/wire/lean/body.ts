/**
 * DATA of one stream → one gRPC message (5 octets of prefix, then the message). In: pieces, in order. Out: the message
 * at the end, or the status that the call ends with. Memory grows with what came, not with what was announced. Refuses
 * a compressed message, one that is too large, a second one, none, and a cut one. Does NOT read the message.
 */
import { MAX_RECEIVE_BYTES } from '../listener.js';
import { MAX_PARTIAL_BYTES } from './limits.js';
import { grpcTrailers, INTERNAL, RESOURCE_EXHAUSTED, UNIMPLEMENTED } from './response.js';

/** Shared by all connections of a listener. */
export interface Use {
  streams: number;
  partialBytes: number;
}

const PREFIX = 5;
const NOTHING = Buffer.alloc(0);

const COMPRESSED = grpcTrailers(UNIMPLEMENTED, 'compressed messages are not supported');
const BAD_FLAG = grpcTrailers(INTERNAL, 'the first octet of a message is neither 0 nor 1');
const TOO_LARGE = grpcTrailers(RESOURCE_EXHAUSTED, `a message has more than ${MAX_RECEIVE_BYTES} octets`);
const TOO_MANY = grpcTrailers(UNIMPLEMENTED, 'expected one message, got more');
const NONE = grpcTrailers(UNIMPLEMENTED, 'expected one message, got none');
const CUT = grpcTrailers(INTERNAL, 'the message ends before its length');
const FULL = grpcTrailers(RESOURCE_EXHAUSTED, 'too many messages are being received');

/** `trailers` end the call. */
export type Refused = { readonly trailers: Buffer };

export class Body {
  private bytes: Buffer = NOTHING;
  private have = 0;

  /** undefined: so far so good. */
  add(piece: Uint8Array, use: Use): Refused | undefined {
    if (!this.grow(piece.length, use)) return { trailers: FULL };
    this.bytes.set(piece, this.have);
    this.have += piece.length;
    const wrong = trailersFor(this.bytes, this.have);
    return wrong && { trailers: wrong };
  }

  /** The memory is the message's from now on. */
  message(): Buffer | Refused {
    if (this.have === 0) return { trailers: NONE };
    if (this.have < PREFIX || this.have < PREFIX + this.bytes.readUInt32BE(1)) return { trailers: CUT };
    return this.bytes.subarray(PREFIX, this.have);
  }

  release(use: Use): void {
    use.partialBytes -= this.bytes.length;
    this.bytes = NOTHING;
    this.have = 0;
  }

  /** Doubles, so that many small pieces cost no more than one large. */
  private grow(more: number, use: Use): boolean {
    const needed = this.have + more;
    if (needed <= this.bytes.length) return true;
    const size =
      this.have === 0 ? needed : Math.max(needed, Math.min(this.bytes.length * 2, PREFIX + MAX_RECEIVE_BYTES));
    if (use.partialBytes + size - this.bytes.length > MAX_PARTIAL_BYTES) return false;
    use.partialBytes += size - this.bytes.length;
    const larger = Buffer.allocUnsafe(size);
    larger.set(this.bytes.subarray(0, this.have));
    this.bytes = larger;
    return true;
  }
}

function trailersFor(bytes: Buffer, have: number): Buffer | undefined {
  if (have > 0 && bytes[0] === 1) return COMPRESSED;
  if (have > 0 && bytes[0] !== 0) return BAD_FLAG;
  if (have < PREFIX) return undefined;
  const length = bytes.readUInt32BE(1);
  if (length > MAX_RECEIVE_BYTES) return TOO_LARGE;
  return have > PREFIX + length ? TOO_MANY : undefined;
}
