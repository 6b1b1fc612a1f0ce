/**
 * The words of the short form → its options and the rest, each with its place. In: words. Out: what stands where, or the
 * first word that is wrong. Does NOT know what the values mean.
 */
import { nearest } from '../model/nearest.js';
import { isProblem } from './names.js';
import type { Problem } from './names.js';

/** `word`: the index of the word that is wrong. */
export type WordProblem = Problem & { readonly word: number };

/** What follows each option; undefined: nothing. */
const OPTIONS: ReadonlyMap<string, string | undefined> = new Map([
  ['--as', 'WORKLOAD'],
  ['--via', 'FORWARDER[,FORWARDER…]'],
  ['--scopes', 'SCOPE[,SCOPE…]'],
  ['--host', 'HOST'],
  ['--bound', undefined],
  ['--age', 'DURATION'],
  ['--issuer', 'URL'],
  ['--claim', 'NAME=VALUE'],
  ['--no-token', undefined],
  ['--header', "'NAME: VALUE'"],
]);
const REPEATABLE = new Set(['--via', '--scopes', '--claim', '--header', '--bound', '--no-token']);

/** For `--help`. */
export const SHORT_FORM = `METHOD /path ${[...OPTIONS]
  .map(([name, value]) => `[${value === undefined ? name : `${name} ${value}`}]`)
  .join(' ')}`;

export interface Value {
  readonly text: string;
  readonly word: number;
}
/** Values by option, in the order given. */
export type Given = ReadonlyMap<string, readonly Value[]>;

export const at = (word: number, problem: string): WordProblem => ({ problem, word });
export const quoted = (text: string): string => JSON.stringify(text);

export function readWords(
  words: readonly string[],
): { readonly plain: readonly Value[]; readonly given: Given } | WordProblem {
  const plain: Value[] = [];
  const given = new Map<string, Value[]>();
  for (let index = 0; index < words.length; index += 1) {
    const text = words[index] ?? '';
    if (!text.startsWith('--')) {
      plain.push({ text, word: index });
      continue;
    }
    const option = readOption(text, words[index + 1]);
    if (isProblem(option)) return at(index, option.problem);
    const before = given.get(option.name) ?? [];
    if (before.length > 0 && !REPEATABLE.has(option.name)) return at(index, `${option.name} stands here a second time`);
    index += option.taken;
    given.set(option.name, [...before, { text: option.value, word: index }]);
  }
  return { plain, given };
}

/** `taken`: whether the value was the next word. */
function readOption(text: string, next: string | undefined): { name: string; value: string; taken: 0 | 1 } | Problem {
  const [, name = text, attached] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  const wanted = OPTIONS.get(name);
  if (!OPTIONS.has(name)) return { problem: `unknown option ${name}: ${knownOptions(name)}` };
  if (wanted === undefined)
    return attached === undefined ? { name, value: '', taken: 0 } : { problem: `${name} takes no value` };
  if (attached !== undefined) return { name, value: attached, taken: 0 };
  if (next === undefined || next.startsWith('--')) return { problem: `${name} needs a value: ${name} ${wanted}` };
  return { name, value: next, taken: 1 };
}

function knownOptions(name: string): string {
  const meant = nearest(name, OPTIONS.keys());
  return meant === undefined ? `known are ${[...OPTIONS.keys()].join(', ')}` : `did you mean ${meant}?`;
}
