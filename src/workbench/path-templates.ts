/**
 * Paths that were seen → where an identifier stands. In: methods and decoded segments. Out: for each the same segments,
 * identifiers named. An identifier looks like one (a number, a UUID, …), or stands where more than a few different words
 * were seen and nothing else differs. Errs towards literals: a line too narrow is refused loudly, one too wide is not.
 */
import type { PathPart } from './line-path.js';

export interface SeenPath {
  readonly method: string;
  readonly segments: readonly string[];
}

/** More different words than this in one place are values, not names of routes. */
const MANY = 10;

export function templates(seen: readonly SeenPath[]): PathPart[][] {
  let parts = seen.map(({ segments }) => segments.map(partOf));
  const longest = seen.reduce((most, { segments }) => Math.max(most, segments.length), 0);
  for (let at = 0; at < longest; at += 1) parts = generalised(parts, seen, at);
  return parts;
}

const ID = [
  /^\d+$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  /^[0-9a-f]{16,}$/i,
  /^[0-9A-HJKMNP-TV-Z]{26}$/,
  /^[A-Za-z]+[-_]\d+$/,
  /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_-]{16,}$/,
];

/** A name in braces comes from records with `audit.path: template`. */
function partOf(text: string): PathPart {
  const name = /^\{([A-Za-z_]\w*)\}$/.exec(text)?.[1];
  if (name !== undefined) return { kind: 'any', name };
  return ID.some((form) => form.test(text)) ? { kind: 'any', name: 'id' } : { kind: 'literal', text };
}

/** Names the segment `at` wherever it is all that differs, in many ways. */
function generalised(parts: readonly PathPart[][], seen: readonly SeenPath[], at: number): PathPart[][] {
  const words = new Map<string, Set<string>>();
  const keyOf = (path: readonly PathPart[], index: number): string =>
    JSON.stringify([seen[index]?.method, path.map((part, position) => (position === at ? null : part))]);
  parts.forEach((path, index) => {
    const part = path[at];
    if (part?.kind !== 'literal') return;
    const key = keyOf(path, index);
    words.set(key, (words.get(key) ?? new Set()).add(part.text));
  });
  return parts.map((path, index) => {
    const many = path[at]?.kind === 'literal' && (words.get(keyOf(path, index))?.size ?? 0) > MANY;
    return many ? path.map((part, position) => (position === at ? { kind: 'any', name: 'name' } : part)) : path;
  });
}
