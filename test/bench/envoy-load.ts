/**
 * The load in front of Envoy: HTTP/1.1 over mTLS, one request at a time on each of many connections. In, by message: where,
 * what, and whether each answer is followed by the next request or so many are sent a second. Out: as load.ts. A request that
 * is due while all connections are busy waits for one, and its wait counts.
 */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { percentiles } from './percentiles.js';
import type { Tally } from './load.js';

export interface EnvoyOrder {
  readonly port: number;
  /** With caller.pem, caller.key and prod.pem. */
  readonly folder: string;
  /** JSON list of HTTP/1.1 requests as text. */
  readonly requests: string;
  readonly connections: number;
  readonly loop: 'closed' | { readonly rate: number };
  readonly ms: number;
}

async function open({ port, folder }: EnvoyOrder): Promise<TLSSocket> {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const tls = { cert: read('caller.pem'), key: read('caller.key'), ca: read('prod.pem') };
  const socket = connect({ ...tls, port, host: '127.0.0.1', checkServerIdentity: () => undefined });
  await once(socket, 'secureConnect');
  return socket;
}

async function run(order: EnvoyOrder): Promise<Tally> {
  const requests = (JSON.parse(readFileSync(order.requests, 'utf8')) as string[]).map((text) => Buffer.from(text));
  const sockets = await Promise.all(Array.from({ length: order.connections }, () => open(order)));
  const began = performance.now();
  const latencies: number[] = [];
  const due = new Map<TLSSocket, number>();
  const idle = [...sockets];
  let [sent, answers, wrong] = [0, 0, 0];
  const waits = (now: number): boolean =>
    now - began < order.ms && (order.loop === 'closed' || began + (sent / order.loop.rate) * 1000 <= now);
  const pump = (): void => {
    const now = performance.now();
    while (idle.length > 0 && waits(now)) {
      const socket = idle.shift();
      if (socket === undefined) return;
      due.set(socket, order.loop === 'closed' ? now : began + (sent / order.loop.rate) * 1000);
      socket.write(requests[sent % requests.length] ?? Buffer.alloc(0));
      sent += 1;
    }
  };
  for (const socket of sockets)
    socket.on('data', (chunk: Buffer) => {
      // The body is two octets: an answer comes in one piece.
      answers += 1;
      if (!chunk.subarray(0, 12).equals(OK)) wrong += 1;
      if (order.loop !== 'closed') latencies.push(performance.now() - (due.get(socket) ?? 0));
      idle.push(socket);
      pump();
    });
  await new Promise<void>((resolve) => {
    const spin = (): void => {
      pump();
      const now = performance.now();
      if ((now - began >= order.ms && idle.length === sockets.length) || now - began > order.ms + 3000) resolve();
      else if (order.loop === 'closed') setTimeout(spin, 5);
      else setImmediate(spin);
    };
    spin();
  });
  for (const socket of sockets) socket.destroy();
  const latency = order.loop === 'closed' ? undefined : percentiles(latencies);
  return {
    answers,
    wrong,
    turnedAway: 0,
    lost: sent - answers,
    example: wrong > 0 ? 'another status than 200' : undefined,
    latency,
    unsent: 0,
  };
}

const OK = Buffer.from('HTTP/1.1 200');

process.on('message', (order: EnvoyOrder) => {
  run(order).then(
    (tally) => process.send?.({ ok: tally }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.('ready');
