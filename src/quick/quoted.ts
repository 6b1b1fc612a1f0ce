/**
 * Whether the explanation of a refusal may hold a value of this request that a record must not show (audit/explanation.ts).
 * In: the explanation, a glance at the request. Out: false only where it holds none.
 */
import { queryValues, SHORTEST_SECRET } from '../audit/explanation.js';
import type { Seen } from '../wire/seen.js';
import { textOf } from './texts.js';

/** `detail` is ASCII. */
export function mayQuote(detail: string, bytes: Buffer, seen: Seen): boolean {
  for (let header = 0; header < seen.values; header += 1) {
    const from = seen.valuePlaces[header * 2] as number;
    const to = seen.valuePlaces[header * 2 + 1] as number;
    // A credential is also quoted without its scheme.
    if (holds(detail, bytes, from, to) || holds(detail, bytes, afterSpace(bytes, from, to), to)) return true;
  }
  return mayQuoteQuery(detail, bytes, seen);
}

function mayQuoteQuery(detail: string, bytes: Buffer, { path, pathEnd, targetEnd }: Seen): boolean {
  // No value of a query is longer than all of it.
  if (targetEnd - pathEnd <= SHORTEST_SECRET) return false;
  const values = queryValues(textOf(bytes, path, targetEnd));
  return values.some((value) => value.length >= SHORTEST_SECRET && detail.includes(value));
}

function holds(detail: string, bytes: Buffer, from: number, to: number): boolean {
  const length = to - from;
  return length >= SHORTEST_SECRET && length <= detail.length && detail.includes(textOf(bytes, from, to));
}

const SPACE = 0x20;

/** Where the part behind the first space begins; the end where there is none. */
function afterSpace(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at += 1) if (bytes[at] === SPACE) return at + 1;
  return to;
}
