/**
 * How bytes reach a handler: by a call of it, or over a real Unix socket to one of the product's listeners, from a grpc-js
 * client, one after the other on one connection. In: which way, and the handler. Out: bytes to bytes, and the end of it all.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Handle } from '../../src/handle.js';
import { startGrpcListener } from '../../src/wire/grpc-server.js';
import { startLeanListener } from '../../src/wire/lean/listener.js';
import type { ListenerOptions } from '../../src/wire/listener.js';
import { connectTo } from '../wire/client.js';

export const WAYS = ['handle', 'lean', 'grpc-js'] as const;
export type Way = (typeof WAYS)[number];

export interface Carried {
  send(bytes: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

export function carried(way: Way, handle: Handle): Carried {
  if (way === 'handle') return { send: async (bytes) => handle(bytes, undefined), close: async () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'fh-'));
  const options: ListenerOptions = {
    address: { kind: 'unix', path: join(folder, 'check.sock') },
    socketMode: 0o600,
    reflection: false,
    handle,
    log: (message, facts) => console.error(message, facts),
  };
  const opened = (way === 'lean' ? startLeanListener : startGrpcListener)(options).then((listener) => ({
    listener,
    client: connectTo(listener.address),
  }));
  return {
    // The engine's clock is not the machine's: a deadline would be of another day.
    send: async (bytes) => (await opened).client.check(bytes, { deadline: Infinity }),
    async close() {
      try {
        const { listener, client } = await opened;
        client.close();
        await listener.close(1000);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}
