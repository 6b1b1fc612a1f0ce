/**
 * The messages of `proto/`, loaded once. In: the .proto files. Out: codecs and the definition that reflection shows.
 * Does NOT prove that the files say what the protocol says: that is proveFieldNumbers() in fields.ts.
 */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition, PackageDefinition } from '@grpc/proto-loader';

/** The same relative place from src/wire/ and from dist/wire/. */
const PROTO_DIRECTORY = fileURLToPath(new URL('../../proto/', import.meta.url));

export { AUTHORIZATION, CHECK_PATH } from './names.js';

/** keepCase: a key in another case would be dropped without a word, so there is only one case: the protocol's. */
export const loadProtocol = (directory: string): PackageDefinition =>
  loadSync('check.proto', {
    keepCase: true,
    longs: String,
    defaults: true,
    oneofs: true,
    includeDirs: [directory],
  });

export const PROTOCOL: PackageDefinition = loadProtocol(PROTO_DIRECTORY);

/** A message type by its full name; a fault where it is not there. */
export function messageType(protocol: PackageDefinition, name: string): MessageTypeDefinition<object, object> {
  const found = protocol[name];
  if (found !== undefined && found['format'] === 'Protocol Buffer 3 DescriptorProto')
    return found as MessageTypeDefinition<object, object>;
  throw new Error(`the proto files do not declare the message ${name}`);
}

export const CHECK_REQUEST = messageType(PROTOCOL, 'envoy.service.auth.v3.CheckRequest');
export const CHECK_RESPONSE = messageType(PROTOCOL, 'envoy.service.auth.v3.CheckResponse');
