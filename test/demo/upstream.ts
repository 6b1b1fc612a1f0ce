/**
 * The workload behind the sidecar: answers everything with 200 and remembers what reached it. HTTP/1.1 on one port, gRPC
 * (shop.v1.Cart/Add) on the other. It checks nothing at all: whatever it saw, the sidecar let through.
 */
import grpc from '@grpc/grpc-js';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** By which a call is known to the demo on its whole way; the edge of the gateway gives requests ids of its own. */
export const CALL_ID = 'x-demo-call';

export interface Arrival {
  /** `GET /orders/1` */
  readonly line: string;
  /** Lines by lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export interface Upstream {
  /** Everything that arrived with this x-demo-call. */
  arrivals(callId: string): readonly Arrival[];
  stop(): Promise<void>;
}

export async function startUpstream(httpPort: number, grpcPort: number): Promise<Upstream> {
  const log = new Map<string, Arrival[]>();
  const remember = (arrival: Arrival): void => {
    const id = arrival.headers.get(CALL_ID)?.[0] ?? '';
    log.set(id, [...(log.get(id) ?? []), arrival]);
  };
  const http = createServer((request, response) => answer(request, response, remember));
  await new Promise<void>((resolve, reject) => http.once('error', reject).listen(httpPort, '127.0.0.1', resolve));
  const cart = await startCart(grpcPort, remember);
  return {
    arrivals: (callId) => log.get(callId) ?? [],
    async stop() {
      cart.forceShutdown();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, remember: (arrival: Arrival) => void): void {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2)
    pairs.push([request.rawHeaders[at] ?? '', request.rawHeaders[at + 1] ?? '']);
  remember({ line: `${request.method} ${request.url}`, headers: group(pairs) });
  request.resume();
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify({ orders: 'at your service' })}\n`);
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** One unary method on raw bytes: the demo needs no messages, only a call that is really gRPC. */
export const CART_ADD = {
  path: '/shop.v1.Cart/Add',
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
} as const;

async function startCart(port: number, remember: (arrival: Arrival) => void): Promise<grpc.Server> {
  const server = new grpc.Server();
  server.addService(
    { Add: CART_ADD },
    {
      Add(call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
        const pairs = Object.entries(call.metadata.getMap()).map(([name, value]): [string, string] => [
          name,
          String(value),
        ]);
        remember({ line: `gRPC ${CART_ADD.path}`, headers: group(pairs) });
        done(null, call.request);
      },
    },
  );
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  return server;
}

function group(pairs: readonly [string, string][]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase();
    headers.set(lower, [...(headers.get(lower) ?? []), value]);
  }
  return headers;
}
