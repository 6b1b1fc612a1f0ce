import type { Position } from '../config/node.js';
import type { PolicyIssue } from '../model/policy.js';
import { CODES } from './codes.js';
import type { Code } from './codes.js';

/**
 * What lint has to say, and where. `error`: the guard would refuse it, or it can never work. `warning`: it works, but
 * surely not as its author believes. `info`: worth knowing; it does not count for the exit code.
 */
export type Severity = 'error' | 'warning' | 'info';

export interface Finding extends Position {
  readonly file: string;
  readonly severity: Severity;
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

/** A finding before it is known which file its text stands in. */
export type Remark = Omit<Finding, 'file'>;

export const START: Position = { line: 1, column: 1 };

export function remark(at: Position, severity: Severity, code: Code, message: string, hint?: string): Remark {
  const found = { line: at.line, column: at.column, severity, code, message };
  return hint === undefined ? found : { ...found, hint };
}

/** What the policy's own readers report stops the guard: always an error. */
export function issueRemark({ line, column, code, message, hint }: PolicyIssue): Remark {
  if (!isCode(code)) throw new Error(`lint does not know the code ${code}`);
  return remark({ line, column }, 'error', code, message, hint);
}

const isCode = (code: string): code is Code => Object.hasOwn(CODES, code);

/** In the order of the files, then from top to bottom; the same thing at the same place is said once. */
export function inOrder(findings: readonly Finding[], files: readonly string[]): Finding[] {
  const seen = new Set<string>();
  const rank = new Map(files.map((file, index) => [file, index]));
  const place = ({ file }: Finding): number => rank.get(file) ?? files.length;
  return [...findings]
    .sort((a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column)
    .filter((finding) => {
      const key = JSON.stringify([finding.file, finding.line, finding.column, finding.code, finding.message]);
      return seen.has(key) ? false : seen.add(key);
    });
}
