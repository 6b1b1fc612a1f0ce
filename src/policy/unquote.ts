import { codePointName } from './issue.js';

/**
 * One Go string literal as `%q` writes it, which is how the kubelet quotes annotations in a Downward API file. In: the
 * text from its opening quote to the end of the line. Out: the value, or where and why it is not such a literal. Refuses
 * whatever Go would have written differently, except that hex digits may be capitals: JSON.parse is not enough, because
 * `\a`, `\v`, `\xNN` and `\UNNNNNNNN` are no JSON.
 */
export type Unquoted =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly at: number; readonly message: string };

const wrong = (at: number, message: string): Unquoted => ({ ok: false, at, message });

export function unquoteGo(text: string): Unquoted {
  if (!text.startsWith('"')) return wrong(0, 'expected a double quote in front of the value');
  let value = '';
  let at = 1;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"')
      return at === text.length - 1 ? { ok: true, value } : wrong(at + 1, 'expected nothing behind the closing quote');
    if (character < ' ' || character === '\x7f')
      return wrong(at, `expected an escape, got the control character ${codePointName(character)} itself`);
    const piece = character === '\\' ? readEscape(text, at) : { value: character, length: 1 };
    if (piece === undefined) return wrong(at, 'expected an escape as Go writes it');
    value += piece.value;
    at += piece.length;
  }
  return wrong(text.length, 'expected a double quote behind the value');
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['v', '\v'],
]);

/** How many hex digits follow the letter. */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

/** The escape whose backslash stands at `at`; `length` counts the characters as written. */
export function readEscape(text: string, at: number): { value: string; length: number } | undefined {
  const letter = text.charAt(at + 1);
  const named = NAMED.get(letter);
  if (named !== undefined) return { value: named, length: 2 };
  const digits = DIGITS.get(letter);
  if (digits === undefined) return undefined;
  const hex = text.slice(at + 2, at + 2 + digits);
  if (hex.length !== digits || !/^[0-9A-Fa-f]+$/.test(hex)) return undefined;
  const code = Number.parseInt(hex, 16);
  return isWrittenAs(letter, code) ? { value: String.fromCodePoint(code), length: 2 + digits } : undefined;
}

/** Which form Go chooses for a code point: each has exactly one. Surrogates are no characters (RFC 3629 §3). */
function isWrittenAs(letter: string, code: number): boolean {
  if (letter === 'x')
    return (code < 0x20 || code === 0x7f) && ![...NAMED.values()].includes(String.fromCodePoint(code));
  if (letter === 'u') return code >= 0x80 && code <= 0xffff && !(code >= 0xd800 && code <= 0xdfff);
  return code > 0xffff && code <= 0x10ffff;
}
