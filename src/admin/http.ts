/**
 * A plain HTTP listener for health, metrics and the admin API. In: an address and the sources to ask. Out: a bound server.
 * Everything that a client can make last or grow has a bound. Does NOT speak TLS: it is for loopback, a Unix socket, or
 * probes; what it answers is decided in routes.ts.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Address } from '../model/settings.js';
import { listenOn } from '../listen/listen.js';
import { answer, hasBody, MAX_BODY } from './routes.js';
import type { AdminSources, Answer, Asked, ListenerKind } from './routes.js';

export type { AdminSources, ListenerKind, Readiness } from './routes.js';

export interface HttpListenerOptions extends AdminSources {
  readonly address: Address;
  readonly kind: ListenerKind;
  /** File mode of a Unix socket. */
  readonly socketMode: number;
  readonly log: { error(message: string, facts?: Readonly<Record<string, string>>): void };
}

export interface HttpListener {
  /** As bound: with the real port where 0 was asked for. */
  readonly address: Address;
  close(): Promise<void>;
}

/** Probes and scrapers send a few hundred bytes at once; whoever is slower than this is not one of them. */
const LIMITS = { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 5_000 };
const CHECK_LIMITS_MS = 1_000;
const MAX_CONNECTIONS = 64;
const MAX_REQUESTS_PER_CONNECTION = 1_000;
/** A client that doesn't read its answer. */
const IDLE_MS = 10_000;
const CLOSE_MS = 1_000;

/** Rejects where it can't listen: the address is taken, or the path belongs to something else. */
export async function startHttpListener(options: HttpListenerOptions): Promise<HttpListener> {
  const { address } = options;
  const server = createServer({ ...LIMITS, connectionsCheckingInterval: CHECK_LIMITS_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  server.timeout = IDLE_MS;
  const serve = (request: IncomingMessage, response: ServerResponse): void => void respond(request, response, options);
  server.on('request', serve);
  // Without this Node would answer 100 and invite a body that nobody reads (RFC 9110 §10.1.1).
  server.on('checkContinue', serve);
  const bound = await listenOn(server, address, options.socketMode);
  server.on('error', (error) =>
    options.log.error('a listener failed', { listener: options.kind, error: error.message }),
  );
  return { address: bound, close: () => closeServer(server) };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpListenerOptions,
): Promise<void> {
  const asked: Asked = {
    method: request.method ?? '',
    target: request.url ?? '',
    headers: request.headersDistinct as Asked['headers'],
    body: () => readBody(request, response),
  };
  // Health and metrics say nothing that a name could steal, and are asked by service names too.
  const checkHost = options.kind === 'admin' && options.address.kind === 'tcp';
  const given = await answer(asked, options.kind, checkHost, options).catch((fault: unknown) => broken(fault, options));
  response.writeHead(given.status, {
    ...given.headers,
    'content-length': Buffer.byteLength(given.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // A body that was not read must not be taken for the next request.
    ...(hasBody(asked) ? { connection: 'close' } : {}),
  });
  response.end(given.body);
}

/** Whoever waits for it is invited to send it only here, where it is wanted. */
async function readBody(request: IncomingMessage, response: ServerResponse): Promise<string | undefined> {
  if (request.headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function broken(fault: unknown, { log, kind }: HttpListenerOptions): Answer {
  log.error('a page failed', { listener: kind, error: fault instanceof Error ? fault.message : String(fault) });
  return { status: 500, headers: { 'content-type': 'application/json' }, body: '{"error":"internal error"}\n' };
}

/** Answers what is in flight, for a moment; idle connections end at once. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
