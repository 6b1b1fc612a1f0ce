/**
 * Header blocks and DATA → requests (RFC 9113 §5.1, §6.1, §8.1). In: what the peer says on streams. Out: what has begun
 * and what is complete, to calls.ts. Refuses what does not fit the state of its stream, windows that are overrun,
 * requests that are malformed, bodies of another length than was said. Does NOT look into messages.
 */
import type { Budget } from './budget.js';
import type { Refused } from './body.js';
import type { Calls } from './calls.js';
import { ConnectionError, FLOW_CONTROL_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED } from './errors.js';
import { END_STREAM, PADDED } from './frame.js';
import { padding } from './header-blocks.js';
import type { BlockSink } from './header-blocks.js';
import { Decoder } from './hpack/decoder.js';
import { MAX_IGNORED_BODY } from './limits.js';
import type { Output } from './output.js';
import type { Receiving } from './receiving.js';
import { RequestHead } from './request-head.js';
import type { Sender } from './sender.js';
import { ANSWERING, CLOSED, RECEIVING } from './stream.js';
import type { Stream } from './stream.js';
import { FORGOTTEN, RESET_BY_US } from './streams.js';
import type { Streams } from './streams.js';

const PREFIX = 5;
/** A piece of less than this, that ends nothing, costs more than it brings. */
const TINY = 64;
const NO_MESSAGE = Buffer.alloc(0);

export class Requests implements BlockSink {
  /** Streams above are not taken any more: our last GOAWAY said so. */
  lastTaken = Infinity;
  private readonly decoder = new Decoder();
  private readonly head = new RequestHead();

  constructor(
    private readonly streams: Streams,
    private readonly calls: Calls,
    private readonly sender: Sender,
    private readonly output: Output,
    private readonly receiving: Receiving,
    private readonly budget: Budget,
    private readonly tick: () => number,
  ) {}

  block(id: number, endStream: boolean, ownParent: boolean, bytes: Buffer, start: number, end: number): void {
    const { head, streams } = this;
    // Always, whatever becomes of the stream: the table has to stay the same as the peer's.
    head.clear();
    this.decoder.decode(bytes, start, end, head);
    const stream = streams.get(id);
    if (stream !== undefined) return this.trailers(stream, endStream, ownParent);
    if (id <= streams.last) return this.headersTooLate(id);
    if (id > this.lastTaken) return this.budget.spend(1);
    streams.last = id;
    if (ownParent || !head.isRequest()) return this.refuse(id, PROTOCOL_ERROR);
    if (streams.full()) return this.refuse(id, REFUSED_STREAM);
    this.open(id, endStream);
  }

  data(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.receiving.connection(end - start);
    const stream = this.streams.get(id);
    if (stream === undefined) return this.dataTooLate(id);
    if (stream.state !== RECEIVING) return this.error(stream, STREAM_CLOSED);
    stream.receiveWindow -= end - start;
    if (stream.receiveWindow < 0) return this.error(stream, FLOW_CONTROL_ERROR);
    if ((flags & PADDED) !== 0) end -= padding(bytes, start++, end);
    const endStream = (flags & END_STREAM) !== 0;
    if (!endStream && end - start < TINY) this.budget.spend(1);
    this.piece(stream, bytes, start, end, endStream);
  }

  private open(id: number, endStream: boolean): void {
    const { head } = this;
    const stream = this.streams.create(id, this.tick());
    stream.declared = head.contentLength();
    if (endStream) stream.state = ANSWERING;
    this.calls.begin(stream, head);
    if (endStream && stream.state !== CLOSED) this.complete(stream);
  }

  /** A second block ends the request (§8.1), or is none of its. */
  private trailers(stream: Stream, endStream: boolean, ownParent: boolean): void {
    if (stream.state !== RECEIVING) return this.error(stream, STREAM_CLOSED);
    if (ownParent || !endStream || !this.head.isTrailers()) return this.error(stream, PROTOCOL_ERROR);
    this.complete(stream);
  }

  private piece(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const length = end - start;
    const whole = endStream && stream.received === 0 && isWhole(bytes, start, length);
    stream.received += length;
    if (stream.received > stream.declared) return this.error(stream, PROTOCOL_ERROR);
    // The usual case, without a copy: all of the message in one frame that ends the stream.
    if (whole && stream.declared === Infinity) return this.calls.complete(stream, bytes.subarray(start + PREFIX, end));
    const refused =
      stream.refusal === undefined ? stream.body.add(bytes.subarray(start, end), this.streams.use) : undefined;
    if (endStream) return this.complete(stream, refused);
    if (refused !== undefined) return this.sender.status(stream, refused.trailers);
    if (stream.refusal !== undefined && stream.received > MAX_IGNORED_BODY)
      return this.sender.http(stream, stream.refusal);
    this.receiving.stream(stream);
  }

  private complete(stream: Stream, refused?: Refused): void {
    // §8.1.1: another length than content-length said.
    if (stream.declared !== Infinity && stream.declared !== stream.received) return this.error(stream, PROTOCOL_ERROR);
    this.calls.complete(stream, refused ?? (stream.refusal === undefined ? stream.body.message() : NO_MESSAGE));
  }

  /** §5.1: a number below the last one is of a stream that ended, or that was left out. */
  private headersTooLate(id: number): void {
    const how = this.streams.howEnded(id);
    if (how === RESET_BY_US) return this.budget.spend(1);
    throw new ConnectionError(
      how === FORGOTTEN ? PROTOCOL_ERROR : STREAM_CLOSED,
      `HEADERS on stream ${id}, which is closed`,
    );
  }

  private dataTooLate(id: number): void {
    if (id === 0 || (id > this.streams.last && id <= this.lastTaken))
      throw new ConnectionError(PROTOCOL_ERROR, `DATA on stream ${id}, which is idle`);
    this.budget.spend(1);
    // On its way when we reset, or when we said goodbye.
    if (id > this.streams.last || this.streams.howEnded(id) === RESET_BY_US) return;
    this.output.reset(id, STREAM_CLOSED);
  }

  private refuse(id: number, code: number): void {
    this.budget.spend(1);
    this.output.reset(id, code);
    this.streams.remember(id, RESET_BY_US);
  }

  /** A stream error (§5.4.2). */
  private error(stream: Stream, code: number): void {
    this.budget.spend(1);
    if (stream.state !== CLOSED) this.sender.reset(stream, code);
  }
}

function isWhole(bytes: Buffer, at: number, length: number): boolean {
  return length >= PREFIX && bytes[at] === 0 && bytes.readUInt32BE(at + 1) === length - PREFIX;
}
