/**
 * A SPIFFE Workload API server on a real socket, that speaks the real messages: with the maps of the protocol, written out
 * here once more, so that our own files are not what they are compared with. It says what a test tells it to say, to every
 * open stream at once, and demands the metadata that the protocol demands.
 */
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type { TestCa, TestSvid } from './pki.js';
import type { TestIssuer } from './tokens.js';

const ROOT = protobuf.parse(
  `
  syntax = "proto3";
  message X509SVIDResponse { repeated X509SVID svids = 1; repeated bytes crl = 2; map<string, bytes> federated_bundles = 3; }
  message X509SVID { string spiffe_id = 1; bytes x509_svid = 2; bytes x509_svid_key = 3; bytes bundle = 4; string hint = 5; }
  message X509BundlesResponse { repeated bytes crl = 1; map<string, bytes> bundles = 2; }
  message JWTBundlesResponse { map<string, bytes> bundles = 1; }
`,
  { keepCase: true },
).root;

export const METHODS = {
  FetchX509SVID: 'X509SVIDResponse',
  FetchX509Bundles: 'X509BundlesResponse',
  FetchJWTBundles: 'JWTBundlesResponse',
} as const;
export type MethodName = keyof typeof METHODS;

/** What a stream is told: a message, its bytes as they are, an end, or nothing at all. */
export type Saying =
  | { readonly kind: 'message'; readonly message: object }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'end'; readonly code: status }
  | { readonly kind: 'silence' };

export interface WorkloadApiServer {
  /** As in SPIFFE_ENDPOINT_SOCKET. */
  readonly address: string;
  /** From now on, to open streams and to new ones. */
  say(method: MethodName, saying: Saying): void;
  /** Roots by domain, each one or several; an empty list is a domain without. */
  x509(bundles: Readonly<Record<string, readonly TestCa[]>>): void;
  /** Issuers by domain. */
  jwt(bundles: Readonly<Record<string, readonly TestIssuer[]>>): void;
  svid(svid: TestSvid, ca: TestCa): void;
  /** Calls so far, and streams that are open now. */
  calls(method: MethodName): number;
  open(method: MethodName): number;
  /** Ends every connection, as a crash does; the socket stays. */
  drop(): void;
  stop(): Promise<void>;
}

export const encode = (method: MethodName, message: object): Buffer => {
  const type = ROOT.lookupType(METHODS[method]);
  return Buffer.from(type.encode(type.fromObject(message)).finish());
};

export const spiffe = <T>(bundles: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(bundles).map(([domain, bundle]) => [`spiffe://${domain}`, bundle]));

/** As an agent writes it: a plain JWK Set, without `use`. */
export const jwtBundle = (issuers: readonly TestIssuer[]): string =>
  JSON.stringify({ keys: issuers.map(({ jwk }) => ({ ...jwk, use: undefined })) });

type Call = ServerWritableStream<Buffer, Buffer>;

/** `address`: `unix:PATH` or `HOST:PORT`; silent until it is told what to say. */
export async function startWorkloadApi(address: string): Promise<WorkloadApiServer> {
  const methods = Object.keys(METHODS) as MethodName[];
  const sayings = new Map<MethodName, Saying>();
  const streams = new Map<MethodName, Set<Call>>(methods.map((method) => [method, new Set()]));
  const calls = new Map<MethodName, number>();
  const asIs = (bytes: Buffer): Buffer => bytes;
  // With channelz switched off, grpc-js 1.14 forgets its sessions and can not shut them down.
  const server = new Server();
  const tell = (method: MethodName, call: Call): void => {
    const saying = sayings.get(method) ?? { kind: 'silence' };
    if (saying.kind === 'message') call.write(encode(method, saying.message));
    if (saying.kind === 'bytes') call.write(saying.bytes);
    if (saying.kind === 'end') fail(call, saying.code);
  };
  const fail = (call: Call, code: status): void =>
    code === status.OK
      ? void call.end()
      : void call.emit('error', { code, details: `the test said ${status[code]}`, metadata: new Metadata() });
  const handle = (method: MethodName) => (call: Call) => {
    calls.set(method, (calls.get(method) ?? 0) + 1);
    if (call.metadata.get('workload.spiffe.io').join() !== 'true') return fail(call, status.INVALID_ARGUMENT);
    streams.get(method)?.add(call);
    const gone = (): void => void streams.get(method)?.delete(call);
    call.on('close', gone).on('cancelled', gone).on('finish', gone).on('error', gone);
    tell(method, call);
  };
  server.addService(
    Object.fromEntries(
      methods.map((method) => [
        method,
        {
          path: `/SpiffeWorkloadAPI/${method}`,
          requestStream: false,
          responseStream: true,
          requestSerialize: asIs,
          requestDeserialize: asIs,
          responseSerialize: asIs,
          responseDeserialize: asIs,
        },
      ]),
    ),
    Object.fromEntries(methods.map((method) => [method, handle(method)])),
  );
  const port = await bind(server, address);
  const say: WorkloadApiServer['say'] = (method, saying) => {
    sayings.set(method, saying);
    for (const call of [...(streams.get(method) ?? [])]) tell(method, call);
  };
  return {
    address: address.startsWith('unix:') ? address : `tcp://${address.slice(0, address.lastIndexOf(':'))}:${port}`,
    say,
    x509: (bundles) =>
      say('FetchX509Bundles', {
        kind: 'message',
        message: { bundles: mapped(bundles, (cas) => Buffer.concat(cas.map(({ der }) => der))) },
      }),
    jwt: (bundles) =>
      say('FetchJWTBundles', {
        kind: 'message',
        message: { bundles: mapped(bundles, (issuers) => Buffer.from(jwtBundle(issuers))) },
      }),
    svid: (svid, ca) => say('FetchX509SVID', { kind: 'message', message: { svids: [svidMessage(svid, ca)] } }),
    calls: (method) => calls.get(method) ?? 0,
    open: (method) => streams.get(method)?.size ?? 0,
    drop() {
      for (const open of streams.values()) for (const call of [...open]) fail(call, status.UNAVAILABLE);
    },
    async stop() {
      server.forceShutdown();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

export const svidMessage = (svid: TestSvid, ca: TestCa): object => ({
  spiffe_id: svid.id,
  x509_svid: Buffer.concat([svid.der, ...ca.intermediates]),
  x509_svid_key: svid.key.keyObject.export({ format: 'der', type: 'pkcs8' }),
  bundle: rootOf(ca).der,
});

const rootOf = (ca: TestCa): TestCa => (ca.parent === undefined ? ca : rootOf(ca.parent));

const mapped = <T>(bundles: Readonly<Record<string, T>>, bytesOf: (bundle: T) => Buffer): Record<string, Buffer> =>
  spiffe(Object.fromEntries(Object.entries(bundles).map(([domain, bundle]) => [domain, bytesOf(bundle)])));

const bind = (server: Server, address: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
