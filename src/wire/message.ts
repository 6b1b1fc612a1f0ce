/**
 * A strict walk over the bytes of one protobuf message. In: bytes and a range. Out: where the wanted fields lie; nothing
 * is decoded or copied. Refuses as `request_malformed`: bytes that are no protobuf, a wanted field of another wire type,
 * a singular field that comes twice (readers merge or keep the last: two readings). Skips fields that nobody asked for,
 * as every reader of protobuf does. Does NOT look inside what it skips.
 */
import { isUtf8 } from 'node:buffer';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';

/** From (inclusive) and to (exclusive) within the whole message's bytes. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Field names by number. All wanted fields are length-delimited: strings, bytes, messages. */
export interface Shape<One extends string, Many extends string> {
  readonly message: string;
  readonly one: ReadonlyMap<number, One>;
  readonly many: ReadonlyMap<number, Many>;
}

type Numbers<Name extends string> = Readonly<Record<Name, number>>;

export function shapeOf<One extends string = never, Many extends string = never>(
  message: string,
  one: Numbers<One>,
  many: Numbers<Many> = {} as Numbers<Many>,
): Shape<One, Many> {
  return { message, one: byNumber(one), many: byNumber(many) };
}

const byNumber = <Name extends string>(numbers: Numbers<Name>): Map<number, Name> =>
  new Map((Object.entries(numbers) as [Name, number][]).map(([name, number]) => [number, name]));

/** What is not there is undefined. */
export interface Found<One extends string, Many extends string> {
  readonly one: Readonly<Partial<Record<One, Range>>>;
  readonly many: Readonly<Partial<Record<Many, readonly Range[]>>>;
}

/** Wire types (protobuf encoding, "Message Structure"). Groups, 3 and 4, are not in proto3. */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** A varint has at most 10 bytes. */
const MAX_VARINT = 10;
/** A tag is a field number of at most 29 bits and a wire type. */
const MAX_TAG = 0xffffffff;

export function findFields<One extends string, Many extends string>(
  bytes: Uint8Array,
  range: Range,
  shape: Shape<One, Many>,
): Result<Found<One, Many>> {
  const one: Partial<Record<One, Range>> = {};
  const many: Partial<Record<Many, Range[]>> = {};
  const cursor: Cursor = { at: range.from, end: range.to };
  while (cursor.at < cursor.end) {
    const tag = readVarint(bytes, cursor);
    const from = startOfPayload(bytes, cursor, tag % 8);
    if (!(tag >= 8 && tag <= MAX_TAG && cursor.at <= cursor.end)) return malformed(`${shape.message} is not protobuf`);
    const single = shape.one.get(tag >>> 3);
    const repeated = single === undefined ? shape.many.get(tag >>> 3) : undefined;
    const name = single ?? repeated;
    if (name === undefined) continue;
    if (tag % 8 !== DELIMITED) return malformed(`${shape.message}.${name} has wire type ${tag % 8}`);
    if (repeated !== undefined) (many[repeated] ??= []).push({ from, to: cursor.at });
    if (single === undefined) continue;
    if (one[single] !== undefined) return malformed(`${shape.message}.${single} comes twice`);
    one[single] = { from, to: cursor.at };
  }
  return ok({ one, many });
}

/**
 * A proto3 string; absent is empty; undefined where it is not UTF-8, which protobuf forbids and other readers repair.
 * Only where the decoded text holds U+FFFD is it in question whether the bytes said so themselves.
 */
export function textAt(bytes: Buffer, range: Range | undefined): string | undefined {
  if (range === undefined) return '';
  const text = bytes.toString('utf8', range.from, range.to);
  return text.includes('\ufffd') && !isUtf8(bytes.subarray(range.from, range.to)) ? undefined : text;
}

export const malformed = (detail: string): Refusal => refuse('request_malformed', detail);

/** `at` is NaN once something was not there; every comparison with it is false. */
interface Cursor {
  at: number;
  readonly end: number;
}

/** Moves to the end of the payload; where it begins. */
function startOfPayload(bytes: Uint8Array, cursor: Cursor, type: number): number {
  const from = cursor.at;
  switch (type) {
    case VARINT:
      readVarint(bytes, cursor);
      return from;
    case FIXED64:
      cursor.at += 8;
      return from;
    case FIXED32:
      cursor.at += 4;
      return from;
    case DELIMITED: {
      const length = readVarint(bytes, cursor);
      const start = cursor.at;
      cursor.at += length;
      return start;
    }
    default:
      cursor.at = NaN;
      return NaN;
  }
}

/** Values beyond 2^53 lose digits, which is harmless: they are far beyond every limit that they are compared with. */
function readVarint(bytes: Uint8Array, cursor: Cursor): number {
  let value = 0;
  for (let index = 0, scale = 1; index < MAX_VARINT && cursor.at < cursor.end; index++, scale *= 128) {
    const byte = bytes[cursor.at++] as number;
    if (byte < 0x80) return value + byte * scale;
    value += (byte - 0x80) * scale;
  }
  cursor.at = NaN;
  return NaN;
}
