/**
 * A header field, and what it is to us: judged once, when it is read, so that a field that comes again by its number in
 * the dynamic table is not judged again. In: name and value, each octet one character. Out: the field with its slot and
 * meaning. MALFORMED is what RFC 9113 §8.2 forbids. Does NOT compare fields with each other: that is request-head.ts.
 */
import { targetOf } from './target.js';
import { timeoutOf } from './timeout.js';

/** Pseudo-headers have the lowest numbers. */
export const METHOD = 0;
export const SCHEME = 1;
export const PATH = 2;
export const AUTHORITY = 3;
export const CONTENT_TYPE = 4;
export const TIMEOUT = 5;
export const CONTENT_LENGTH = 6;
export const SECRET = 7;
export const SLOTS = 8;
/** Allowed, and nothing to us. */
export const ORDINARY = 8;
export const MALFORMED = 9;

export const POST = 1;
export const CONNECT = 2;
export const OTHER = 0;
export const GRPC = 1;
/** A timeout or a length that cannot be read. */
export const UNREADABLE = -1;

export interface Field {
  readonly name: string;
  readonly value: string;
  /** RFC 7541 §4.1. */
  readonly size: number;
  readonly slot: number;
  /** By slot: a method, a target, ms, a length, GRPC. Else 0. */
  readonly meaning: number;
}

export function fieldOf(name: string, value: string): Field {
  const size = name.length + value.length + 32;
  const slot = VALUE.test(value) ? slotOf(name, value) : MALFORMED;
  return { name, value, size, slot, meaning: meaningOf(slot, value) };
}

/** RFC 9110 §5.6.2 in lower case; RFC 9113 §8.2.1 forbids a little less. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** RFC 9110 §5.5: no control characters but a tab, and no white space around. */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

const SLOT_OF: ReadonlyMap<string, number> = new Map([
  [':method', METHOD],
  [':scheme', SCHEME],
  [':path', PATH],
  [':authority', AUTHORITY],
  ['content-type', CONTENT_TYPE],
  ['grpc-timeout', TIMEOUT],
  ['content-length', CONTENT_LENGTH],
  ['x-firsthand-secret', SECRET],
  // §8.2.2: they speak of one connection, and HTTP/2 has its own ways.
  ['connection', MALFORMED],
  ['proxy-connection', MALFORMED],
  ['keep-alive', MALFORMED],
  ['transfer-encoding', MALFORMED],
  ['upgrade', MALFORMED],
]);

function slotOf(name: string, value: string): number {
  const known = SLOT_OF.get(name);
  if (known !== undefined) return known <= PATH && value === '' ? MALFORMED : known;
  if (name === 'te') return value === 'trailers' ? ORDINARY : MALFORMED;
  // Unknown pseudo-headers and those of responses too: a colon is in no name.
  return NAME.test(name) ? ORDINARY : MALFORMED;
}

function meaningOf(slot: number, value: string): number {
  if (slot === METHOD) return value === 'POST' ? POST : value === 'CONNECT' ? CONNECT : OTHER;
  if (slot === PATH) return targetOf(value);
  if (slot === CONTENT_TYPE) return value === 'application/grpc' || value === 'application/grpc+proto' ? GRPC : OTHER;
  if (slot === TIMEOUT) return timeoutOf(value) ?? UNREADABLE;
  if (slot === CONTENT_LENGTH) return /^\d{1,15}$/.test(value) ? Number(value) : UNREADABLE;
  return 0;
}
