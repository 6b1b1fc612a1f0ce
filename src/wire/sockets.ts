/**
 * Address → an open socket that hands over each connection. In: where to listen, and what to do with each connection. Out:
 * the actual address and the two ways to end. What cannot be listened on is refused in listen/listen.ts.
 */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { listenOn } from '../listen/listen.js';
import type { Address } from '../model/settings.js';

export interface OpenSocket {
  /** With the port that the system chose where 0 was asked for. */
  readonly address: Address;
  /** No further connection; removes the socket file. */
  stopAccepting(): void;
  /** Ends what is still connected. */
  destroyConnections(): void;
}

export async function openSocket(
  address: Address,
  socketMode: number,
  onConnection: (socket: Socket) => void,
  onError: (error: Error) => void,
): Promise<OpenSocket> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A connection that breaks is the caller's affair; without a listener it would end the process.
    socket.on('error', () => {});
    onConnection(socket);
  });
  const actual = await listenOn(server, address, socketMode);
  server.on('error', onError);
  return {
    address: actual,
    stopAccepting: () => void server.close(),
    destroyConnections: () => sockets.forEach((socket) => socket.destroy()),
  };
}
