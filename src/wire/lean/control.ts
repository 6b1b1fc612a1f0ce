/**
 * The frames that carry no request: SETTINGS, PING, WINDOW_UPDATE, RST_STREAM, PRIORITY, GOAWAY (RFC 9113 §6.3 to
 * §6.9). In: frames. Out: acknowledgements, windows that grow, streams that end. Each costs points (budget.ts). Refuses
 * what the sections refuse.
 */
import type { Budget } from './budget.js';
import { ConnectionError, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from './errors.js';
import { ACK, frame, MAX_WINDOW, PING, readUint32, SETTINGS } from './frame.js';
import * as frames from './frame.js';
import type { Output } from './output.js';
import type { Sender } from './sender.js';
import type { Stream } from './stream.js';
import { ENDED } from './streams.js';
import type { Streams } from './streams.js';

/** SETTINGS may touch every stream. */
const SETTINGS_POINTS = 16;
/** RFC 9113 §6.5.2: the table that a peer has if it says nothing. */
const DEFAULT_TABLE = 4_096;
const SETTINGS_ACK = frame(SETTINGS, ACK, 0);

export class Control {
  /** PINGs of ours that were answered. */
  pongs = 0;

  constructor(
    private readonly streams: Streams,
    private readonly sender: Sender,
    private readonly output: Output,
    private readonly budget: Budget,
  ) {}

  settings(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.budget.spend(SETTINGS_POINTS);
    if (id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'SETTINGS on a stream');
    const acknowledges = (flags & ACK) !== 0;
    if (acknowledges ? end > start : (end - start) % 6 !== 0)
      throw new ConnectionError(FRAME_SIZE_ERROR, 'SETTINGS of a wrong length');
    if (acknowledges) return;
    let window = this.streams.sendWindow;
    for (let at = start; at < end; at += 6)
      window = this.setting(bytes.readUInt16BE(at), readUint32(bytes, at + 2), window);
    // §6.5.3: at once, before any DATA that the new window allows.
    this.output.write(SETTINGS_ACK);
    if (window !== this.streams.sendWindow) this.initialWindow(window);
  }

  /**
   * §6.5.2; returns the initial window. What we do not send or do not count needs no limit: we push nothing, and our
   * header lists are short.
   */
  private setting(id: number, value: number, window: number): number {
    if (id === frames.SETTINGS_HEADER_TABLE_SIZE && value < DEFAULT_TABLE) this.output.announceTable();
    if (id === frames.SETTINGS_ENABLE_PUSH && value > 1)
      throw new ConnectionError(PROTOCOL_ERROR, `ENABLE_PUSH ${value}`);
    // Our frames never exceed 16,384, the least that it may be.
    if (id === frames.SETTINGS_MAX_FRAME_SIZE && (value < 16_384 || value > 16_777_215))
      throw new ConnectionError(PROTOCOL_ERROR, `MAX_FRAME_SIZE ${value}`);
    if (id !== frames.SETTINGS_INITIAL_WINDOW_SIZE) return window;
    if (value > MAX_WINDOW) throw new ConnectionError(FLOW_CONTROL_ERROR, `INITIAL_WINDOW_SIZE ${value}`);
    return value;
  }

  /** §6.9.2: counts for the streams that are there too. */
  private initialWindow(value: number): void {
    const difference = value - this.streams.sendWindow;
    this.streams.sendWindow = value;
    for (const stream of [...this.streams.all()])
      if (!this.sender.growStream(stream, difference))
        throw new ConnectionError(FLOW_CONTROL_ERROR, 'the window of a stream is too large');
  }

  ping(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.budget.spend(1);
    if (id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'PING on a stream');
    if (end - start !== 8) throw new ConnectionError(FRAME_SIZE_ERROR, 'PING of a wrong length');
    if ((flags & ACK) !== 0) this.pongs++;
    else this.output.write(frame(PING, ACK, 0, bytes.subarray(start, end)));
  }

  windowUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    this.budget.spend(1);
    if (end - start !== 4) throw new ConnectionError(FRAME_SIZE_ERROR, 'WINDOW_UPDATE of a wrong length');
    const increment = readUint32(bytes, start) & MAX_WINDOW;
    if (id !== 0) return this.streamWindow(id, increment);
    if (increment === 0) throw new ConnectionError(PROTOCOL_ERROR, 'WINDOW_UPDATE by nothing');
    this.sender.grow(increment);
  }

  private streamWindow(id: number, increment: number): void {
    const stream = this.living(id, 'WINDOW_UPDATE');
    if (stream === undefined) return;
    if (increment === 0) this.sender.reset(stream, PROTOCOL_ERROR);
    else if (!this.sender.growStream(stream, increment)) this.sender.reset(stream, FLOW_CONTROL_ERROR);
  }

  reset(id: number, start: number, end: number): void {
    this.budget.spend(1);
    if (end - start !== 4) throw new ConnectionError(FRAME_SIZE_ERROR, 'RST_STREAM of a wrong length');
    const stream = this.living(id, 'RST_STREAM');
    if (stream !== undefined) this.sender.drop(stream, ENDED);
  }

  /** RFC 7540 §5.3, deprecated by RFC 9113 §5.3.2: checked, and ignored. */
  priority(id: number, bytes: Buffer, start: number, end: number): void {
    this.budget.spend(1);
    if (id === 0) throw new ConnectionError(PROTOCOL_ERROR, 'PRIORITY on the connection');
    const stream = this.streams.get(id);
    const wrongLength = end - start !== 5;
    if (!wrongLength && (readUint32(bytes, start) & 0x7fff_ffff) !== id) return;
    // §6.3: an error of the stream; where there is none, of the connection (§5.4.2: an idle stream is not reset).
    const code = wrongLength ? FRAME_SIZE_ERROR : PROTOCOL_ERROR;
    if (stream === undefined) throw new ConnectionError(code, 'PRIORITY of a wrong form');
    this.sender.reset(stream, code);
  }

  /** The peer opens no more streams; those that are there are answered. */
  goaway(id: number, start: number, end: number): void {
    this.budget.spend(1);
    if (id !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'GOAWAY on a stream');
    if (end - start < 8) throw new ConnectionError(FRAME_SIZE_ERROR, 'GOAWAY of a wrong length');
  }

  unknown(): void {
    this.budget.spend(1);
  }

  /** undefined: it has ended, and the frame was on its way. */
  private living(id: number, what: string): Stream | undefined {
    if (id === 0 || id > this.streams.last)
      throw new ConnectionError(PROTOCOL_ERROR, `${what} on stream ${id}, which is idle`);
    return this.streams.get(id);
  }
}
