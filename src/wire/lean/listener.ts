/**
 * A listener for Check calls on a Unix socket, with health, by our own HTTP/2 (RFC 9113, RFC 7541): the part of it that
 * unary gRPC needs. In: as startGrpcListener. Out: a running listener. Rejects with one sentence where it cannot
 * listen. Refuses TLS and reflection: those are grpc-js's. What it speaks and what it refuses: docs/lean-listener.md.
 * Does NOT read a CheckRequest.
 */
import type { Socket } from 'node:net';
import { answering } from '../answering.js';
import type { Listener, ListenerOptions } from '../listener.js';
import { openSocket } from '../sockets.js';
import { Connection } from './connection.js';
import { Health } from './health.js';
import { MAX_CONNECTIONS, TICK_MS } from './limits.js';
import type { Shared } from './shared.js';

export async function startLeanListener(options: ListenerOptions): Promise<Listener> {
  if (options.tls !== undefined || options.reflection)
    throw new Error('the lean listener has neither TLS nor reflection');
  const health = new Health();
  const connections = new Connections({
    ask: answering(options.handle, options.log),
    secret: options.secret,
    health,
    use: { streams: 0, partialBytes: 0 },
    now: Date.now,
    log: options.log,
  });
  const socket = await openSocket(
    options.address,
    options.socketMode,
    (connection) => connections.add(connection),
    (error) => options.log('a listener failed to accept a connection', { error: error.message }),
  );
  const close = async (graceMs: number): Promise<void> => {
    socket.stopAccepting();
    health.setServing(false);
    await connections.leave(graceMs);
    socket.destroyConnections();
  };
  return { address: socket.address, setServing: (serving) => health.setServing(serving), close };
}

/** Those that are open, one timer for all, and their end. */
class Connections {
  private readonly open = new Set<Connection>();
  private timer: NodeJS.Timeout | undefined = undefined;
  private refused = 0;
  private emptied = (): void => {};

  constructor(private readonly shared: Shared) {}

  add(socket: Socket): void {
    if (this.open.size >= MAX_CONNECTIONS) {
      this.refused++;
      return void socket.destroy();
    }
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
    const connection = new Connection(socket, this.shared);
    this.open.add(connection);
    socket.once('close', () => {
      this.open.delete(connection);
      if (this.open.size === 0) this.emptied();
    });
  }

  /** Resolves when all have ended, or after `graceMs`. */
  async leave(graceMs: number): Promise<void> {
    for (const connection of this.open) connection.leave();
    await this.empty(graceMs);
    clearInterval(this.timer);
  }

  private empty(graceMs: number): Promise<void> {
    if (this.open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private tick(): void {
    for (const connection of this.open) connection.tick();
    if (this.refused > 0) this.shared.log('connections were refused: too many are open', { refused: this.refused });
    this.refused = 0;
  }
}
