/** A gRPC client that sends and gets bytes, so that a test sees what Envoy would see. */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js';
import { service as HEALTH } from 'grpc-health-check';
import type { Address } from '../../src/model/settings.js';
import { CHECK_PATH } from '../../src/wire/proto.js';

const asIs = (bytes: Buffer): Buffer => bytes;

export interface TestClient {
  /** Resolves with the answer's bytes, rejects with the gRPC error. */
  check(bytes: Buffer, options?: { metadata?: Record<string, string | string[]>; deadline?: number }): Promise<Buffer>;
  call(path: string, bytes: Buffer): Promise<Buffer>;
  health(service: string): Promise<string>;
  close(): void;
}

export const targetOf = (address: Address): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `${address.host}:${address.port}`;

export function connectTo(address: Address, how: ChannelCredentials = credentials.createInsecure()): TestClient {
  const client = new Client(targetOf(address), how, {
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.default_authority': 'localhost',
    'grpc.use_local_subchannel_pool': 1,
  });
  const call: (path: string, bytes: Buffer, metadata?: Metadata, deadline?: number) => Promise<Buffer> = (
    path,
    bytes,
    metadata = new Metadata(),
    deadline = Date.now() + 10_000,
  ) =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        bytes,
        metadata,
        { deadline },
        (error: ServiceError | null, value?: Buffer) => (error === null && value ? resolve(value) : reject(error)),
      );
    });
  return {
    call,
    check: (bytes, { metadata = {}, deadline } = {}) => {
      const sent = new Metadata();
      for (const [key, values] of Object.entries(metadata)) for (const value of [values].flat()) sent.add(key, value);
      return call(CHECK_PATH, bytes, sent, deadline);
    },
    health: async (service) => {
      const { path, requestSerialize, responseDeserialize } = HEALTH['Check'] as NonNullable<(typeof HEALTH)[string]>;
      return (responseDeserialize(await call(path, requestSerialize({ service }))) as { status: string }).status;
    },
    close: () => client.close(),
  };
}
