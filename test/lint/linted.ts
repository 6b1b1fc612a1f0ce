/** Lints texts, and shows findings as `line:column severity code`. */
import { lint } from '../../src/lint/lint.js';
import type { Input, LintRequest } from '../../src/lint/lint.js';
import type { Finding } from '../../src/lint/finding.js';
import { readFileSync } from 'node:fs';

export const input = (file: string, text: string | Uint8Array): Input => ({ file, bytes: Buffer.from(text) });

export const OPERATOR = readFileSync(new URL('../hostile/lint/operator.txt', import.meta.url), 'utf8');

export function findings(
  text: string | Uint8Array,
  more: Partial<LintRequest> & { operator?: string } = {},
): readonly Finding[] {
  const { operator, ...rest } = more;
  const config = operator === undefined ? undefined : input('firsthand.yaml', operator);
  return lint({ inputs: [input('in', text)], as: undefined, config, openapi: [], descriptors: [], env: {}, ...rest });
}

export const shown = (found: readonly Finding[]): string[] =>
  found.map(({ line, column, severity, code }) => `${line}:${column} ${severity} ${code}`);

export const linted = (...args: Parameters<typeof findings>): string[] => shown(findings(...args));
