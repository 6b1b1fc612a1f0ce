/**
 * The client's half of HTTP/2 as far as a unary gRPC call of Envoy needs it (RFC 9113, RFC 7541): what is sent is made in
 * advance, of what comes only frame heads are read. For measuring: it trusts the server, and knows no other case.
 */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4 } as const;
export const HEAD = 9;
/** RFC 9113 §6.9.1: the largest window. */
const MAX_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;

export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  writeHead(head, 0, payload.length, type, flags, stream);
  return Buffer.concat([head, payload]);
}

export function writeHead(out: Buffer, at: number, length: number, type: number, flags: number, stream: number): void {
  out.writeUIntBE(length, at, 3);
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(stream, at + 5);
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const setting = (id: number, value: number): Buffer => Buffer.concat([Buffer.from([0, id]), uint32(value)]);

/** No push, and windows that never close for answers. */
export const OPENING = Buffer.concat([
  PREFACE,
  frame(FRAME.settings, 0, 0, Buffer.concat([setting(2, 0), setting(4, MAX_WINDOW)])),
  frame(FRAME.windowUpdate, 0, 0, uint32(MAX_WINDOW - DEFAULT_WINDOW)),
]);
export const SETTINGS_ACK = frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0));

/** RFC 7541 §5.2, without Huffman; all of ours are shorter than 127 octets. */
const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
/** §6.2.1: a literal that enters the dynamic table, with a name of the static table or its own. */
const literal = (name: number | string, value: string): Buffer =>
  typeof name === 'number'
    ? Buffer.concat([Buffer.from([0x40 | name]), text(value)])
    : Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);

/** What Envoy's gRPC client sends with a check, `:method POST` and `:scheme http` apart. */
const FIELDS: readonly Buffer[] = [
  literal(4, '/envoy.service.auth.v3.Authorization/Check'),
  literal(1, 'firsthand'),
  literal('te', 'trailers'),
  literal('grpc-timeout', '10000m'),
  literal(31, 'application/grpc'),
  literal('x-envoy-internal', 'true'),
  literal('x-forwarded-for', '10.1.2.3'),
  literal('x-envoy-expected-rq-timeout-ms', '10000'),
];
const STATIC = Buffer.from([0x83, 0x86]);
const STATIC_TABLE = 61;

/** The first call puts its fields into the server's table; every other names them by one octet each, as Envoy does. */
export const FIRST_BLOCK = Buffer.concat([STATIC, ...FIELDS]);
export const NEXT_BLOCK = Buffer.concat([
  STATIC,
  Buffer.from(FIELDS.map((_, n) => 0x80 | (STATIC_TABLE + FIELDS.length - n))),
]);
