/**
 * A listener for Check calls on @grpc/grpc-js, with health and, if asked for, reflection. In: an address and the handler of
 * bytes. Out: a running listener. Rejects with one sentence where it cannot listen. A handler that fails is answered with
 * a denial that was encoded in advance: for Envoy a gRPC error is an outage, which failure_mode_allow would let pass.
 * Does NOT read a CheckRequest, and does NOT end a call at its deadline (grpc-js does; the handler is told).
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ConnectionInjector, sendUnaryData, ServerInterceptor, ServerUnaryCall } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { answering } from './answering.js';
import { proveFieldNumbers } from './fields.js';
import { MAX_RECEIVE_BYTES } from './listener.js';
import type { HandleCheck, Listener, ListenerOptions, Log } from './listener.js';
import { AUTHORIZATION, CHECK_PATH } from './names.js';
import { PROTOCOL } from './proto.js';
import { secretInterceptor } from './secret-interceptor.js';
import { openSocket } from './sockets.js';

export type { Listener, ListenerOptions } from './listener.js';

/** No call of Envoy's takes longer. */
const RENEW_GRACE_MS = 10_000;

export async function startGrpcListener(options: ListenerOptions): Promise<Listener> {
  proveFieldNumbers();
  const server = newServer(options.secret === undefined ? [] : [secretInterceptor(options.secret)]);
  server.addService(CHECK_SERVICE, { check: checkHandler(options.handle, options.log) });
  const health = new HealthImplementation();
  health.addToServer(server);
  const setServing = (serving: boolean): void => {
    for (const service of ['', AUTHORIZATION]) health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
  };
  setServing(true);
  if (options.reflection) new ReflectionService(PROTOCOL).addToServer(server);
  let injector = injectorFor(server, options.tls);
  const socket = await openSocket(
    options.address,
    options.socketMode,
    (connection) => injector.injectConnection(connection),
    (error) => options.log('a listener failed to accept a connection', { error: error.message }),
  );
  const close = async (graceMs: number): Promise<void> => {
    socket.stopAccepting();
    setServing(false);
    await shutDown(server, graceMs);
    socket.destroyConnections();
  };
  const renew = (tls: NonNullable<ListenerOptions['tls']>): void => {
    const old = injector;
    injector = injectorFor(server, tls);
    // GOAWAY: calls in flight are answered, and the next ones come over a connection of the new files. A client CA that
    // was taken away must not live on in an old connection.
    old.drain(RENEW_GRACE_MS);
    old.destroy();
  };
  return { address: socket.address, setServing, close, ...(options.tls === undefined ? {} : { renew }) };
}

/** No limit on streams: Envoy sends a burst before it has read a limit, and would take the refusals for denials. */
const newServer = (interceptors: ServerInterceptor[]): Server =>
  new Server({
    'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
    'grpc.enable_channelz': 0,
    interceptors,
  });

const asIs = (bytes: Buffer): Buffer => bytes;

const CHECK_SERVICE = {
  check: {
    path: CHECK_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} as const;

/** Answers once, whatever the handler does: a second answer, or none, would leave the call hanging. */
function checkHandler(handle: HandleCheck, log: Log) {
  const answer = answering(handle, log);
  const send = async (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): Promise<void> =>
    respond(null, await answer(call.request, deadlineOf(call)));
  return (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): void =>
    void send(call, respond).catch((error: Error) => log('an answer could not be sent', { error: error.message }));
}

function deadlineOf(call: ServerUnaryCall<Buffer, Buffer>): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? deadline : undefined;
}

/** Connections are accepted by our own socket, which knows about file modes and dead socket files, and handed over. */
function injectorFor(server: Server, tls: ListenerOptions['tls']): ConnectionInjector {
  if (tls === undefined) return server.createConnectionInjector(ServerCredentials.createInsecure());
  const pair = { cert_chain: tls.certificate, private_key: tls.key };
  const demandClients = tls.clientCA !== undefined;
  try {
    return server.createConnectionInjector(ServerCredentials.createSsl(tls.clientCA ?? null, [pair], demandClients));
  } catch (error) {
    throw new Error(`the TLS certificate, key or client CA of a listener is not usable: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function shutDown(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
