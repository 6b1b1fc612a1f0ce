/**
 * An https server on loopback with a certificate of a CA made for it, that answers as a test says. It counts what it was
 * asked and remembers the headers.
 */
import { createServer } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { makeCa, SERVER_AUTH } from './pki.js';
import type { TestCa, TestSvid } from './pki.js';

export type Respond = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpsSource {
  /** `https://localhost:PORT`. */
  readonly origin: string;
  readonly port: number;
  readonly ca: TestCa;
  /** Of every request so far. */
  readonly asked: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  respond(next: Respond): void;
  /** The certificate that new connections see. */
  show(certificate: Pick<TestSvid, 'chainPem' | 'keyPem'>): void;
  /** Accepts no connection any more, as a server that is down; `up` brings it back at the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

export async function startHttpsSource(first: Respond, ca?: TestCa): Promise<HttpsSource> {
  const authority = ca ?? (await makeCa({ name: 'Web CA', uris: [] }));
  const { chainPem, keyPem } = await authority.issue({ dns: ['localhost'], uris: [], eku: [SERVER_AUTH] });
  const asked: { path: string; headers: IncomingHttpHeaders }[] = [];
  const sockets = new Set<Socket>();
  let respond = first;
  const server = createServer({ cert: chainPem, key: keyPem }, (request, response) => {
    asked.push({ path: request.url ?? '', headers: request.headers });
    respond(request, response);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // A client that gives up is what some tests are about.
  server.on('tlsClientError', () => undefined);
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve());
    });
  const down = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      sockets.forEach((socket) => socket.destroy());
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://localhost:${port}`,
    port,
    ca: authority,
    asked,
    respond: (next) => void (respond = next),
    show: ({ chainPem: cert, keyPem: key }) => server.setSecureContext({ cert, key }),
    down,
    up: () => listen(port),
    close: () => (server.listening ? down() : Promise.resolve()),
  };
}

/** A document with these headers; with `etag` it answers 304 to whoever has it. */
export const serve =
  (text: string, headers: Readonly<Record<string, string>> = {}): Respond =>
  (request, response) => {
    const same = headers['etag'] !== undefined && request.headers['if-none-match'] === headers['etag'];
    response.writeHead(same ? 304 : 200, headers);
    response.end(same ? undefined : text);
  };
