/**
 * YAML document → tree of located values, with the environment put into its strings (keys too). Reports duplicate keys,
 * what is wrong with a `${…}`, and aliases that lead nowhere, into themselves or to too much. What it reports is set
 * aside in the tree. It does not know which keys exist.
 */
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Alias, Node as YamlNode, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { interpolate } from './interpolate.js';
import type { Env } from './interpolate.js';
import type { Report, Source } from './document.js';
import { insideOf, lineAndColumn } from './inside.js';
import type { Node, Position, Tree } from './node.js';
import { oneLine, placeName, quote } from './words.js';

/** Aliases can multiply; no configuration comes near. */
const MAX_NODES = 10_000;

interface Reading {
  readonly source: Source;
  readonly env: Env;
  readonly report: Report;
  readonly wrong: Set<Node>;
  /** Collections that are being read, outermost first: an alias to one of them never ends. */
  readonly open: Set<YamlNode>;
  nodes: number;
}

interface Where {
  readonly name: string;
  readonly keyAt: Position | undefined;
  /** Where to point when the value has no text of its own. */
  readonly fallback: Position;
}

export function readTree(source: Source, env: Env, report: Report): Tree {
  const reading: Reading = { source, env, report, wrong: new Set(), open: new Set(), nodes: 0 };
  const start = { line: 1, column: 1 };
  const root = readNode(reading, source.contents, { name: '', keyAt: undefined, fallback: start });
  return { root, wrong: reading.wrong };
}

function readNode(reading: Reading, node: unknown, where: Where): Node {
  reading.nodes += 1;
  if (reading.nodes > MAX_NODES)
    return leaveOut(reading, where, reading.nodes === MAX_NODES + 1 ? TOO_MUCH : undefined);
  if (isAlias(node)) return readAlias(reading, node, where);
  if (isMap(node)) return opened(reading, node, () => readMap(reading, node, where));
  if (isSeq(node)) return opened(reading, node, () => readList(reading, node, where));
  // A value that nobody wrote (`key:`) has no place of its own.
  return isScalar(node) && (node.value !== null || node.source) ? readScalar(reading, node, where) : emptyScalar(where);
}

const TOO_MUCH = `expected at most ${MAX_NODES} values, aliases counted as often as they are used`;

function readAlias(reading: Reading, alias: Alias, where: Where): Node {
  const at = startOf(reading, alias, where);
  const target = alias.resolve(reading.source.document);
  if (target === undefined)
    return leaveOut(reading, { ...where, fallback: at }, `the anchor ${quote(alias.source)} is not known`);
  if (reading.open.has(target))
    return leaveOut(
      reading,
      { ...where, fallback: at },
      `the alias ${quote(alias.source)} stands within its own anchor`,
    );
  return readNode(reading, target, where);
}

function opened(reading: Reading, node: YamlNode, read: () => Node): Node {
  reading.open.add(node);
  const result = read();
  reading.open.delete(node);
  return result;
}

function readMap(reading: Reading, map: YAMLMap, where: Where): Node {
  const at = startOf(reading, map, where);
  const entries = new Map<string, Node>();
  for (const pair of map.items) readEntry(reading, pair, { name: where.name, keyAt: undefined, fallback: at }, entries);
  return { kind: 'map', at, keyAt: where.keyAt, name: where.name, entries };
}

function readEntry(reading: Reading, pair: Pair, parent: Where, entries: Map<string, Node>): void {
  const keyAt = startOf(reading, pair.key, parent);
  const written = isScalar(pair.key) ? String(pair.key.value ?? '') : '';
  const key = interpolate(written, reading.env);
  if (!key.ok) {
    for (const problem of key.problems) reading.report(keyAt, problem.message, problem.hint);
    entries.set(written, setAside(reading, emptyScalar({ name: written, keyAt, fallback: keyAt })));
    return;
  }
  const first = entries.get(key.text);
  const value = readNode(reading, pair.value, { name: placeName(parent.name, key.text), keyAt, fallback: keyAt });
  if (key.text === '__proto__') reading.report(keyAt, `the key ${quote(key.text)} is not accepted`);
  else if (first === undefined) entries.set(key.text, value);
  else reading.report(keyAt, `the key ${quote(key.text)} stands here for a second time`, firstLine(first));
}

const firstLine = (first: Node): string => `the first one is in line ${(first.keyAt ?? first.at).line}; remove one`;

function readList(reading: Reading, list: YAMLSeq, where: Where): Node {
  const at = startOf(reading, list, where);
  const items = list.items.map((item, index) =>
    readNode(reading, item, { name: placeName(where.name, index), keyAt: undefined, fallback: at }),
  );
  return { kind: 'list', at, keyAt: where.keyAt, name: where.name, items };
}

function readScalar(reading: Reading, scalar: Scalar, where: Where): Node {
  const at = startOf(reading, scalar, where);
  const place = { kind: 'scalar', at, keyAt: where.keyAt, name: where.name } as const;
  if (typeof scalar.value !== 'string') return { ...place, value: scalar.value, inside: () => at };
  const filled = interpolate(scalar.value, reading.env);
  if (filled.ok)
    return {
      ...place,
      value: filled.text,
      written: scalar.value,
      inside: insideOf(reading.source, scalar, scalar.value, filled.text, at),
    };
  const find = insideOf(reading.source, scalar, scalar.value, scalar.value, at);
  for (const problem of filled.problems) {
    const { line, column } = lineAndColumn(scalar.value, problem.offset);
    reading.report(find(line, column), `${where.name}: ${problem.message}`, problem.hint);
  }
  return setAside(reading, { ...place, value: scalar.value, inside: () => at });
}

const emptyScalar = (where: Where): Node => ({
  kind: 'scalar',
  at: where.fallback,
  keyAt: where.keyAt,
  name: where.name,
  value: null,
  inside: () => where.fallback,
});

function leaveOut(reading: Reading, where: Where, message: string | undefined): Node {
  if (message !== undefined) reading.report(where.fallback, oneLine(message));
  return setAside(reading, emptyScalar(where));
}

function setAside(reading: Reading, node: Node): Node {
  reading.wrong.add(node);
  return node;
}

function startOf(reading: Reading, node: unknown, where: Where): Position {
  const range = isAlias(node) || isMap(node) || isSeq(node) || isScalar(node) ? node.range : undefined;
  return range === undefined || range === null ? where.fallback : reading.source.position(range[0]);
}
