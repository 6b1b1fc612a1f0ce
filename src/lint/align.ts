/**
 * Where each character of a decoded text was written. In: the text, and the pieces of the source that must appear in it,
 * in their order. Out: for every index of the text (and the one behind it) an offset of the source; undefined where the
 * pieces do not make up the text, and nobody should point anywhere. Blanks need no piece: YAML folds and indents them.
 */
export interface Piece {
  /** What it stands for in the text; never empty. */
  readonly value: string;
  readonly at: number;
  readonly length: number;
}

const isBlank = (character: string | undefined): boolean =>
  character === ' ' || character === '\t' || character === '\n';

export function align(text: string, pieces: readonly Piece[], source: string, start: number): number[] | undefined {
  const offsets: number[] = [];
  let end = start;
  let next = 0;
  for (let at = 0; at < text.length;) {
    const piece = pieces[next];
    if (piece !== undefined && text.startsWith(piece.value, at)) {
      for (let index = 0; index < piece.value.length; index += 1) offsets.push(piece.at);
      at += piece.value.length;
      end = piece.at + piece.length;
      next += 1;
      continue;
    }
    const run = blankRun(text, at, piece);
    if (run === '') return undefined;
    offsets.push(...blankOffsets(run, end, piece, source));
    at += run.length;
  }
  offsets.push(end);
  return next === pieces.length ? offsets : undefined;
}

/** Blanks up to the next piece, which may be a blank itself: an escape. */
function blankRun(text: string, at: number, next: Piece | undefined): string {
  let end = at;
  while (isBlank(text[end]) && !(end > at && next !== undefined && text.startsWith(next.value, end))) end += 1;
  return text.slice(at, end);
}

/** Up to the line break blanks stand behind what came before; after it, in front of what comes next. */
function blankOffsets(run: string, end: number, next: Piece | undefined, source: string): number[] {
  const broken = run.lastIndexOf('\n') + 1;
  const before = [...run.slice(0, broken)].map((_, index) =>
    source.startsWith(run.slice(0, index), end) ? end + index : end,
  );
  if (broken === 0) {
    const kept = source.startsWith(run, end);
    return [...run].map((_, index) => (kept ? end + index : end));
  }
  const rest = run.length - broken;
  return [
    ...before,
    ...Array.from({ length: rest }, (_, index) => (next === undefined ? end : next.at - rest + index)),
  ];
}
