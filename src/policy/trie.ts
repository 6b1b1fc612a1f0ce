import type { Line, PathPattern } from '../model/policy.js';
import { STAR_METHODS } from './methods.js';

/**
 * Lines by their paths, as a tree of segments. The walk visits what matches a path in the order of the grammar: from the
 * left, a literal before `{name}` before `**`. Its cost is the path's length times the alternatives that are really
 * there, not the number of lines; each node is visited at most once.
 */
export interface Trie {
  /** Calls `visit` with each slot whose path pattern matches, most specific first, until it returns true. */
  walk(segments: readonly string[], visit: (slot: Slot) => boolean): void;
}

/** The lines of one path shape. */
export interface Slot {
  readonly named: Map<string, Line[]>;
  readonly grpc: Line[];
  readonly star: Line[];
}

interface Node {
  readonly literals: Map<string, Node>;
  any: Node | undefined;
  end: Slot | undefined;
  rest: Slot | undefined;
}

const newNode = (): Node => ({ literals: new Map(), any: undefined, end: undefined, rest: undefined });
const newSlot = (): Slot => ({ named: new Map(), grpc: [], star: [] });

/** `read` turns a literal into the form in which requests will be asked for. */
export function buildTrie(lines: readonly Line[], read: (literal: string) => string): Trie {
  const root = newNode();
  for (const line of lines) {
    const node = nodeFor(root, line.path, read);
    addLine(line.path.rest ? (node.rest ??= newSlot()) : (node.end ??= newSlot()), line);
  }
  return { walk: (segments, visit) => walk(root, segments, visit) };
}

function nodeFor(root: Node, path: PathPattern, read: (literal: string) => string): Node {
  let node = root;
  for (const segment of path.segments)
    node = segment.kind === 'any' ? (node.any ??= newNode()) : literalChild(node, read(segment.text));
  return node;
}

function literalChild(node: Node, text: string): Node {
  const known = node.literals.get(text);
  if (known !== undefined) return known;
  const child = newNode();
  node.literals.set(text, child);
  return child;
}

function addLine(slot: Slot, line: Line): void {
  switch (line.methods.kind) {
    case 'grpc':
      slot.grpc.push(line);
      return;
    case 'star':
      slot.star.push(line);
      return;
    case 'named':
      for (const name of line.methods.names) {
        const same = slot.named.get(name);
        if (same === undefined) slot.named.set(name, [line]);
        else same.push(line);
      }
      return;
  }
}

type Alternative =
  | { readonly kind: 'node'; readonly node: Node; readonly depth: number }
  | { readonly kind: 'rest'; readonly slot: Slot };

/** A stack of its own instead of recursion: a path may have more segments than the engine's stack has frames. */
function walk(root: Node, segments: readonly string[], visit: (slot: Slot) => boolean): void {
  const later: Alternative[] = [];
  let next: Alternative | undefined = { kind: 'node', node: root, depth: 0 };
  for (; next !== undefined; next = later.pop()) {
    if (next.kind === 'rest') {
      if (visit(next.slot)) return;
      continue;
    }
    const { node, depth }: { node: Node; depth: number } = next;
    const segment = segments[depth];
    // Pushed from the least specific to the most, so that the most specific is taken up first.
    if (node.rest !== undefined) later.push({ kind: 'rest', slot: node.rest });
    if (segment === undefined) {
      if (node.end !== undefined && visit(node.end)) return;
      continue;
    }
    if (node.any !== undefined) later.push({ kind: 'node', node: node.any, depth: depth + 1 });
    const literal = node.literals.get(segment);
    if (literal !== undefined) later.push({ kind: 'node', node: literal, depth: depth + 1 });
  }
}

const NONE: readonly Line[] = [];

/** The lines of a slot that win for a method: those that name it (a GRPC line names every one), else those with `*`. */
export function winnersIn(slot: Slot, method: string): readonly Line[] {
  const named = slot.named.get(method) ?? NONE;
  if (slot.grpc.length > 0) return named.length === 0 ? slot.grpc : [...named, ...slot.grpc];
  if (named.length > 0) return named;
  return STAR_METHODS.has(method) ? slot.star : NONE;
}

/** Every line of a slot that matches a method. */
export function matchesIn(slot: Slot, method: string): readonly Line[] {
  return [...(slot.named.get(method) ?? NONE), ...slot.grpc, ...(STAR_METHODS.has(method) ? slot.star : NONE)];
}
