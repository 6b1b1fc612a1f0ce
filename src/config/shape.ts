/**
 * Located tree → typed values, or every issue of form. What is wrong is reported, set aside, and the rest is read again:
 * so a misspelt key in one place does not hide a missing one in another. Out: values for the rules, even after issues;
 * undefined where nothing is left to read.
 */
import type * as z from 'zod';
import type { Report } from './document.js';
import { describe } from './describe.js';
import { find, plain } from './node.js';
import type { ListNode, MapNode, Node, Tree } from './node.js';
import { nearestHint } from './nearest.js';
import { Config } from './schema.js';
import { placeName, quote } from './words.js';

/** Every round sets something aside, so the depth of the schema bounds them; this is only for the reader's peace. */
const MAX_ROUNDS = 100;

export function readShape(tree: Tree, report: Report): Config | undefined {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const result = Config.safeParse(plain(tree), { error: describe });
    if (result.success) return result.data;
    // First all, then set aside: indexes in paths count what is not set aside.
    const mistaken = result.error.issues.flatMap((issue) => explain(tree, issue, report));
    for (const node of mistaken) tree.wrong.add(node);
    if (tree.wrong.has(tree.root)) return undefined;
  }
  return undefined;
}

/** Reports the issue; gives the nodes that have to be set aside. */
function explain(tree: Tree, issue: z.core.$ZodIssue, report: Report): Node[] {
  const { node, exact } = find(tree, issue.path);
  if (issue.code === 'unrecognized_keys' && node.kind === 'map')
    return unknownKeys(node, issue.keys, issue.message.split(' '), report);
  // A key that is missing because it was set aside has been reported already.
  if (exact && tree.wrong.has(node)) return [find(tree, issue.path.slice(0, -1)).node];
  // So has a list that is empty only because everything in it was set aside.
  if (node.kind === 'list' && node.items.length > 0 && isEmptied(tree, node)) return [node];
  const [message, hint] = issue.message.split('\n');
  const missing = exact || node.kind === 'scalar' ? undefined : issue.path.at(-1);
  if (missing === undefined) report(node.at, named(node.name, `: ${message}`), hint);
  else report(node.keyAt ?? node.at, named(placeName(node.name, String(missing)), ` ${message}`), hint);
  return [node];
}

/** The root has no name. */
const named = (name: string, message: string): string => (name === '' ? message.replace(/^: /, '') : name + message);

const isEmptied = (tree: Tree, list: ListNode): boolean => list.items.every((item) => tree.wrong.has(item));

function unknownKeys(node: MapNode, keys: readonly string[], known: readonly string[], report: Report): Node[] {
  return keys.flatMap((key) => {
    const child = node.entries.get(key);
    if (child === undefined) return [];
    const where = node.name === '' ? '' : ` in ${node.name}`;
    report(child.keyAt ?? child.at, `unknown key ${quote(key)}${where}`, nearestHint(key, known));
    return [child];
  });
}
