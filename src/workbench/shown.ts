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
