/**
 * Values of a case file by their kind, or a located problem. In: nodes of the tree. Out: the value; undefined after the
 * problem was reported, or where the node was set aside because one was reported before.
 */
import type { Report } from '../config/document.js';
import type { Node, Tree } from '../config/node.js';
import { either, placeName, quote, shown } from '../config/words.js';
import { nearest } from '../model/nearest.js';

export interface Reading {
  readonly tree: Tree;
  readonly report: Report;
}

export type Fields = ReadonlyMap<string, Node>;

/** The entries of a mapping that has no other keys than these. */
export function fieldsOf(reading: Reading, node: Node, known: readonly string[]): Fields | undefined {
  if (node.kind !== 'map') return expected(reading, node, 'a mapping');
  for (const [key, child] of node.entries) {
    if (known.includes(key) || reading.tree.wrong.has(child)) continue;
    const where = node.name === '' ? '' : ` in ${node.name}`;
    const hint = didYouMean(key, known) ?? `known are ${known.join(', ')}`;
    reading.report(child.keyAt ?? child.at, `unknown key ${quote(key)}${where}`, hint);
  }
  return node.entries;
}

export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const meant = nearest(word, known);
  return meant === undefined ? undefined : `did you mean ${quote(meant)}?`;
}

export const textOf = (reading: Reading, node: Node | undefined): string | undefined =>
  scalar(reading, node, 'a text', (value) => (typeof value === 'string' && value !== '' ? value : undefined));

export const flagOf = (reading: Reading, node: Node | undefined): boolean | undefined =>
  scalar(reading, node, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));

export const numberOf = (reading: Reading, node: Node | undefined): number | undefined =>
  scalar(reading, node, 'a whole number', (value) => (Number.isSafeInteger(value) ? Number(value) : undefined));

/** One of the known words, with the nearest one for a misspelt one. */
export function wordOf<Word extends string>(
  reading: Reading,
  node: Node | undefined,
  known: readonly Word[],
  what: string = either(known),
): Word | undefined {
  const text = scalar(reading, node, what, (value) => (typeof value === 'string' ? value : undefined));
  const word = known.find((candidate) => candidate === text);
  if (text !== undefined && word === undefined && node !== undefined)
    reading.report(node.at, `${node.name}: expected ${what}, got ${quote(text)}`, didYouMean(text, known));
  return word;
}

/** A text with several words in it, or a list of texts. */
export function textsOf(
  reading: Reading,
  node: Node | undefined,
  split: (text: string) => readonly string[],
): readonly string[] | undefined {
  if (node?.kind !== 'list') {
    const text = scalar(reading, node, 'a text or a list of texts', (value) =>
      typeof value === 'string' ? value : undefined,
    );
    return text === undefined ? undefined : split(text);
  }
  const items = node.items.map((item) => textOf(reading, item));
  return items.every((item) => item !== undefined) ? items : undefined;
}

function scalar<T>(
  reading: Reading,
  node: Node | undefined,
  what: string,
  read: (value: unknown) => T | undefined,
): T | undefined {
  if (node === undefined || reading.tree.wrong.has(node)) return undefined;
  const value = node.kind === 'scalar' ? read(node.value) : undefined;
  return value ?? expected(reading, node, what);
}

export function expected(reading: Reading, node: Node, what: string): undefined {
  if (reading.tree.wrong.has(node)) return undefined;
  const got = node.kind === 'scalar' ? shown(node.value) : node.kind === 'list' ? 'a list' : 'a mapping';
  reading.report(node.at, `${node.name === '' ? '' : `${node.name}: `}expected ${what}, got ${got}`);
  return undefined;
}

/** A key that is not there; one that is only misspelt was reported already. */
export function missing({ report }: Reading, parent: Node, key: string, hint?: string): undefined {
  const misspelt = parent.kind === 'map' && [...parent.entries.keys()].some((word) => nearest(word, [key]) === key);
  if (!misspelt) report(parent.keyAt ?? parent.at, `${placeName(parent.name, key)} is missing`, hint);
  return undefined;
}
