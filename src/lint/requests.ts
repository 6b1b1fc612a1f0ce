import type { Line, Methods, PathPattern, PathSegment } from '../model/policy.js';
import { STAR_METHODS } from '../policy/methods.js';

/**
 * Requests that stand for all requests of a line. A segment that no line names as a literal is matched by as few lines as
 * possible, so what is true of it is true of every other one, and a lookup of these few requests tells everything.
 */
export interface SampleRequest {
  readonly method: string;
  readonly segments: readonly string[];
}

/** gRPC over HTTP/2 is POST; a GRPC line takes every method. */
export function methodsOf(methods: Methods): readonly string[] {
  switch (methods.kind) {
    case 'star':
      return [...STAR_METHODS];
    case 'grpc':
      return ['POST'];
    case 'named':
      return methods.names;
  }
}

export const takes = (methods: Methods, method: string): boolean =>
  methods.kind === 'grpc' || methodsOf(methods).includes(method);

/** Safe by RFC 9110 §9.2.1 and the IANA method registry. Whatever is not here may change something. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY']);
export const writes = (method: string): boolean => !SAFE.has(method);

/** A segment that is no literal of any line, in no case. */
export function freshSegment(lines: readonly Line[]): string {
  const literals = new Set(
    lines.flatMap(({ path }) =>
      path.segments.map((segment) => (segment.kind === 'literal' ? segment.text.toLowerCase() : '')),
    ),
  );
  for (let number = 0; ; number += 1) if (!literals.has(`any${number}`)) return `any${number}`;
}

/** For each length that could make a difference, one path of the pattern. */
export function* samplePaths(path: PathPattern, lines: readonly Line[], fresh: string): Generator<string[]> {
  const start = path.segments.map((segment) => (segment.kind === 'literal' ? segment.text : fresh));
  yield start;
  if (!path.rest) return;
  const lengths = new Set(lines.flatMap((line) => [line.path.segments.length, line.path.segments.length + 1]));
  for (const length of [...lengths].sort((a, b) => a - b))
    if (length > start.length) yield [...start, ...Array.from({ length: length - start.length }, () => fresh)];
}

export function* sampleRequests(line: Line, lines: readonly Line[], fresh: string): Generator<SampleRequest> {
  for (const segments of samplePaths(line.path, lines, fresh))
    for (const method of methodsOf(line.methods)) yield { method, segments };
}

/** Whether every path of `narrow` is one of `wide`. */
export function holds(wide: PathPattern, narrow: PathPattern): boolean {
  if (narrow.segments.length < wide.segments.length || (narrow.rest && !wide.rest)) return false;
  if (narrow.segments.length > wide.segments.length && !wide.rest) return false;
  return wide.segments.every((segment, index) => {
    const other = narrow.segments[index];
    return segment.kind === 'any' || (other?.kind === 'literal' && other.text === segment.text);
  });
}

/** The paths that both match, as one pattern. Only for patterns that are not disjoint. */
export function intersect(a: PathPattern, b: PathPattern): PathPattern {
  const length = Math.max(a.segments.length, b.segments.length);
  const segments = Array.from({ length }, (_, index): PathSegment => {
    const [left, right] = [a.segments[index], b.segments[index]];
    return left?.kind === 'literal' ? left : (right ?? left ?? { kind: 'any', name: 'any' });
  });
  return { text: a.text, segments, rest: a.rest && b.rest };
}
