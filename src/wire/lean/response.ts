/**
 * What we say, as header blocks that are encoded in advance: literals without indexing and entries of the static table
 * (RFC 7541 §6.1, §6.2.2), so that no answer depends on another. Out: blocks, and a body or trailers where there are
 * some. Does NOT use Huffman, nor a dynamic table.
 */
export interface Response {
  readonly head: Buffer;
  /** Sent as DATA. Empty: HEADERS end the stream. */
  readonly body: Buffer;
}

/** RFC 7541 §5.1 with a prefix of 7 bits; our texts are far below 2 KiB. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length =
    bytes.length < 127 ? [bytes.length] : [127, ((bytes.length - 127) & 0x7f) | 0x80, (bytes.length - 127) >> 7];
  return Buffer.concat([Buffer.from(length), bytes]);
}

const literal = (name: string, value: string): Buffer => Buffer.concat([Buffer.of(0x00), text(name), text(value)]);
/** `:status` is entry 8 of the static table, with the value 200. */
const status = (code: number): Buffer =>
  code === 200 ? Buffer.of(0x88) : Buffer.concat([Buffer.of(0x08), text(String(code))]);
const contentType = (type: string): Buffer => Buffer.concat([Buffer.of(0x0f, 31 - 15), text(type)]);

export const GRPC_HEAD = Buffer.concat([status(200), contentType('application/grpc')]);
export const GRPC_OK = literal('grpc-status', '0');

/** The numbers of gRPC's status codes that we use. */
export const INVALID_ARGUMENT = 3;
export const DEADLINE_EXCEEDED = 4;
export const NOT_FOUND = 5;
export const RESOURCE_EXHAUSTED = 8;
export const UNIMPLEMENTED = 12;
export const INTERNAL = 13;
export const UNAVAILABLE = 14;
export const UNAUTHENTICATED = 16;

/** Our own sentences: printable ASCII without a percent sign, so nothing has to be encoded. */
export const grpcTrailers = (code: number, message: string): Buffer =>
  Buffer.concat([
    literal('grpc-status', String(code)),
    literal('grpc-message', message),
    // Says to whoever sent a compressed message what we would have read.
    ...(code === UNIMPLEMENTED ? [literal('grpc-accept-encoding', 'identity')] : []),
  ]);

/** Not gRPC, so the answer is HTTP: a status and one line. */
export function httpRefusal(code: number, line: string, ...headers: readonly (readonly [string, string])[]): Response {
  const own = headers.map(([name, value]) => literal(name, value));
  return {
    head: Buffer.concat([status(code), contentType('text/plain'), ...own]),
    body: Buffer.from(`${line}\n`),
  };
}

const FRAME_PREFIX = 5;

/** A message as gRPC sends it: not compressed, after its length. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_PREFIX + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, FRAME_PREFIX);
  return bytes;
}
