/**
 * Text as the tools may show it. In: any text, also a stranger's. Out: one line, bounded, in which every character that
 * hides, moves or breaks text is written as U+XXXX, and nothing looks like a token or a PEM block. Does NOT know
 * otherwise what is secret: callers choose what they show.
 */
import { text as withoutSecrets } from '../audit/text.js';
import { codePointName } from '../policy/issue.js';

/** Enough for every SPIFFE ID that people write; longer texts are cut with a mark. */
const MAX_SHOWN = 240;

/** Control, format (with all bidirectional controls), private, unassigned, lone surrogates, separators but the space. */
const HIDDEN = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;

export function shown(value: string, max = MAX_SHOWN): string {
  const safe = withoutSecrets(value).replace(HIDDEN, (character) => `<${codePointName(character)}>`);
  return safe.length > max ? `${safe.slice(0, max)}…` : safe;
}

/** At most `most` of them, and how many there are besides. */
export function shownList(values: readonly string[], most = 8): string {
  const first = values.slice(0, most).map((value) => shown(value, 120));
  const rest = values.length - first.length;
  return rest > 0 ? `${first.join(' ')} and ${rest} more` : first.join(' ');
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** The two largest units: `2h 5m`, `43m`, `12s`; below a second `0s`. */
export function span(ms: number): string {
  let left = Math.abs(ms);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? '0s' : parts.join(' ');
}

/** To the second: `2026-06-01T12:00:00Z`. */
export const date = (ms: number): string =>
  Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z') : 'a time that no calendar has';

/** `60000` → `1m`, as a configuration and `age<=` write it. */
export function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms > 0 && ms % each === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}
