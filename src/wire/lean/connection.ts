/**
 * A socket and its session. In: the socket's chunks and its end. Out: bytes to the socket, one write for all that one
 * chunk brought. A ConnectionError is said (GOAWAY) and ends the connection; whatever comes after it is not read.
 * Whoever does not read what we write is not read either, and closed in the end (limits.ts).
 */
import type { Socket } from 'node:net';
import { ConnectionError, INTERNAL_ERROR } from './errors.js';
import { LINGER_TICKS, MAX_UNSENT, PAUSE_AT, STALL_TICKS } from './limits.js';
import { Output } from './output.js';
import { Session } from './session.js';
import type { Shared } from './shared.js';

export class Connection {
  private readonly output: Output;
  private readonly session: Session;
  /** Ticks since we said our last word; undefined while we go on. */
  private ending: number | undefined = undefined;
  private flushing = false;
  /** For how many ticks the same octets have been waiting, and which. */
  private stalled = 0;
  private waited = 0;

  constructor(
    private readonly socket: Socket,
    private readonly shared: Shared,
  ) {
    this.output = new Output(socket);
    this.session = new Session(shared, this.output, (work) => this.later(work));
    this.output.flush();
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('drain', () => socket.resume());
    socket.once('close', () => this.session.end());
  }

  /** Once a second. */
  tick(): void {
    if (this.ending !== undefined) return void (++this.ending > LINGER_TICKS && this.socket.destroy());
    this.guard(() => this.session.tick());
    this.flush();
    if (this.isStalled()) this.socket.destroy();
  }

  /** Answers what is in flight, takes nothing new, and ends. */
  leave(): void {
    this.guard(() => this.session.leave());
    this.flush();
  }

  private read(chunk: Buffer): void {
    if (this.ending !== undefined) return;
    try {
      this.session.read(chunk);
    } catch (error) {
      this.fail(error);
    }
    this.flush();
  }

  /** Work outside of a turn of the socket; what several pieces of it say goes out together. */
  private later(work: () => void): void {
    this.guard(work);
    if (this.flushing) return;
    this.flushing = true;
    queueMicrotask(() => {
      this.flushing = false;
      this.flush();
    });
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (this.ending !== undefined) return;
    if (!(error instanceof ConnectionError)) this.shared.log('a connection failed', { error: String(error) });
    this.session.fail(error instanceof ConnectionError ? error.code : INTERNAL_ERROR);
    this.output.flush();
    this.end();
  }

  private flush(): void {
    if (this.socket.destroyed) return;
    this.output.flush();
    if (this.socket.writableLength > MAX_UNSENT) return void this.socket.destroy();
    if (this.ending !== undefined) return;
    if (this.socket.writableLength > PAUSE_AT) this.socket.pause();
    if (this.session.done()) this.end();
  }

  /** Reads on and forgets it: an end with octets unread would take our last word away from the peer. */
  private end(): void {
    this.ending = 0;
    this.socket.end();
    this.socket.resume();
  }

  private isStalled(): boolean {
    const waits = this.socket.writableLength + this.session.unsent();
    this.stalled = waits > 0 && waits === this.waited ? this.stalled + 1 : 0;
    this.waited = waits;
    return this.stalled > STALL_TICKS;
  }
}
