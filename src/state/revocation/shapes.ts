/**
 * Patterns on identities, found as quickly as names. Where the stars of a pattern stand is its shape; there are few of
 * those. An identity is asked for once in each shape, as the pattern of that shape that it would match.
 */
import { pathSegments, trustDomainOf } from '../../model/ids.js';
import type { SpiffeId } from '../../model/ids.js';
import { isLiteral, parseIdPattern } from '../../model/patterns.js';

/** Segments of a pattern with its literals left out: `//*\/**` for `spiffe://d/ns/x/*\/**`. */
export type Shape = string;

/** Undefined for a literal, and for what is no pattern with its trust domain. */
export function shapeOf(text: string): Shape | undefined {
  const pattern = parseIdPattern(text);
  if (typeof pattern === 'string' || pattern.domain.kind !== 'literal' || isLiteral(pattern)) return undefined;
  const words = pattern.segments.map((word) => (word === '*' ? '*' : ''));
  return [...words, ...(pattern.rest ? ['**'] : [])].map((word) => `/${word}`).join('');
}

/** The one pattern of that shape that matches the ID; undefined where none can. */
export function patternFor(id: SpiffeId, shape: Shape): string | undefined {
  const words = shape.slice(1).split('/');
  const rest = words.at(-1) === '**';
  const length = rest ? words.length - 1 : words.length;
  const segments = pathSegments(id);
  if (rest ? segments.length <= length : segments.length !== length) return undefined;
  const own = words.map((word, index) => (word === '' ? segments[index] : word));
  return `spiffe://${trustDomainOf(id)}/${own.join('/')}`;
}
