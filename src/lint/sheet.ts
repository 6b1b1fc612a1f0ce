import { trustDomainOf } from '../model/ids.js';
import type { TrustDomain } from '../model/ids.js';
import type { Line, Policy } from '../model/policy.js';
import type { DataLabel, Settings } from '../model/settings.js';
import { splitRows } from '../policy/words.js';
import type { Row, Word } from '../policy/words.js';
import type { Position } from '../config/node.js';
import type { Remark } from './finding.js';

/** What the operator set, as far as `--config` (or the configuration that is being linted) tells. */
export interface Operator {
  readonly settings: Settings;
  readonly guardrails: readonly Line[];
  /** The trust domain that relative patterns are relative to; undefined where the configuration does not tell. */
  readonly own: TrustDomain | undefined;
}

export function operatorOf(settings: Settings, guardrails: readonly Line[]): Operator {
  const [only, ...others] = settings.trust.keys();
  const own = settings.workload === null ? (others.length === 0 ? only : undefined) : trustDomainOf(settings.workload);
  return { settings, guardrails, own };
}

/**
 * A text of scope lines whose lines are right, with the words that they were made from: what analyses look at. `route` is
 * the guard's own lookup over these lines.
 */
export interface Sheet {
  readonly lines: readonly Line[];
  readonly rows: ReadonlyMap<number, Row>;
  /** The label of lines without one: firsthand.dev/data. */
  readonly data: DataLabel | null;
  readonly operator: Operator | undefined;
  readonly route: Policy['route'];
}

/** One thing to look for. In: a sheet. Out: remarks whose lines and columns count in the sheet's text. */
export type Analysis = (sheet: Sheet) => readonly Remark[];

export const rowsOf = (text: string): ReadonlyMap<number, Row> =>
  new Map(splitRows(text).rows.map((row) => [row.number, row]));

/** A part of a word, and where it stands in the sheet's text. */
export interface Item extends Position {
  readonly text: string;
}

export const startOf = (sheet: Sheet, line: Line): Position => ({
  line: line.number,
  column: sheet.rows.get(line.number)?.words[0].column ?? 1,
});

/** The METHOD, PATH or SCOPES word. */
export function wordOf(sheet: Sheet, line: Line, which: 'method' | 'path' | 'scopes'): Position {
  const index = { method: 0, path: 1, scopes: 2 }[which];
  const word = sheet.rows.get(line.number)?.words[index];
  return word === undefined ? startOf(sheet, line) : { line: line.number, column: word.column };
}

export function scopeItems(sheet: Sheet, line: Line): Item[] {
  const word = sheet.rows.get(line.number)?.words[2];
  return word === undefined ? [] : itemsOf(line, word, 0, /[+|]/);
}

/** The segments of the path, as they are written. */
export function pathItems(sheet: Sheet, line: Line): Item[] {
  const word = sheet.rows.get(line.number)?.words[1];
  return word === undefined ? [] : itemsOf(line, word, 0, /\//);
}

/** The comma-separated items of a condition; none where the line does not have it. */
export function conditionItems(sheet: Sheet, line: Line, name: 'from' | 'via' | 'env'): Item[] {
  const start = `${name}=`;
  const word = sheet.rows
    .get(line.number)
    ?.words.slice(3)
    .find(({ text }) => text.startsWith(start));
  return word === undefined ? [] : itemsOf(line, word, start.length, /,/);
}

function itemsOf(line: Line, word: Word, skipped: number, separator: RegExp): Item[] {
  let column = word.column + skipped;
  return word.text
    .slice(skipped)
    .split(separator)
    .map((text) => {
      const item = { line: line.number, column, text };
      column += text.length + 1;
      return item;
    });
}
