/**
 * Whether the explanation of a refusal may hold a value of this request that a record must not show (audit/explanation.ts).
 * In: the explanation, a glance at the request. Out: false only where it holds none.
 */
import { queryValues, SHORTEST_SECRET } from '../audit/explanation.js';
import type { Seen } from '../wire/seen.js';
import { textOf } from './texts.js';

/** An explanation in ASCII, and which pairs of characters it holds: what holds none of a value's pairs does not hold the value. */
export interface Quotable {
  readonly text: string;
  readonly pairs: Uint8Array;
}

const PAIRS = 256;
const pairOf = (first: number, second: number): number => (first * 31 + second) & (PAIRS - 1);

export function quotable(text: string): Quotable {
  const pairs = new Uint8Array(PAIRS);
  for (let at = 1; at < text.length; at += 1) pairs[pairOf(text.charCodeAt(at - 1), text.charCodeAt(at))] = 1;
  return { text, pairs };
}

export function mayQuote(detail: Quotable, bytes: Buffer, seen: Seen): boolean {
  for (let header = 0; header < seen.values; header += 1) {
    const from = seen.valuePlaces[header * 2] as number;
    const to = seen.valuePlaces[header * 2 + 1] as number;
    // A credential is also quoted without its scheme.
    if (holds(detail, bytes, from, to) || holds(detail, bytes, afterSpace(bytes, from, to), to)) return true;
  }
  return mayQuoteQuery(detail.text, bytes, seen);
}

function mayQuoteQuery(detail: string, bytes: Buffer, { path, pathEnd, targetEnd }: Seen): boolean {
  // No value of a query is longer than all of it.
  if (targetEnd - pathEnd <= SHORTEST_SECRET) return false;
  const values = queryValues(textOf(bytes, path, targetEnd));
  return values.some((value) => value.length >= SHORTEST_SECRET && detail.includes(value));
}

function holds({ text, pairs }: Quotable, bytes: Buffer, from: number, to: number): boolean {
  const length = to - from;
  if (length < SHORTEST_SECRET || length > text.length) return false;
  for (let at = from; at < from + SHORTEST_SECRET; at += 2)
    if (pairs[pairOf(bytes[at] as number, bytes[at + 1] as number)] === 0) return false;
  return text.includes(textOf(bytes, from, to));
}

const SPACE = 0x20;

/** Where the part behind the first space begins; the end where there is none. */
function afterSpace(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at += 1) if (bytes[at] === SPACE) return at + 1;
  return to;
}
