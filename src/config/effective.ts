/**
 * The effective configuration: every key of the schema with its value and where that came from. In: a file that the
 * loader accepts, the environment. Out: a tree in the order of the schema, or the loader's issues. Walks the published
 * JSON Schema, so that a new key is here as soon as it is there. Values are as the file spells them: durations as text,
 * paths relative. Does NOT judge anything: `loadConfig` does.
 */
import { basename } from 'node:path';
import { readFileSync } from 'node:fs';
import { readDocument } from './document.js';
import type { Env } from './interpolate.js';
import { loadConfig } from './load.js';
import type { CheckGuardrails, ConfigIssue } from './load.js';
import type { Node } from './node.js';
import { configJsonSchema } from './schema.js';
import { readTree } from './tree.js';

export type Effective =
  | { readonly kind: 'map'; readonly entries: readonly (readonly [key: string, value: Effective])[] }
  | { readonly kind: 'list'; readonly items: readonly Effective[] }
  /** A scalar, or a list or mapping of nothing but scalars. `from` is for people: a place, `${NAME}`, or `default`. */
  | { readonly kind: 'value'; readonly value: unknown; readonly from: string };

export type EffectiveConfig =
  { readonly ok: true; readonly config: Effective } | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

export function effectiveConfig(file: string, env: Env, checkGuardrails: CheckGuardrails): EffectiveConfig {
  const loaded = loadConfig(file, env, checkGuardrails);
  if (!loaded.ok) return loaded;
  // Accepted a moment ago, so there is nothing left to report.
  const source = readDocument(readFileSync(file, 'utf8'), () => undefined);
  if (source === undefined) throw new Error('the configuration changed while it was read');
  const { root } = readTree(source, env, () => undefined);
  const schema: Schema = configJsonSchema();
  return { ok: true, config: effective({ schema, node: root, path: '', file: basename(file) }) };
}

/** The part of JSON Schema that is looked at. */
interface Schema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

interface At {
  readonly schema: Schema;
  /** Undefined where nothing is written. */
  readonly node: Node | undefined;
  /** Keys alone: `tokens[].grants`. */
  readonly path: string;
  readonly file: string;
}

function effective(at: At): Effective {
  const { schema, node } = at;
  const nothing = node === undefined ? isScalar(schema.default) : node.kind === 'scalar';
  const section = nothing ? undefined : formOf(schema, ({ properties }) => properties !== undefined);
  if (section?.properties !== undefined) return sectionOf(at, section.properties);
  if (node?.kind === 'map') return recordOf(at, node.entries);
  const list = formOf(schema, ({ items }) => items !== undefined);
  if (node?.kind === 'list' && node.items.some((item) => item.kind !== 'scalar'))
    return { kind: 'list', items: node.items.map((item) => effective(below(at, list?.items ?? {}, item, '[]'))) };
  return node === undefined ? defaultOf(at) : writtenOf(node, at.file);
}

const isScalar = (value: unknown): boolean => value === null || typeof value === 'string';

const formOf = (schema: Schema, fits: (form: Schema) => boolean): Schema | undefined =>
  [schema, ...(schema.anyOf ?? [])].find(fits);

const below = (at: At, schema: Schema, node: Node | undefined, key: string): At => ({
  schema,
  node,
  path: at.path === '' ? key : key === '[]' ? `${at.path}[]` : `${at.path}.${key}`,
  file: at.file,
});

function sectionOf(at: At, properties: Readonly<Record<string, Schema>>): Effective {
  const entries = at.node?.kind === 'map' ? at.node.entries : new Map<string, Node>();
  return {
    kind: 'map',
    entries: Object.entries(properties).map(([key, schema]) => [
      key,
      effective(below(at, schema, entries.get(key), key)),
    ]),
  };
}

function recordOf(at: At, entries: ReadonlyMap<string, Node>): Effective {
  const each = formOf(at.schema, ({ additionalProperties }) => typeof additionalProperties === 'object');
  const schema = typeof each?.additionalProperties === 'object' ? each.additionalProperties : {};
  if (entries.size === 0) return { kind: 'value', value: {}, from: placeOf(at.node, at.file) };
  return {
    kind: 'map',
    entries: [...entries].map(([key, node]) => [key, effective({ ...below(at, schema, node, '*'), node })]),
  };
}

/** What an unwritten key means where its default is null: the guard's own reading, see settings.ts and docs. */
const MEANS: ReadonlyMap<string, string> = new Map([
  ['workload', 'the destination.principal of each check'],
  ['identity.workloadApi', '$SPIFFE_ENDPOINT_SOCKET'],
  ['tokens[].scopes', 'the claim scope, then scp'],
  ['tokens[].grants', 'every scope: ["**"]'],
  ['tokens[].identity', 'its tokens name no workload'],
  ['tokens[].domains', "the guard's own trust domain"],
  ['listen.adminTokenFile', 'health and metrics alone'],
  ['tokens[].keysCA', "the system's authorities"],
  ['trust.*.bundleCA', "the system's authorities"],
]);

function defaultOf({ schema, path }: At): Effective {
  const means = schema.default === null ? MEANS.get(path) : undefined;
  return { kind: 'value', value: schema.default ?? null, from: means === undefined ? 'default' : `default: ${means}` };
}

function writtenOf(node: Node, file: string): Effective {
  const names = namesIn(node);
  const from = [...names.map((name) => `\${${name}}`), placeOf(node, file)].join(' ');
  return { kind: 'value', value: valueOf(node), from };
}

function valueOf(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'string' ? withoutPassword(node.value) : node.value;
    case 'list':
      return node.items.map(valueOf);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, child]) => [key, valueOf(child)]));
  }
}

/** Secrets never belong in the file; where a URL holds one all the same, it stays there. */
const withoutPassword = (value: string): string => value.replace(/\/\/[^/@\s]*@/g, '//…@');

/** Of the environment variables that a value was completed from. */
function namesIn(node: Node): string[] {
  if (node.kind === 'list') return [...new Set(node.items.flatMap(namesIn))];
  if (node.kind !== 'scalar') return [];
  return [...new Set([...(node.written ?? '').matchAll(/\$\{(\w+)(?::-[^}]*)?\}/g)].map(([, name = '']) => name))];
}

const placeOf = (node: Node | undefined, file: string): string =>
  node === undefined ? 'default' : `${file}:${node.at.line}:${node.at.column}`;
