/**
 * The callers: real mTLS clients over HTTP/1.1, HTTP/2 and gRPC. In: where to, with which certificate, what. Out: what the
 * Envoy at the other end answered. The server's SPIFFE ID is verified on every connection.
 */
import grpc from '@grpc/grpc-js';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import type { PeerCertificate } from 'node:tls';
import { CART_ADD } from './upstream.js';

export interface Answer {
  /** HTTP status; for gRPC that of the response headers, which is always 200. */
  readonly status: number;
  readonly grpcStatus?: number;
  /** First value of each, lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Local port of the connection: two requests with one port shared a connection. */
  readonly localPort?: number;
}

export interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

export interface Call {
  readonly port: number;
  /** SPIFFE ID that the server must have. */
  readonly server: string;
  /** PEM of the roots that the server's certificate may come from. */
  readonly roots: string;
  readonly as: Credentials | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Keeps the connection between calls. */
  readonly agent?: Agent;
}

/** No answer at all is a failure of the demo, not a verdict. */
const TIMEOUT = 10_000;

export const keptConnection = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });

const tls = (call: Call) => ({
  ca: call.roots,
  // An address is no server name (RFC 6066 §3).
  servername: '',
  ...(call.as === undefined ? {} : { cert: call.as.certificate, key: call.as.key }),
  checkServerIdentity: (_host: string, certificate: PeerCertificate): Error | undefined =>
    certificate.subjectaltname === `URI:${call.server}`
      ? undefined
      : new Error(`expected ${call.server}, got ${String(certificate.subjectaltname)}`),
});

export function overHttp1(call: Call): Promise<Answer> {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of call.headers) headers[name] = [...(headers[name] ?? []), value];
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: '127.0.0.1',
      port: call.port,
      method: call.method,
      path: call.path,
      headers,
      agent: call.agent ?? false,
      timeout: TIMEOUT,
      ...tls(call),
    });
    request.on('timeout', () => request.destroy(new Error(`no answer to ${call.method} ${call.path}`)));
    request.on('error', reject);
    request.on('response', (response) => {
      const { localPort } = response.socket;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: first(response.headers),
          body: Buffer.concat(chunks).toString(),
          ...(localPort === undefined ? {} : { localPort }),
        }),
      );
    });
    request.end();
  });
}

/** For what an HTTP/1 parser would not let through, such as a lower-case method. */
export async function overHttp2(call: Call): Promise<Answer> {
  const session = connect(`https://127.0.0.1:${call.port}`, tls(call));
  try {
    await once(session, 'connect');
    const stream = session.request({ ':method': call.method, ':path': call.path, ...Object.fromEntries(call.headers) });
    stream.setTimeout(TIMEOUT, () => stream.destroy(new Error(`no answer to ${call.method} ${call.path}`)));
    stream.end();
    const [headers] = (await once(stream, 'response')) as [Record<string, string | number>];
    let body = '';
    for await (const chunk of stream) body += String(chunk);
    return { status: Number(headers[':status']), headers: first(headers), body };
  } finally {
    session.destroy();
  }
}

/** One unary call of shop.v1.Cart/Add; `method` and `path` are gRPC's own. */
export function overGrpc(call: Call): Promise<Answer> {
  const { checkServerIdentity } = tls(call);
  const credentials = grpc.credentials.createSsl(
    Buffer.from(call.roots),
    call.as === undefined ? null : Buffer.from(call.as.key),
    call.as === undefined ? null : Buffer.from(call.as.certificate),
    { checkServerIdentity },
  );
  // An address is no server name; what the server is called is checked by its SPIFFE ID.
  const options = { 'grpc.ssl_target_name_override': 'demo.example' };
  const client = new grpc.Client(`127.0.0.1:${call.port}`, credentials, options);
  const metadata = new grpc.Metadata();
  for (const [name, value] of call.headers) metadata.add(name, value);
  const { path, requestSerialize, responseDeserialize } = CART_ADD;
  return new Promise((resolve) => {
    const done = (error: grpc.ServiceError | null): void => {
      client.close();
      const headers = first(error?.metadata.getMap() ?? {});
      resolve({ status: 200, grpcStatus: error?.code ?? 0, headers, body: error?.details ?? '' });
    };
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      Buffer.from([8, 1]),
      metadata,
      { deadline: Date.now() + TIMEOUT },
      done,
    );
  });
}

function first(headers: Readonly<Record<string, unknown>>): Map<string, string> {
  return new Map(
    Object.entries(headers).map(([name, value]) => [
      name,
      String(Array.isArray(value) ? (value[0] as unknown) : value),
    ]),
  );
}
