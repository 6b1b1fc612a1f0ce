/**
 * One connection as HTTP/2 sees it: which frame goes where. In: chunks; ticks; the wish to leave. Out: frames in the
 * output. Throws ConnectionError. Refuses anything before SETTINGS, anything inside a header block, and PUSH_PROMISE.
 * Does NOT know sockets.
 */
import { Budget } from './budget.js';
import { Calls } from './calls.js';
import { Control } from './control.js';
import { CANCEL, ConnectionError, NO_ERROR, PROTOCOL_ERROR } from './errors.js';
import * as frames from './frame.js';
import { frame, MAX_STREAM_ID, settings, uint32 } from './frame.js';
import { FrameReader } from './frame-reader.js';
import type { FrameSink } from './frame-reader.js';
import { HeaderBlocks } from './header-blocks.js';
import * as limits from './limits.js';
import type { Output } from './output.js';
import { Receiving } from './receiving.js';
import { Requests } from './requests.js';
import { Sender } from './sender.js';
import type { Shared } from './shared.js';
import { RECEIVING } from './stream.js';
import { ENDED, Streams } from './streams.js';

/** What a server says first (§3.4), and the window of the connection, which SETTINGS cannot change. */
const GREETING = Buffer.concat([
  settings(
    [frames.SETTINGS_HEADER_TABLE_SIZE, limits.HEADER_TABLE],
    [frames.SETTINGS_MAX_CONCURRENT_STREAMS, limits.MAX_STREAMS],
    [frames.SETTINGS_INITIAL_WINDOW_SIZE, limits.STREAM_WINDOW],
    [frames.SETTINGS_MAX_FRAME_SIZE, limits.MAX_FRAME],
    [frames.SETTINGS_MAX_HEADER_LIST_SIZE, limits.MAX_HEADER_LIST],
  ),
  frame(frames.WINDOW_UPDATE, 0, 0, uint32(limits.CONNECTION_WINDOW - frames.DEFAULT_WINDOW)),
]);
const FAREWELL_PING = frame(frames.PING, 0, 0, Buffer.from('farewell'));

export class Session implements FrameSink {
  private greeted = false;
  private ticks = 0;
  private leaving: 'no' | 'announced' | 'said' = 'no';
  private readonly budget = new Budget();
  private readonly streams: Streams;
  private readonly sender: Sender;
  private readonly calls: Calls;
  private readonly requests: Requests;
  private readonly control: Control;
  private readonly blocks: HeaderBlocks;
  private readonly reader = new FrameReader(this);

  constructor(
    shared: Shared,
    private readonly output: Output,
    later: (work: () => void) => void,
  ) {
    this.streams = new Streams(shared.use);
    this.sender = new Sender(output, this.streams, this.budget);
    this.calls = new Calls(shared, this.streams, this.sender, later);
    const { streams, calls, sender, budget } = this;
    const receiving = new Receiving(output);
    this.requests = new Requests(streams, calls, sender, output, receiving, budget, () => this.ticks);
    this.control = new Control(streams, sender, output, budget);
    this.blocks = new HeaderBlocks(this.requests);
    output.write(GREETING);
  }

  read(chunk: Buffer): void {
    this.reader.read(chunk);
    if (this.leaving === 'announced' && this.control.pongs > 0) this.sayLast();
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (this.blocks.isOpen() && type !== frames.CONTINUATION)
      throw new ConnectionError(PROTOCOL_ERROR, `a frame of type ${type} inside a header block`);
    if (!this.greeted) this.greet(type, flags);
    switch (type) {
      case frames.DATA:
        return this.requests.data(flags, id, bytes, start, end);
      case frames.HEADERS:
        return this.blocks.headers(flags, id, bytes, start, end);
      case frames.CONTINUATION:
        return this.blocks.continuation(flags, id, bytes, start, end);
      case frames.SETTINGS:
        return this.control.settings(flags, id, bytes, start, end);
      case frames.PING:
        return this.control.ping(flags, id, bytes, start, end);
      case frames.WINDOW_UPDATE:
        return this.control.windowUpdate(id, bytes, start, end);
      case frames.RST_STREAM:
        return this.control.reset(id, start, end);
      case frames.PRIORITY:
        return this.control.priority(id, bytes, start, end);
      case frames.GOAWAY:
        return this.control.goaway(id, start, end);
      case frames.PUSH_PROMISE:
        throw new ConnectionError(PROTOCOL_ERROR, 'PUSH_PROMISE from a client');
      default:
        // §5.5: unknown types are ignored.
        return this.control.unknown();
    }
  }

  /** §3.4: the preface ends with SETTINGS. */
  private greet(type: number, flags: number): void {
    if (type !== frames.SETTINGS || (flags & frames.ACK) !== 0)
      throw new ConnectionError(PROTOCOL_ERROR, 'the first frame is not SETTINGS');
    this.greeted = true;
  }

  /** Once a second. */
  tick(): void {
    this.ticks++;
    this.budget.tick();
    if (!this.greeted && this.ticks > limits.HANDSHAKE_TICKS)
      throw new ConnectionError(PROTOCOL_ERROR, 'no preface and SETTINGS in time');
    if (this.leaving === 'announced') this.sayLast();
    this.endSlowRequests();
  }

  private endSlowRequests(): void {
    for (const stream of this.streams.all()) {
      if (stream.state !== RECEIVING) continue;
      if (this.calls.isLate(stream)) this.calls.expire(stream);
      else if (this.ticks - stream.since > limits.REQUEST_TICKS) this.sender.reset(stream, CANCEL);
    }
  }

  /**
   * §6.8: first a GOAWAY that refuses nothing, since requests may be on their way; the last one when the peer has
   * answered a PING that came after it, or a second later.
   */
  leave(): void {
    if (this.leaving !== 'no') return;
    this.leaving = 'announced';
    this.goaway(MAX_STREAM_ID, NO_ERROR);
    this.output.write(FAREWELL_PING);
    this.calls.endWatches();
    // Who never said a word has nothing on its way.
    if (!this.greeted) this.sayLast();
  }

  private sayLast(): void {
    this.leaving = 'said';
    this.requests.lastTaken = this.streams.last;
    this.goaway(this.streams.last, NO_ERROR);
  }

  /** Nothing is left to be said. */
  done(): boolean {
    return this.leaving === 'said' && this.streams.count() === 0;
  }

  /** Says why, and forgets every stream. */
  fail(code: number): void {
    this.goaway(this.streams.last, code);
    this.end();
  }

  /** The connection is gone: nobody hears answers any more. */
  end(): void {
    for (const stream of [...this.streams.all()]) this.sender.drop(stream, ENDED);
  }

  /** DATA that waits for a window of the peer, and how much did not have to wait: it changes while somebody reads. */
  unsent(): number {
    return this.sender.unsent;
  }

  sent(): number {
    return this.sender.sent;
  }

  private goaway(last: number, code: number): void {
    this.output.write(frame(frames.GOAWAY, 0, 0, uint32(last, code)));
  }
}
