/** Protobuf messages put together by hand, so that a test can build what no encoder would write. */
const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];

export const field = (number: number, ...parts: readonly (string | Uint8Array)[]): Buffer => {
  const payload = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([Buffer.from(varint(number * 8 + 2)), Buffer.from(varint(payload.length)), payload]);
};

export const varintField = (number: number, value: number): Buffer =>
  Buffer.from([...varint(number * 8), ...varint(value)]);

/** A CheckRequest around the fields of its http part. */
export const request = (...http: readonly Uint8Array[]): Buffer => field(1, field(4, field(2, ...http)));

export const mapEntry = (key: string, value: string | Uint8Array): Buffer => field(3, field(1, key), field(2, value));
export const headerMap = (...headers: readonly Uint8Array[]): Buffer => field(13, ...headers);
export const rawHeader = (key: string, value: string | Uint8Array): Buffer => field(1, field(1, key), field(3, value));
export const textHeader = (key: string, value: string | Uint8Array): Buffer => field(1, field(1, key), field(2, value));
