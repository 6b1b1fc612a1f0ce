/**
 * Protobuf as it is written, put together as text of which each character is one byte: short texts are what a JavaScript
 * engine joins fastest, and a message is its fields one after the other. In: numbers and payloads. Out: text for `toBytes`.
 * Does NOT know any message. Throws a fault where a number is outside of what is encoded here.
 */

/** Wire types (protobuf encoding, "Message Structure"). */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;

/** Tags of one byte only: field numbers up to 15. */
const tagOf = (number: number, type: number): string => String.fromCharCode(number * 8 + type);

const ONE_BYTE = Array.from({ length: 128 }, (_, value) => String.fromCharCode(value));

/** Non-negative, below 2^31. */
function varint(value: number): string {
  const short = ONE_BYTE[value];
  if (short !== undefined) return short;
  if (!(value >= 0x80 && value < 0x8000_0000)) throw new Error(`${value} can not be encoded`);
  return String.fromCharCode((value & 0x7f) | 0x80) + varint(value >>> 7);
}

/** A field whose payload is bytes in this form: a message, or a text that is ASCII. */
export type Field = (payload: string) => string;
export function delimited(number: number): Field {
  const tag = tagOf(number, DELIMITED);
  return (payload) => tag + varint(payload.length) + payload;
}

export function integer(number: number): (value: number) => string {
  const tag = tagOf(number, VARINT);
  return (value) => tag + varint(value);
}

const scratch = Buffer.alloc(8);
export function double(number: number): (value: number) => string {
  const tag = tagOf(number, FIXED64);
  return (value) => {
    scratch.writeDoubleLE(value);
    return tag + scratch.toString('latin1');
  };
}

/**
 * A text as UTF-8. Half a surrogate pair (a token's claim may hold one) becomes U+FFFD: bytes that are not UTF-8 could not be
 * decoded by Envoy, which takes that for an outage, not for a denial.
 */
export const utf8 = (text: string): string =>
  /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;

export const toBytes = (message: string): Buffer => Buffer.from(message, 'latin1');
