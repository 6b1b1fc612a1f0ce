/**
 * Answers → frames, as far as the peer's windows allow (RFC 9113 §5.2, §6.9). In: a stream and what it is answered.
 * Out: frames in the output; what does not fit a window waits, and goes on when the window grows. Closes each stream
 * that it has ended. Does NOT decide what is answered.
 */
import type { Budget } from './budget.js';
import { ConnectionError, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, NO_ERROR } from './errors.js';
import { DEFAULT_WINDOW, MAX_WINDOW } from './frame.js';
import { MAX_FRAME, MAX_UNSENT } from './limits.js';
import type { Output } from './output.js';
import { framed, GRPC_HEAD, GRPC_OK } from './response.js';
import type { Response } from './response.js';
import { RECEIVING } from './stream.js';
import type { Stream } from './stream.js';
import { ENDED, RESET_BY_US } from './streams.js';
import type { Streams } from './streams.js';

const PREFIX = 5;

export class Sender {
  /** Octets of DATA that wait for a window, and those that did not have to: the second shows that somebody reads. */
  unsent = 0;
  sent = 0;
  private window = DEFAULT_WINDOW;
  /** Those that wait for the connection's window; who waits for its own is found by its number. */
  private readonly waiting = new Set<Stream>();

  constructor(
    private readonly output: Output,
    private readonly streams: Streams,
    private readonly budget: Budget,
  ) {}

  /** The one message of a call, and its end. */
  message(stream: Stream, message: Buffer): void {
    this.budget.earn();
    const length = PREFIX + message.length;
    if (length > stream.sendWindow || length > this.window || length > MAX_FRAME)
      return this.begin(stream, GRPC_HEAD, framed(message), GRPC_OK);
    this.window -= length;
    this.output.answer(stream.id, message);
    this.finish(stream);
  }

  /** A first message of several; push() adds to it, status() ends it. */
  openEnded(stream: Stream, message: Buffer): void {
    stream.open = true;
    this.begin(stream, GRPC_HEAD, framed(message), undefined);
  }

  push(stream: Stream, message: Buffer): void {
    this.queue(stream, framed(message));
    this.pump(stream);
  }

  /** A call that ends without a message, or after some: trailers. */
  status(stream: Stream, trailers: Buffer): void {
    if (!stream.open) this.output.headers(stream.id, Buffer.concat([GRPC_HEAD, trailers]), true);
    else {
      stream.open = false;
      stream.trailers = trailers;
      return this.pump(stream);
    }
    this.finish(stream);
  }

  http(stream: Stream, { head, body }: Response): void {
    this.begin(stream, head, body, undefined);
  }

  /** RST_STREAM, and nothing else from us on this stream. */
  reset(stream: Stream, code: number): void {
    this.output.reset(stream.id, code);
    this.drop(stream, RESET_BY_US);
  }

  /** Without a word: the peer ended it. */
  drop(stream: Stream, how: number): void {
    this.waiting.delete(stream);
    this.unsent -= stream.unsent?.length ?? 0;
    stream.unsent = undefined;
    stream.trailers = undefined;
    stream.open = false;
    this.streams.close(stream, how);
  }

  grow(increment: number): void {
    this.window += increment;
    if (this.window > MAX_WINDOW) throw new ConnectionError(FLOW_CONTROL_ERROR, 'the window is too large');
    for (const stream of [...this.waiting]) {
      if (this.window <= 0) return;
      this.waiting.delete(stream);
      this.pump(stream);
    }
  }

  /** False: too large (§6.9.1). */
  growStream(stream: Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_WINDOW) return false;
    if (stream.unsent !== undefined) this.pump(stream);
    return true;
  }

  private begin(stream: Stream, head: Buffer, body: Buffer, trailers: Buffer | undefined): void {
    this.output.headers(stream.id, head, false);
    stream.trailers = trailers;
    this.queue(stream, body);
    this.pump(stream);
  }

  private queue(stream: Stream, bytes: Buffer): void {
    stream.unsent = stream.unsent === undefined ? bytes : Buffer.concat([stream.unsent, bytes]);
    this.unsent += bytes.length;
    if (this.unsent > MAX_UNSENT) throw new ConnectionError(ENHANCE_YOUR_CALM, 'answers are not taken');
  }

  private pump(stream: Stream): void {
    while (stream.unsent !== undefined) {
      const length = Math.min(stream.unsent.length, MAX_FRAME, stream.sendWindow, this.window);
      if (length <= 0) return void (this.window <= 0 && this.waiting.add(stream));
      this.piece(stream, stream.unsent, length);
    }
    if (stream.open) return;
    if (stream.trailers !== undefined) this.output.headers(stream.id, stream.trailers, true);
    this.finish(stream);
  }

  private piece(stream: Stream, bytes: Buffer, length: number): void {
    const last = length === bytes.length;
    this.output.data(stream.id, bytes.subarray(0, length), last && stream.trailers === undefined && !stream.open);
    stream.unsent = last ? undefined : bytes.subarray(length);
    stream.sendWindow -= length;
    this.window -= length;
    this.unsent -= length;
    this.sent += length;
  }

  /** Our END_STREAM is out. §8.1: who has not said everything need not go on. */
  private finish(stream: Stream): void {
    const early = stream.state === RECEIVING;
    if (early) this.output.reset(stream.id, NO_ERROR);
    this.drop(stream, early ? RESET_BY_US : ENDED);
  }
}
