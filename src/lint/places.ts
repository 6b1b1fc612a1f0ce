import type { Position } from '../config/node.js';
import { readEscape } from '../policy/unquote.js';
import { align } from './align.js';
import type { Piece } from './align.js';

/**
 * The place in a file of a line and column (both 1-based) of a text that stands in it, perhaps indented, quoted or
 * escaped. Where the way back can not be told exactly, the place where the text begins.
 */
export type Places = (line: number, column: number) => Position;

/** The text is the whole file. */
export const sameFile: Places = (line, column) => ({ line, column });

/** In: the text, where each of its characters was written (align.ts), and what an offset means in the file. */
export function placesFrom(
  text: string,
  offsets: readonly number[] | undefined,
  position: (offset: number) => Position,
  fallback: Position,
): Places {
  if (offsets === undefined) return () => fallback;
  const starts = lineStarts(text);
  return (line, column) => {
    const start = starts[line - 1];
    const offset = start === undefined ? undefined : offsets[Math.min(start + column - 1, text.length)];
    return offset === undefined ? fallback : position(offset);
  };
}

export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** A Go string literal that ends its line; `column` is that of the opening quote. */
export function placesInGoLiteral(text: string, raw: string, line: number, column: number): Places {
  const position = (offset: number): Position => ({ line, column: column + offset });
  return placesFrom(text, align(text, goPieces(raw), raw, 1), position, { line, column });
}

function goPieces(raw: string): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 1; at < raw.length - 1;) {
    const piece = (raw[at] === '\\' ? readEscape(raw, at) : undefined) ?? { value: raw.charAt(at), length: 1 };
    pieces.push({ ...piece, at });
    at += piece.length;
  }
  return pieces;
}
