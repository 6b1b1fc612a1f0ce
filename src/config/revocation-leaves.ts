/** Parsers of single texts of `revocation`. */
import { parseDuration } from '../model/duration.js';
import { no } from './leaf.js';
import type { Leaf } from './leaf.js';
import { quote } from './words.js';

/** alert → null; revoke:1h → ms. */
export function onIncident(text: string): Leaf<number | null> {
  if (text === 'alert') return { value: null };
  const life = text.startsWith('revoke:') ? parseDuration(text.slice('revoke:'.length)) : undefined;
  if (life !== undefined && life > 0) return { value: life };
  return no(`expected alert or revoke:DURATION, got ${quote(text)}`, 'for example revoke:1h');
}
