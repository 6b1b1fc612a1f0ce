import type { Line } from '../../model/policy.js';
import { comparePaths } from '../../policy/overlap.js';
import { isWeaker } from '../demands.js';
import { remark } from '../finding.js';
import type { Remark } from '../finding.js';
import { freshSegment, holds, intersect, methodsOf, samplePaths, takes, writes } from '../requests.js';
import { startOf } from '../sheet.js';
import type { Analysis, Sheet } from '../sheet.js';

/** One line may stand beside hundreds; more of them would say nothing new. */
const SHOWN = 3;

/**
 * `shadows_stricter`: a line that provably asks for less, beside one that asks for more. Three cases, worst first:
 * it wins although it is no exception from the stricter one; it takes methods of the same paths that the stricter one
 * forgot; it only stands around it, which is often meant, and therefore an info. An exception (a narrower path that
 * asks for less) is no finding.
 */
export const checkShadows: Analysis = (sheet) => {
  const fresh = freshSegment(sheet.lines);
  return sheet.lines.flatMap((broad) => {
    const found = sheet.lines.flatMap((strict) => (strict === broad ? [] : shadow(sheet, broad, strict, fresh)));
    const counting = found.filter(({ severity }) => severity !== 'info');
    return counting.length > 0 ? counting.slice(0, SHOWN) : found.slice(0, 1);
  });
};

function shadow(sheet: Sheet, broad: Line, strict: Line, fresh: string): Remark[] {
  const order = comparePaths(broad.path, strict.path);
  if (order === 'disjoint' || !isWeaker(broad, strict)) return [];
  const at = startOf(sheet, broad);
  const name = `line ${strict.number}`;
  const found = order === 'first' ? winsOver(sheet, broad, strict, fresh) : fallsThrough(sheet, broad, strict, fresh);
  if (found !== undefined) {
    const message = `${found} is decided here, with less than ${name} asks for`;
    return [remark(at, 'warning', 'shadows_stricter', message, `ask for as much as ${name}, or write a line for it`)];
  }
  if (order !== 'second' || !holds(broad.path, strict.path) || !shareMethod(broad, strict)) return [];
  const message = `this line asks for less than ${name}, around the paths of ${name}`;
  return [remark(at, 'info', 'shadows_stricter', message, 'make sure that every path beside it may be had for less')];
}

const shareMethod = (a: Line, b: Line): boolean => methodsOf(a.methods).some((method) => takes(b.methods, method));

/** A request that both lines match and the weaker one wins, where it is no exception from the stricter one. */
function winsOver(sheet: Sheet, broad: Line, strict: Line, fresh: string): string | undefined {
  if (holds(strict.path, broad.path)) return undefined;
  const method = methodsOf(broad.methods).find((each) => takes(strict.methods, each));
  return method === undefined ? undefined : requestTo(sheet, broad, method, strict, fresh);
}

/**
 * A method on the stricter line's paths that only the weaker line names: one that changes something, or HEAD, which
 * tells what GET does.
 */
function fallsThrough(sheet: Sheet, broad: Line, strict: Line, fresh: string): string | undefined {
  // A line that names the method for the very same paths is an answer, not an oversight.
  const same = holds(strict.path, broad.path) && broad.methods.kind === 'named';
  if (same || !holds(broad.path, strict.path)) return undefined;
  const forgotten = methodsOf(broad.methods).filter((each) => !takes(strict.methods, each));
  const head = takes(strict.methods, 'GET') ? forgotten.find((each) => each === 'HEAD') : undefined;
  const method = forgotten.find(writes) ?? head;
  return method === undefined ? undefined : requestTo(sheet, broad, method, strict, fresh);
}

function requestTo(sheet: Sheet, winner: Line, method: string, other: Line, fresh: string): string | undefined {
  const both = intersect(winner.path, other.path);
  for (const segments of samplePaths(both, sheet.lines, fresh))
    if (sheet.route(method, segments).line === winner) return `${method} ${shown(segments, fresh)}`;
  return undefined;
}

const shown = (segments: readonly string[], fresh: string): string =>
  `/${segments.map((segment) => (segment === fresh ? '…' : segment)).join('/')}`.slice(0, 120);
