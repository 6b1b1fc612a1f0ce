import type { PolicyIssue } from '../model/policy.js';
import { codePointName, issueAt } from './issue.js';

/**
 * The tokenizer of scope lines. In: text. Out: the words of each line that has some, with their columns. Refuses texts
 * beyond the limits, an open quote, and every white space or invisible character that is not plain space, tab, LF or
 * CRLF: what a reader cannot see must not change what a line says. A line with such a character gives no words.
 * Comments are skipped unread, but for a lone CR, which some editors would show as the end of the comment.
 * Columns count UTF-16 code units from 1. It does NOT know what any word means.
 */
export interface Row {
  /** 1-based. */
  readonly number: number;
  readonly words: readonly [Word, ...Word[]];
  /** The column right behind the last word, for what is missing there. */
  readonly end: number;
}

export interface Word {
  readonly text: string;
  readonly column: number;
}

/** Contract section 4. Bytes of UTF-8, and lines of the text whether or not they say anything. */
const MAX_BYTES = 64 * 1024;
const MAX_LINES = 1000;

export function splitRows(text: string): { rows: Row[]; issues: PolicyIssue[] } {
  const rows: Row[] = [];
  const issues: PolicyIssue[] = [];
  const lines = text.split('\n');
  const tooBig = beyondLimits(text, lines);
  if (tooBig !== undefined) return { rows, issues: [tooBig] };
  lines.forEach((raw, index) => {
    const terminated = index < lines.length - 1;
    const row = readRow(terminated && raw.endsWith('\r') ? raw.slice(0, -1) : raw, index + 1, issues);
    if (row !== undefined) rows.push(row);
  });
  return { rows, issues };
}

function beyondLimits(text: string, lines: readonly string[]): PolicyIssue | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) {
    const message = `expected at most 64 KiB of scope lines, got ${String(bytes)} bytes`;
    return issueAt(1, 1, { code: 'limit', message, hint: 'shorten comments, or join lines with "{name}" or "**"' });
  }
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  if (count <= MAX_LINES) return undefined;
  const message = `expected at most ${String(MAX_LINES)} lines, got ${String(count)}`;
  return issueAt(MAX_LINES + 1, 1, { code: 'limit', message, hint: 'join lines with "{name}" or "**"' });
}

function readRow(line: string, number: number, issues: PolicyIssue[]): Row | undefined {
  const { words, code, open } = splitWords(line);
  const strange = strangersIn(line, code, number);
  issues.push(...strange);
  if (strange.length > 0) return undefined;
  if (open !== undefined) {
    const message = 'expected a closing double quote, got the end of the line';
    issues.push(issueAt(number, open, { code: 'syntax', message, hint: 'in a path write %22 for a double quote' }));
    return undefined;
  }
  const [first, ...rest] = words;
  const last = words.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return { number, words: [first, ...rest], end: last.column + last.text.length };
}

/** Words, the text before the comment, and the column of the word whose quote stays open. */
function splitWords(line: string): { words: Word[]; code: string; open: number | undefined } {
  const words: Word[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(line[at])) at += 1;
    if (at >= line.length || line[at] === '#') return { words, code: line.slice(0, at), open: undefined };
    const start = at;
    let inQuotes = false;
    while (at < line.length && (inQuotes || !isBlank(line[at]))) {
      if (line[at] === '"') inQuotes = !inQuotes;
      at += 1;
    }
    if (inQuotes) return { words, code: line, open: start + 1 };
    words.push({ text: line.slice(start, at), column: start + 1 });
  }
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';

/**
 * Separators, control, format and unassigned characters, everything that Unicode asks renderers not to show, and the
 * blank braille pattern, which is a visible character by its class only.
 */
const STRANGE = /[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u;

function strangersIn(line: string, code: string, number: number): PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  let column = 1;
  for (const character of line) {
    const looked = column <= code.length || character === '\r';
    if (looked && !isBlank(character) && STRANGE.test(character)) issues.push(strangeIssue(number, column, character));
    column += character.length;
  }
  return issues;
}

function strangeIssue(number: number, column: number, character: string): PolicyIssue {
  const name = codePointName(character);
  if (character === '\r') {
    const message = `expected LF or CRLF at the end of a line, got a carriage return (${name}) alone`;
    return issueAt(number, column, { code: 'character', message, hint: 'save the text with LF line ends' });
  }
  const message = `expected visible characters, spaces and tabs, got ${name}`;
  return issueAt(number, column, { code: 'character', message, hint: `delete ${name}, or type a plain space instead` });
}
