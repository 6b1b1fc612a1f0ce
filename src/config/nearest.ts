/**
 * The known word nearest to a mistyped one. In: a word and the words that would have been right. Out: a hint.
 * It compares spelling (Levenshtein distance, without case), never meaning.
 */
import { distance } from '../model/nearest.js';
import { quote } from './words.js';

/** Both words are cut here, so that a long key costs no more than a short one. */
const COMPARED = 64;

export function nearestHint(word: string, known: readonly string[]): string | undefined {
  const nearest = nearestOf(word, known);
  if (nearest === undefined) return undefined;
  const close = nearest.distance <= Math.max(2, Math.floor(nearest.word.length / 2));
  return close ? `did you mean ${quote(nearest.word)}?` : `the nearest known one is ${quote(nearest.word)}`;
}

function nearestOf(word: string, known: readonly string[]): { word: string; distance: number } | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const found = distance(word.toLowerCase().slice(0, COMPARED), candidate.toLowerCase().slice(0, COMPARED));
    if (best === undefined || found < best.distance) best = { word: candidate, distance: found };
  }
  return best;
}
