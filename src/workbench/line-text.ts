/**
 * Scope lines as their authors wrote them. In: the text that lines are counted in. Out: each line's words without its
 * comment, and lines that differ from it in one condition. Does NOT say whether the new line is right: compilePolicy does.
 */
import { splitRows } from '../policy/words.js';

/** By number, the words with one space between them. */
export const lineTexts = (text: string): ReadonlyMap<number, string> =>
  new Map(splitRows(text).rows.map(({ number, words }) => [number, words.map((word) => word.text).join(' ')]));

/** The same line with this condition, in place of the one of that name where there is one. */
export function withCondition(line: string, condition: string): string {
  const name = nameOf(condition);
  const [method = '', path = '', scopes = '', ...conditions] = line.split(' ');
  const kept = conditions.map((word) => (nameOf(word) === name ? condition : word));
  return [method, path, scopes, ...(kept.includes(condition) ? kept : [...kept, condition])].join(' ');
}

const nameOf = (condition: string): string => /^[a-z]+/.exec(condition)?.[0] ?? condition;
