/**
 * The messages of the SPIFFE Workload API. In: the bytes of one answer. Out: what it says, taken apart and not judged.
 * Throws `Malformed` for bytes that are no such message. Does NOT look into certificates or keys: see updates.ts.
 */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';
import { Malformed } from '../../x509/der.js';

/** One entry of a map of bundles, by what it was sent under. */
export interface DomainBundle {
  readonly key: string;
  readonly value: Buffer;
}

export interface X509BundlesMessage {
  readonly crl: readonly Buffer[];
  readonly bundles: readonly DomainBundle[];
}

export interface JwtBundlesMessage {
  readonly bundles: readonly DomainBundle[];
}

export interface SvidMessage {
  readonly spiffe_id: string;
  readonly x509_svid: Buffer;
  readonly x509_svid_key: Buffer;
  readonly bundle: Buffer;
}

export interface SvidsMessage {
  readonly svids: readonly SvidMessage[];
}

/** One method: where it is called, and how its answers are read. */
export interface Method<M> {
  readonly path: string;
  readonly read: (bytes: Buffer) => M;
}

/** The same relative place from src/state/spiffe/ and from dist/state/spiffe/. */
const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto/', import.meta.url));

const SERVICE = loadSync('workload_api.proto', {
  keepCase: true,
  defaults: true,
  arrays: true,
  includeDirs: [PROTO_DIRECTORY],
})['SpiffeWorkloadAPI'] as Readonly<Record<string, MethodDefinition<object, object>>> | undefined;

function methodOf<M>(name: string): Method<M> {
  const method = SERVICE?.[name];
  if (method === undefined) throw new Error(`the proto files do not declare SpiffeWorkloadAPI.${name}`);
  return {
    path: method.path,
    read(bytes) {
      try {
        return method.responseDeserialize(bytes) as M;
      } catch {
        throw new Malformed(`the answer is no message of ${name}`);
      }
    },
  };
}

export const X509_BUNDLES = methodOf<X509BundlesMessage>('FetchX509Bundles');
export const JWT_BUNDLES = methodOf<JwtBundlesMessage>('FetchJWTBundles');
export const X509_SVIDS = methodOf<SvidsMessage>('FetchX509SVID');
