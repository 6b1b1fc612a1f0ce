import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Node, Pair, Scalar, YAMLMap } from 'yaml';
import { isNearMiss, isOurs } from './annotation-rules.js';
import type { YamlDocument } from './yaml-file.js';

/**
 * Where a document says something about firsthand.dev. In: one YAML document. Out: every mapping that holds such keys, with
 * what it annotates. Finds them by where they stand, not by a list of kinds: so pod templates of custom resources and the
 * values of charts are found too.
 */
export interface Annotated {
  readonly entries: readonly Entry[];
  readonly target: Target;
}

/** One key of ours, or one that its writer surely meant to be ours. */
export interface Entry {
  readonly key: Scalar;
  readonly name: string;
  readonly value: Node | null;
}

export type Target =
  | { readonly kind: 'pod' }
  /** Where the pods of `owner` never see it; `instead` is the place that they do see. */
  | { readonly kind: 'misplaced'; readonly owner: string; readonly instead: string };

export interface Repeated {
  readonly key: Scalar;
  readonly name: string;
}

interface Walk {
  readonly document: YamlDocument;
  readonly seen: Set<Node>;
  readonly found: Annotated[];
  readonly repeated: Repeated[];
}

/** The way to a mapping: itself last, each with the key under which it stands. */
type Way = readonly { readonly key: string; readonly node: YAMLMap | undefined }[];

export function annotatedIn(document: YamlDocument): {
  annotated: readonly Annotated[];
  repeated: readonly Repeated[];
} {
  const walk: Walk = { document, seen: new Set(), found: [], repeated: [] };
  visit(walk, document.contents, '', []);
  return { annotated: walk.found, repeated: walk.repeated };
}

/** Each node once, however many aliases lead to it. */
function visit(walk: Walk, node: unknown, key: string, way: Way): void {
  if (isAlias(node)) visit(walk, node.resolve(walk.document), key, way);
  else if (isSeq(node)) {
    if (!isNew(walk, node)) return;
    // An item of a list begins a way of its own: lists hold whole objects.
    for (const item of node.items) visit(walk, item, key, [...way, { key, node: undefined }]);
  } else if (isMap(node) && isNew(walk, node)) visitMap(walk, node, [...way, { key, node }]);
}

const isNew = (walk: Walk, node: Node): boolean => !walk.seen.has(node) && walk.seen.add(node) !== undefined;

function visitMap(walk: Walk, map: YAMLMap, way: Way): void {
  const entries = map.items.flatMap((pair) => entryOf(walk, pair));
  if (entries.length > 0) walk.found.push({ entries, target: targetOf(way) });
  const known = new Set<string>();
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? String(key.value) : '';
    if (isScalar(key) && known.has(name) && name !== '<<') walk.repeated.push({ key, name });
    known.add(name);
    visit(walk, value, name, way);
  }
}

function entryOf(walk: Walk, { key, value }: Pair): Entry[] {
  if (!isScalar(key) || typeof key.value !== 'string') return [];
  if (!isOurs(key.value) && !isNearMiss(key.value)) return [];
  const node = isAlias(value) ? value.resolve(walk.document) : value;
  return [{ key, name: key.value, value: (node as Node | null | undefined) ?? null }];
}

const POD: Target = { kind: 'pod' };

function targetOf(way: Way): Target {
  const [owner, metadata, last] = way.slice(-3);
  const nearestKind = [...way]
    .reverse()
    .map(({ node }) => kindOf(node))
    .find((kind) => kind !== undefined);
  if (last?.key === 'annotations' && metadata?.key === 'metadata') return ofObject(owner, nearestKind);
  // A merge key and the annotations of a chart's values: whoever renders them decides, and the rendered ones are checked.
  if (/annotations$/i.test(last?.key ?? '') || nearestKind === undefined) return POD;
  return misplaced(nearestKind, last?.key ?? '');
}

function ofObject(owner: Way[number] | undefined, nearestKind: string | undefined): Target {
  const kind = kindOf(owner?.node);
  if (owner?.key === 'template' || kind === 'Pod' || nearestKind === undefined) return POD;
  return misplaced(nearestKind, 'metadata.annotations');
}

const misplaced = (kind: string, place: string): Target => ({
  kind: 'misplaced',
  owner: `${place} of the ${kind}`,
  instead: INSTEAD.get(kind) ?? 'spec.template.metadata.annotations',
});

const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['Pod', 'metadata.annotations'],
  ['CronJob', 'spec.jobTemplate.spec.template.metadata.annotations'],
  ['PodTemplate', 'template.metadata.annotations'],
]);

function kindOf(node: YAMLMap | undefined): string | undefined {
  const kind = node?.get('kind');
  return typeof kind === 'string' && /^[A-Za-z]{1,63}$/.test(kind) ? kind : undefined;
}
