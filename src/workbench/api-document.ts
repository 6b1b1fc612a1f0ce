/**
 * An OpenAPI document → proposed lines. In: the text of OpenAPI 3 or Swagger 2, YAML or JSON. Out: one line for each
 * operation: scopes from its `security`, else guessed from method and path. Refuses texts that are none. Does NOT follow
 * references to other files, and never proposes a line that asks for nothing because the document does.
 */
import { parse } from 'yaml';
import { readScopes } from '../policy/scopes.js';
import { guessScope } from './guess-scope.js';
import { linePath } from './line-path.js';
import type { PathPart } from './line-path.js';
import type { LeftOut, Proposal, ProposedLine } from './proposal.js';

export type Proposing =
  { readonly ok: true; readonly proposal: Proposal } | { readonly ok: false; readonly problem: string };

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const objectAt = (value: unknown, key: string): Json | undefined => {
  const found = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isObject(found) ? found : undefined;
};

const listAt = (value: unknown, key: string): readonly unknown[] | undefined => {
  const found = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return Array.isArray(found) ? found : undefined;
};

export function proposeFromOpenApi(text: string, name: string): Proposing {
  const document = documentOf(text);
  if (typeof document === 'string') return { ok: false, problem: document };
  const lines: ProposedLine[] = [];
  const leftOut: LeftOut[] = [];
  const bases = basesOf(document) ?? [typeof document['basePath'] === 'string' ? document['basePath'] : ''];
  for (const [path, value] of Object.entries(objectAt(document, 'paths') ?? {})) {
    const item = resolved(document, value);
    if (item === undefined) leftOut.push({ what: path, why: 'its path item is not in this document' });
    else lines.push(...linesOf(document, item, path, bases));
  }
  const remarks = [`proposed from ${name}: read every line, then delete what the service does not need`, NO_FROM];
  const several = bases.length > 1 ? [`${name} lists servers with the paths ${bases.join(', ')}: keep yours`] : [];
  return { ok: true, proposal: { lines, leftOut, remarks: [...remarks, ...several] } };
}

const NO_FROM = 'the document does not say who calls: add from= with the workloads that may (from=ns/shop/sa/frontend)';

/** An operation's own servers count, else its path item's, else the document's. */
function linesOf(document: Json, item: Json, path: string, bases: readonly string[]): ProposedLine[] {
  return operationsOf(item).flatMap(([method, operation]) =>
    (basesOf(operation) ?? basesOf(item) ?? bases).map((base) => lineOf(method, base + path, operation, document)),
  );
}

function documentOf(text: string): Json | string {
  const read = parsedText(text);
  if ('problem' in read) return `not valid YAML or JSON: ${read.problem}`;
  const document = isObject(read.value) ? read.value : {};
  const { openapi, swagger } = document;
  const known = (typeof openapi === 'string' && openapi.startsWith('3.')) || String(swagger) === '2.0';
  return known ? document : 'expected an OpenAPI 3 or Swagger 2.0 document, got something else';
}

/** JSON is YAML; aliases are bounded by the parser. */
function parsedText(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: parse(text, { logLevel: 'silent' }) as unknown };
  } catch (error) {
    return { problem: error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'an unknown fault' };
  }
}

/** The paths of the servers, each once; undefined where none are listed. */
function basesOf(owner: Json): string[] | undefined {
  const servers = listAt(owner, 'servers')?.filter(isObject) ?? [];
  return servers.length === 0 ? undefined : [...new Set(servers.map(basePath))];
}

/** Variables stand at their defaults (OpenAPI 3, Server Object). */
function basePath(server: Json): string {
  const variables = objectAt(server, 'variables');
  const url = String(server['url'] ?? '').replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = objectAt(variables, name)?.['default'];
    return typeof value === 'string' ? value : name;
  });
  return url
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '');
}

/** A path item, or the one that it points to within the document. */
function resolved(document: Json, item: unknown): Json | undefined {
  if (!isObject(item)) return undefined;
  const reference = item['$ref'];
  if (typeof reference !== 'string') return item;
  if (!reference.startsWith('#/')) return undefined;
  let found: unknown = document;
  for (const key of reference.slice(2).split('/')) found = objectAt(found, decodePointer(key));
  return isObject(found) && found['$ref'] === undefined ? found : undefined;
}

/** RFC 6901 §4. */
const decodePointer = (key: string): string => key.replaceAll('~1', '/').replaceAll('~0', '~');

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace', 'query'];

const operationsOf = (item: Json): [method: string, operation: Json][] =>
  METHODS.flatMap((method): [string, Json][] => {
    const operation = objectAt(item, method);
    return operation === undefined ? [] : [[method.toUpperCase(), operation]];
  });

function lineOf(method: string, template: string, operation: Json, document: Json): ProposedLine {
  const notes: string[] = [];
  const segments = template.replace(/[?#].*$/, '').split('/');
  const path = linePath(segments.filter((segment) => segment !== '').map((segment) => partOf(segment, notes)));
  const scopes = scopesOf(listAt(operation, 'security') ?? listAt(document, 'security'), method, path, notes);
  return { method, path, scopes, conditions: [], notes };
}

/** `{id}` is one segment in both languages; `{name}.pdf` is only a whole segment here. */
function partOf(segment: string, notes: string[]): PathPart {
  const names = [...segment.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  const [name] = names;
  if (name === undefined) return { kind: 'literal', text: decoded(segment) };
  if (segment !== `{${name}}`) notes.push(`guess: ${segment} became one whole segment`);
  return { kind: 'any', name: name === '' ? 'name' : name };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Alternatives are "any", what stands in one of them is "all"; a line has one of the two. */
function scopesOf(security: readonly unknown[] | undefined, method: string, path: string, notes: string[]): string {
  const guess = (why: string): string => {
    notes.push(`guess: ${why}`);
    return guessScope(method, path);
  };
  if (security === undefined) return guess('the document names no scope');
  const alternatives = security
    .filter(isObject)
    .map((alternative) => [
      ...new Set(Object.values(alternative).flatMap((scopes) => (Array.isArray(scopes) ? scopes.map(String) : []))),
    ]);
  const open = security.length === 0 || security.some((each) => isObject(each) && Object.keys(each).length === 0);
  if (open) notes.push('the document lets anyone in here; an anyone line needs the right of the operator');
  const named = alternatives.filter((scopes) => scopes.length > 0);
  const [first] = named;
  if (first === undefined) return guess('the document names no scope');
  if (named.length < alternatives.length && !open) notes.push('the document also takes a credential without a scope');
  const odd = named.flat().find((scope) => !isOneScope(scope));
  if (odd !== undefined) return guess(`${odd} can not stand in a scope line`);
  const single = named.every((scopes) => scopes.length === 1);
  if (!single && named.length > 1) notes.push(`guess: the first of ${named.length} alternatives`);
  return single ? [...new Set(named.flat())].join('|') : first.join('+');
}

/** As a scope of a document, `token` is no keyword of ours, and `a|b` is one name. */
function isOneScope(scope: string): boolean {
  const read = readScopes(scope);
  return read.ok && read.value.kind === 'all' && read.value.scopes.length === 1;
}
