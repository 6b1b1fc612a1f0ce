/**
 * The streams of a connection: those that live, and how the last ones ended. Does NOT send anything. A stream whose
 * handler still works counts until it answers, also when the peer has reset it: otherwise a rapid reset would find no
 * limit.
 */
import type { Use } from './body.js';
import { MAX_STREAMS, MAX_STREAMS_IN_ALL, STREAM_WINDOW } from './limits.js';
import { CLOSED, Stream } from './stream.js';

/** How a stream ended. Frames that come after our reset were on their way (RFC 9113 §5.1, "closed"). */
export const FORGOTTEN = 0;
export const ENDED = 1;
export const RESET_BY_US = 2;

const REMEMBERED = 512;
const SPARE = 256;

export class Streams {
  /** The highest number that the peer used. */
  last = 0;
  /** What the peer lets us send on a new stream. */
  sendWindow = 65_535;
  private readonly living = new Map<number, Stream>();
  private readonly spare: Stream[] = [];
  private abandoned = 0;
  private readonly endedIds = new Uint32Array(REMEMBERED);
  private readonly endedHow = new Uint8Array(REMEMBERED);
  private ended = 0;

  constructor(readonly use: Use) {}

  get(id: number): Stream | undefined {
    return this.living.get(id);
  }

  all(): Iterable<Stream> {
    return this.living.values();
  }

  count(): number {
    return this.living.size;
  }

  full(): boolean {
    return this.living.size + this.abandoned >= MAX_STREAMS || this.use.streams >= MAX_STREAMS_IN_ALL;
  }

  create(id: number, tick: number): Stream {
    const stream = this.spare.pop() ?? new Stream();
    stream.begin(id, this.sendWindow, STREAM_WINDOW, tick);
    this.living.set(id, stream);
    this.use.streams++;
    return stream;
  }

  /** Of a stream that lives. */
  close(stream: Stream, how: number): void {
    this.living.delete(stream.id);
    stream.state = CLOSED;
    this.remember(stream.id, how);
    if (stream.received > 0) stream.body.release(this.use);
    if (stream.timer !== undefined) clearTimeout(stream.timer);
    stream.left?.();
    if (stream.asked) this.abandoned++;
    else this.use.streams--;
    if (!stream.shared && this.spare.length < SPARE) this.spare.push(stream);
  }

  /** The handler answered a stream that is closed already. */
  answeredLate(): void {
    this.abandoned--;
    this.use.streams--;
  }

  remember(id: number, how: number): void {
    const at = this.ended++ % REMEMBERED;
    this.endedIds[at] = id;
    this.endedHow[at] = how;
  }

  howEnded(id: number): number {
    const at = this.endedIds.lastIndexOf(id);
    return at < 0 ? FORGOTTEN : (this.endedHow[at] as number);
  }
}
