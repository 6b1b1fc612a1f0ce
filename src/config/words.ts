/**
 * How values and names are shown in messages: always on one line, always bounded. In: anything read from the
 * configuration. Out: text for an issue. It hides credentials in URLs and nothing else: secrets never belong in the file.
 */

/** Longer values say nothing more to a reader, and may come from the environment. */
const SHOWN = 80;

/** Text in quotes, at most 80 characters of it, control characters escaped. */
export function quote(text: string): string {
  const safe = text.slice(0, SHOWN * 4).replace(/\/\/[^/@\s]*@/g, '//…@');
  const cut = safe.length > SHOWN - 2 ? `${safe.slice(0, SHOWN - 3)}…` : safe;
  return oneLine(JSON.stringify(cut));
}

/** No line breaks, no control characters, nothing that reorders or hides text. */
export const oneLine = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}]+/gu, (found) => (/^[\r\n\t]+$/.test(found) ? ' ' : '\uFFFD'));

export function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  return quote(String(value)).slice(1, -1);
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** What a key adds to the name of the place it stands at: `tokens[0].keys`, `trust.prod.example.bundle`. */
export function placeName(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`;
  const word = /^[\w.-]{1,80}$/.test(key) ? key : quote(key);
  return parent === '' ? word : `${parent}.${word}`;
}

/** The sentence for a word of the contract whose feature is not built: known, refused, never ignored. */
export const notYet = (value: unknown): string => `${shown(value)} is not yet supported`;
