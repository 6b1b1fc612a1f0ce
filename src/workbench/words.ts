/**
 * One line → words, as a shell would split them: spaces and tabs separate, single and double quotes hold together, a
 * backslash takes the next character as it is (not within single quotes). Nothing is expanded. Out: the words with their
 * offsets, or what is wrong.
 */
export interface Word {
  readonly text: string;
  /** Of its first character within the line. */
  readonly offset: number;
}

const WORD = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gsy;
const PIECE = /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"'\\]+)/gs;

export function splitWords(line: string): readonly Word[] | string {
  const words: Word[] = [];
  let at = 0;
  for (;;) {
    at += /^\s*/.exec(line.slice(at))?.[0].length ?? 0;
    if (at >= line.length) return words;
    WORD.lastIndex = at;
    const raw = WORD.exec(line)?.[0];
    if (raw === undefined) return 'a quote is never closed, or a backslash stands at the end';
    const next = line[at + raw.length];
    if (next !== undefined && !/\s/.test(next)) return 'a quote is never closed, or a backslash stands at the end';
    words.push({ text: unquoted(raw), offset: at });
    at += raw.length;
  }
}

const unquoted = (raw: string): string =>
  raw.replace(PIECE, (_, escaped?: string, double?: string, single?: string, bare?: string) =>
    double === undefined ? (escaped ?? single ?? bare ?? '') : double.replace(/\\(.)/gs, '$1'),
  );
