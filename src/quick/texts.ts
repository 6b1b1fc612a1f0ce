/** Texts in the bytes of a request, and their numbers. */
import type { Interned } from '../state/interned.js';

/** Printable ASCII: in both encodings of headers, and to every reader, the bytes and the text are the same. */
export const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

export const textOf = (bytes: Buffer, from: number, to: number): string => bytes.toString('latin1', from, to);

/** Of the text that has no bytes; the others begin behind it. */
export const EMPTY = 1;

/** Its number, given now if need be; 0 where it is too long to have one. */
export const numberOf = (texts: Interned, bytes: Buffer, from: number, to: number): number =>
  from === to ? EMPTY : texts.add(bytes, from, to);

/** Its number; 0 where it has none. */
export const knownNumberOf = (texts: Interned, bytes: Buffer, from: number, to: number): number =>
  from === to ? EMPTY : texts.find(bytes, from, to);
