import type { Scalar } from 'yaml';
import type { Position } from '../config/node.js';
import { align } from './align.js';
import type { Piece } from './align.js';
import { placesFrom } from './places.js';
import type { Places } from './places.js';

/**
 * Places inside a YAML scalar of any style. In: the scalar, its text, and the file. Out: where each line and column of the
 * text was written: exact for blocks, for plain and quoted scalars on one or several lines, and for escapes.
 */
export interface YamlFile {
  readonly text: string;
  readonly position: (offset: number) => Position;
}

export function placesInScalar(file: YamlFile, scalar: Scalar, text: string): Places {
  const [start, end] = scalar.range ?? [0, 0];
  const raw = file.text.slice(start, end);
  const skipped = skippedIn(scalar, raw);
  const pieces = piecesOf(scalar, raw, skipped).map((piece) => ({ ...piece, at: piece.at + start }));
  const offsets = align(text, pieces, file.text, pieces[0]?.at ?? start);
  return placesFrom(text, offsets, file.position, file.position(start));
}

/** What stands in front of the text: a quote, or the header of a block with its comment. */
function skippedIn({ type }: Scalar, raw: string): number {
  if (type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED') return Math.max(0, raw.indexOf('\n'));
  return type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE' ? 1 : 0;
}

function piecesOf({ type }: Scalar, raw: string, skipped: number): Piece[] {
  const quoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
  const end = quoted ? raw.length - 1 : raw.length;
  const pieces: Piece[] = [];
  for (let at = skipped; at < end;) {
    const piece = type === 'QUOTE_DOUBLE' ? doubleQuoted(raw, at) : plain(raw, at, type === 'QUOTE_SINGLE');
    if (piece.value !== '') pieces.push({ ...piece, at });
    at += piece.length;
  }
  return pieces;
}

type Unplaced = Omit<Piece, 'at'>;

function plain(raw: string, at: number, single: boolean): Unplaced {
  const character = raw.charAt(at);
  if (/[ \t\r\n]/.test(character)) return { value: '', length: 1 };
  return { value: character, length: single && character === "'" ? 2 : 1 };
}

/** YAML 1.2.2 §5.7. */
const NAMED: ReadonlyMap<string, string> = new Map(
  [
    ...['""', '//', '\\\\', '  ', '0\0', 'a\x07', 'b\b', 't\t', 'n\n', 'v\v', 'f\f', 'r\r', 'e\x1b'],
    ...['\t\t', 'N\x85', '_\xa0', 'L\u2028', 'P\u2029'],
  ].map((pair) => [pair.charAt(0), pair.charAt(1)]),
);

const DIGITS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

function doubleQuoted(raw: string, at: number): Unplaced {
  if (raw[at] !== '\\') return plain(raw, at, false);
  const letter = raw.charAt(at + 1);
  const named = NAMED.get(letter);
  if (named !== undefined) return { value: named, length: 2 };
  const digits = DIGITS.get(letter);
  // An escaped line break: it and the blanks that follow stand for nothing.
  if (digits === undefined) return { value: '', length: 2 };
  const code = Number.parseInt(raw.slice(at + 2, at + 2 + digits), 16);
  const known = code <= 0x10ffff;
  return { value: known ? String.fromCodePoint(code) : '\ufffd', length: 2 + digits };
}
