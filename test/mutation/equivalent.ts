/**
 * Mutants that change nothing that anybody could see, each with the reason why. Named by the exact text of its line, so
 * that an entry ends when its line changes.
 */
import { readFileSync } from 'node:fs';
import type { Mutant } from './mutants.js';

export interface Equivalent {
  readonly file: string;
  /** The trimmed source line, the operator, and what the operator replaced. */
  readonly source: string;
  readonly operator: string;
  readonly was?: string;
  readonly why: string;
}

export function readEquivalent(file: string): (mutant: Mutant) => string | undefined {
  const list = JSON.parse(readFileSync(file, 'utf8')) as readonly Equivalent[];
  return (mutant) =>
    list.find(
      (entry) =>
        entry.file === mutant.file &&
        entry.source === mutant.source &&
        entry.operator === mutant.operator &&
        (entry.was === undefined || entry.was === mutant.was),
    )?.why;
}
