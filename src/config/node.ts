/**
 * The configuration as a tree whose every value knows where it stands. In: paths as zod names them. Out: nodes, plain
 * values for zod, positions. What turned out wrong is set aside (`wrong`) instead of deleted, so that the rest can be
 * checked in the same run and no mistake is reported twice.
 */
export interface Position {
  /** Both 1-based; the column counts UTF-16 units. */
  readonly line: number;
  readonly column: number;
}

interface Place {
  readonly at: Position;
  /** Of the key in front of the value; undefined for entries of a list and for the root. */
  readonly keyAt: Position | undefined;
  /** As shown in messages: `tokens[0].keys`; empty for the root. */
  readonly name: string;
}

export type Node = MapNode | ListNode | ScalarNode;

export interface MapNode extends Place {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Node>;
}

export interface ListNode extends Place {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

export interface ScalarNode extends Place {
  readonly kind: 'scalar';
  readonly value: unknown;
  /** The text before the environment was put in; undefined where the value is no text. */
  readonly written?: string;
  /** The place in the file of a line and column (1-based) of this text; the scalar's own where that can't be told. */
  readonly inside: (line: number, column: number) => Position;
}

export interface Tree {
  readonly root: Node;
  readonly wrong: Set<Node>;
}

export type Path = readonly PropertyKey[];

/** Entries of a list that are not set aside: the list as zod sees it. */
const kept = (tree: Tree, list: ListNode): Node[] => list.items.filter((item) => !tree.wrong.has(item));

/** The child that a path of the plain value means; also one that was set aside, where it has a name. */
export function childOf(tree: Tree, node: Node, key: PropertyKey): Node | undefined {
  switch (node.kind) {
    case 'map':
      return node.entries.get(String(key));
    case 'list':
      return kept(tree, node)[Number(key)];
    case 'scalar':
      return undefined;
  }
}

/** The node of a path, or the nearest one above it, and whether it is the very one. */
export function find(tree: Tree, path: Path): { readonly node: Node; readonly exact: boolean } {
  let node = tree.root;
  for (const key of path) {
    const child = childOf(tree, node, key);
    if (child === undefined) return { node, exact: false };
    node = child;
  }
  return { node, exact: true };
}

/** What zod sees: plain values, without everything that was set aside. */
export function plain(tree: Tree, node: Node = tree.root): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return kept(tree, node).map((item) => plain(tree, item));
    case 'map':
      return Object.fromEntries(
        [...node.entries]
          .filter(([, child]) => !tree.wrong.has(child))
          .map(([key, child]) => [key, plain(tree, child)]),
      );
  }
}

/** Everything that is written in a list, also what was set aside. */
export function written(tree: Tree, path: Path): readonly Node[] {
  const { node, exact } = find(tree, path);
  return exact && node.kind === 'list' ? node.items : [];
}

/** Whether the value of a path was itself set aside: what zod gave is then its default. */
export function isAside(tree: Tree, path: Path): boolean {
  const { node, exact } = find(tree, path);
  return exact && tree.wrong.has(node);
}

/** Whether anything at or below a path was set aside: then a rule about it would report a mistake that nobody made. */
export function isTouched(tree: Tree, path: Path): boolean {
  const { node, exact } = find(tree, path);
  return exact ? holdsWrong(tree, node) : tree.wrong.has(node);
}

function holdsWrong(tree: Tree, node: Node): boolean {
  if (tree.wrong.has(node)) return true;
  switch (node.kind) {
    case 'scalar':
      return false;
    case 'list':
      return node.items.some((item) => holdsWrong(tree, item));
    case 'map':
      return [...node.entries.values()].some((child) => holdsWrong(tree, child));
  }
}
