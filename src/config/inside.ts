/**
 * Places inside a scalar: which line and column of the file a line and column of its text come from. Exact for literal
 * blocks (`|`) and for text on one line without escapes; everywhere else it says the place where the scalar begins.
 */
import type { Scalar } from 'yaml';
import type { Source } from './document.js';
import type { Position } from './node.js';

type Inside = (line: number, column: number) => Position;

/** `written` is the text as YAML read it, `filled` the same with the environment put in. */
export function insideOf(source: Source, scalar: Scalar, written: string, filled: string, at: Position): Inside {
  const range = scalar.range;
  if (range === undefined || range === null) return () => at;
  const raw = source.text.slice(range[0], range[1]);
  if (scalar.type === 'BLOCK_LITERAL') return insideBlock(raw, written, filled, at);
  const quoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE' ? 1 : 0;
  const asWritten = raw.slice(quoted, raw.length - quoted) === written && !written.includes('\n');
  if (!asWritten || filled !== written) return () => at;
  return (line, column) => (line === 1 ? { line: at.line, column: at.column + quoted + column - 1 } : at);
}

/** The lines of a literal block follow its header one to one; what YAML took off their left is the indentation. */
function insideBlock(raw: string, written: string, filled: string, at: Position): Inside {
  const rawLines = raw.split(/\r?\n/).slice(1);
  const writtenLines = written.split('\n');
  const filledLines = filled.split('\n');
  if (filledLines.length !== writtenLines.length) return () => at;
  return (line, column) => {
    const rawLine = rawLines[line - 1];
    const text = writtenLines[line - 1];
    if (rawLine === undefined || text === undefined || !rawLine.endsWith(text)) return at;
    const indentation = rawLine.length - text.length;
    // A line that the environment changed has no columns of its own in the file.
    const shift = filledLines[line - 1] === text ? column : 1;
    return { line: at.line + line, column: indentation + shift };
  };
}

export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
