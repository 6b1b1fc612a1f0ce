/**
 * The known word that a misspelt one was probably meant to be, for hints. Distance is Levenshtein's, with two swapped
 * neighbours counted as one mistake; case does not matter. Undefined where nothing is near.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted === '' || wanted.length > LONGEST) return undefined;
  let best: string | undefined;
  let least = wanted.length > 3 ? 3 : 2;
  for (const candidate of known) {
    const lower = candidate.toLowerCase();
    const apart = lower.length > 2 && wanted.startsWith(lower) ? 1 : distance(wanted, lower);
    if (apart < least) [best, least] = [candidate, apart];
  }
  return best;
}

/** Longer words are no misspelling of anything known here; the bound keeps hostile input cheap. */
const LONGEST = 40;

/** Levenshtein's, with two swapped neighbours counted as one mistake. */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        cell(last, j) + 1,
        cell(row, j - 1) + 1,
        cell(last, j - 1) + (same ? 0 : 1),
        swapped ? cell(before, j - 2) + 1 : Infinity,
      );
    }
    [before, last] = [last, row];
  }
  return cell(last, b.length);
}

const cell = (row: readonly number[], index: number): number => row[index] ?? Infinity;
