import type { Conditions, Line, Methods, PathPattern, PolicyIssue, ScopeRule } from '../model/policy.js';
import { NO_CONDITIONS, isConditionWord, readCondition } from './conditions.js';
import { issueAt, quoted, unreadable } from './issue.js';
import type { Reading } from './issue.js';
import { readMethods } from './methods.js';
import { readScopes } from './scopes.js';
import { readPathPattern, readServiceMethod } from './target.js';
import { splitRows } from './words.js';
import type { Row, Word } from './words.js';

/**
 * Scope lines (contract section 4): the owner's annotation and the operator's guardrails share this grammar. In: text.
 * Out: the lines that are right, and every issue of the others, each at the word that it is about. Refuses words that
 * would have no effect on their line. It does NOT compare lines with each other: see overlap.ts.
 */
export interface GrammarOptions {
  /** Which of the tokenless scope words the author may use; guardrails may use all. */
  readonly rights: ReadonlySet<'workload' | 'anyone'> | 'all';
}

export function parseLines(text: string, options: GrammarOptions): { lines: Line[]; issues: PolicyIssue[] } {
  const { rows, issues } = splitRows(text);
  const lines: Line[] = [];
  for (const row of rows) {
    const found: PolicyIssue[] = [];
    const line = readLine(row, options, found);
    issues.push(...found);
    if (line !== undefined && found.length === 0) lines.push(line);
  }
  return { lines, issues: issues.sort((a, b) => a.line - b.line || a.column - b.column) };
}

function readLine(row: Row, options: GrammarOptions, issues: PolicyIssue[]): Line | undefined {
  const [first, second, third, ...rest] = row.words;
  const note = noteIn(row, issues);
  const methods = note(first, readMethods(first.text));
  // Lines that come later have another grammar: their other words would only add noise.
  if (issues.some((issue) => issue.code === 'not_supported')) return undefined;
  if (second === undefined) return missingPath(row, note);
  const path = readTarget(second, methods, note);
  if (third === undefined || isConditionWord(third.text)) return missingScopes(row, third, note);
  const scopes = note(third, readScopes(third.text));
  checkRight(row, third, scopes, options, issues);
  const conditions = readConditions(row, rest, scopes, issues);
  if (methods === undefined || path === undefined || scopes === undefined) return undefined;
  return { number: row.number, methods, path, scopes, conditions };
}

type Note = <T>(word: Word, reading: Reading<T>) => T | undefined;

/** Keeps what is wrong with a word, at its place. */
const noteIn =
  (row: Row, issues: PolicyIssue[]): Note =>
  (word, reading) => {
    if (reading.ok) return reading.value;
    issues.push(issueAt(row.number, word.column, reading.problem));
    return undefined;
  };

function missingPath(row: Row, note: Note): undefined {
  const hint = 'a line is METHOD PATH SCOPES [CONDITION…]';
  note(behind(row), unreadable('syntax', 'expected a path, got the end of the line', hint));
}

function missingScopes(row: Row, instead: Word | undefined, note: Note): undefined {
  const got = instead === undefined ? 'the end of the line' : `the condition ${quoted(instead.text)}`;
  const hint = 'write a scope, token, workload or anyone in this place';
  note(instead ?? behind(row), unreadable('scopes', `expected scopes, got ${got}`, hint));
}

const behind = (row: Row): Word => ({ text: '', column: row.end });

function readTarget(word: Word, methods: Methods | undefined, note: Note): PathPattern | undefined {
  if (methods?.kind === 'grpc') return note(word, readServiceMethod(word.text));
  // After a wrong method it is unknown what kind of target was meant.
  if (methods === undefined && !word.text.startsWith('/')) return undefined;
  return note(word, readPathPattern(word.text));
}

function checkRight(
  row: Row,
  word: Word,
  scopes: ScopeRule | undefined,
  options: GrammarOptions,
  issues: PolicyIssue[],
): void {
  if (scopes?.kind !== 'workload' && scopes?.kind !== 'anyone') return;
  if (options.rights === 'all' || options.rights.has(scopes.kind)) return;
  const message = `the operator does not let owners write ${scopes.kind} lines`;
  const hint = `the operator must add ${scopes.kind} to policy.ownersMay`;
  issues.push(issueAt(row.number, word.column, { code: 'right_missing', message, hint }));
}

function readConditions(
  row: Row,
  words: readonly Word[],
  scopes: ScopeRule | undefined,
  issues: PolicyIssue[],
): Conditions {
  const note = noteIn(row, issues);
  const seen = new Set<string>();
  let conditions = NO_CONDITIONS;
  for (const word of words) {
    const condition = note(word, readCondition(word.text));
    if (condition === undefined) continue;
    const { name, part } = condition;
    if (seen.has(name))
      note(
        word,
        unreadable('condition_duplicate', `expected each condition once, got ${name} twice`, 'keep one of them'),
      );
    note(word, fits(name, scopes));
    seen.add(name);
    conditions = { ...conditions, ...part };
  }
  return conditions;
}

/** Conditions that a line's scope rule would never look at are mistakes: their author believes that they hold. */
const ABOUT_TOKENS: ReadonlySet<string> = new Set(['bound', 'age', 'once']);
const ABOUT_ORIGINS: ReadonlySet<string> = new Set(['from', 'via', 'env']);

function fits(name: string, scopes: ScopeRule | undefined): Reading<undefined> {
  const tokenless = scopes?.kind === 'workload' || scopes?.kind === 'anyone';
  if (tokenless && ABOUT_TOKENS.has(name))
    return unreadable(
      'condition_conflict',
      `${name} is about a token, but a ${scopes.kind} line looks at none`,
      'write token or a scope in the scopes, or delete the condition',
    );
  if (scopes?.kind === 'anyone' && ABOUT_ORIGINS.has(name))
    return unreadable(
      'condition_conflict',
      `${name}= is about the origin, but an anyone line looks at none`,
      'write workload in the scopes, or delete the condition',
    );
  return { ok: true, value: undefined };
}
