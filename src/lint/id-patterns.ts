import type { IdPattern } from '../model/patterns.js';

/**
 * Patterns on SPIFFE IDs compared with each other, without an ID. Both as written: `own` is a domain like any other, and
 * where nobody knows which, it equals only itself.
 */
const sameDomain = (a: IdPattern, b: IdPattern): boolean =>
  a.domain.kind === 'literal' && b.domain.kind === 'literal'
    ? a.domain.name === b.domain.name
    : a.domain.kind === b.domain.kind;

/** Whether every ID that `narrow` matches is matched by `wide` too. */
export function contains(wide: IdPattern, narrow: IdPattern): boolean {
  if (wide.domain.kind !== 'any' && !sameDomain(wide, narrow)) return false;
  if (narrow.segments.length < wide.segments.length) return false;
  // A rest matches at least one segment: on both sides, or as the literal that `narrow` has more.
  if (narrow.segments.length === wide.segments.length ? wide.rest !== narrow.rest : !wide.rest) return false;
  return wide.segments.every((word, index) => word === '*' || word === narrow.segments[index]);
}

/** Whether some ID is matched by both. */
export function meet(a: IdPattern, b: IdPattern): boolean {
  if (a.domain.kind !== 'any' && b.domain.kind !== 'any' && !sameDomain(a, b)) return false;
  if (!longEnough(a, b) || !longEnough(b, a)) return false;
  const shared = Math.min(a.segments.length, b.segments.length);
  return a.segments
    .slice(0, shared)
    .every((word, index) => word === '*' || b.segments[index] === '*' || word === b.segments[index]);
}

/** Whether an ID that `b` matches can be as long as `a` demands. */
const longEnough = (a: IdPattern, b: IdPattern): boolean =>
  b.rest || (a.rest ? b.segments.length > a.segments.length : b.segments.length >= a.segments.length);
