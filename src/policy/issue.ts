import type { PolicyIssue } from '../model/policy.js';

/** The stable codes of what can be wrong with scope lines and annotations. Shown by lint; never renamed. */
export type IssueCode =
  | 'syntax'
  | 'limit'
  | 'character'
  | 'method'
  | 'path'
  | 'scopes'
  | 'condition_unknown'
  | 'condition_value'
  | 'condition_duplicate'
  | 'condition_conflict'
  | 'not_supported'
  | 'right_missing'
  | 'overlap'
  | 'annotation_syntax'
  | 'annotation_unknown'
  | 'annotation_value'
  | 'annotation_duplicate';

/** What is wrong with one word, before it is known where the word stands. */
export interface Problem {
  readonly code: IssueCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/** A word's meaning, or what is wrong with it. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export const read = <T>(value: T): Reading<T> => ({ ok: true, value });

export const unreadable = (code: IssueCode, message: string, hint?: string): Reading<never> => ({
  ok: false,
  problem: { code, message, hint },
});

export function issueAt(line: number, column: number, problem: Problem): PolicyIssue {
  const { code, message, hint } = problem;
  return hint === undefined ? { line, column, code, message } : { line, column, code, message, hint };
}

/** How many characters of a stranger's word a message repeats. */
const SHOWN = 60;

/** A word in quotes for a message: ASCII only, so that nothing in it can hide or move the text around it. */
export function quoted(text: string): string {
  const short = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return JSON.stringify(short).replace(/[^\x20-\x7e…]/gu, (character) => `<${codePointName(character)}>`);
}

/** `U+00A0`, as the Unicode standard writes code points. */
export const codePointName = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
