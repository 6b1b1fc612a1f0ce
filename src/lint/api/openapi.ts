import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Node, Scalar, YAMLMap } from 'yaml';
import { readPath, withoutQuery } from '../../model/path.js';
import type { PathPattern, PathSegment } from '../../model/policy.js';
import { quoted } from '../../policy/issue.js';
import { START, remark } from '../finding.js';
import type { Remark } from '../finding.js';
import { readYaml } from '../yaml-file.js';
import type { YamlDocument, YamlReading } from '../yaml-file.js';
import type { ApiReading, Operation } from './operation.js';

/**
 * An OpenAPI 3 document, YAML or JSON → its operations, each under every server's path. Path items behind a `$ref` within the
 * document are followed; others are reported. It does NOT validate the document.
 */
interface Walk {
  readonly file: string;
  readonly yaml: YamlReading;
  readonly document: YamlDocument;
  readonly remarks: Remark[];
  complete: boolean;
}

export function readOpenApi(file: string, text: string): ApiReading {
  const yaml = readYaml(text);
  const [document] = yaml.documents;
  const root = document?.contents;
  if (document === undefined || yaml.remarks.length > 0 || !isMap(root))
    return unusable([...yaml.remarks, ...notOpenApi(yaml)]);
  const version = textAt(document, root, 'openapi');
  if (version === undefined || !version.startsWith('3.')) return unusable(notOpenApi(yaml));
  const walk: Walk = { file, yaml, document, remarks: [], complete: true };
  const paths = childOf(document, root, 'paths');
  const servers = serversOf(document, root) ?? [''];
  const operations = isMap(paths)
    ? paths.items.flatMap(({ key, value }) => (isScalar(key) ? operationsAt(walk, key, value, servers) : []))
    : [];
  return { kind: 'openapi', operations, remarks: walk.remarks, complete: walk.complete };
}

const unusable = (remarks: readonly Remark[]): ApiReading => ({
  kind: 'openapi',
  operations: [],
  remarks,
  complete: false,
});

const notOpenApi = (yaml: YamlReading): Remark[] =>
  yaml.remarks.length > 0
    ? []
    : [
        remark(
          START,
          'error',
          'api_document',
          'expected an OpenAPI 3 document, with "openapi: 3.…"',
          'convert older ones first',
        ),
      ];

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'];

function operationsAt(walk: Walk, key: Scalar, value: unknown, servers: readonly string[]): Operation[] {
  const path = String(key.value);
  if (!path.startsWith('/')) return [];
  const item = itemOf(walk, key, value);
  if (item === undefined) return [];
  const own = serversOf(walk.document, item) ?? servers;
  return item.items.flatMap(({ key: word, value: operation }) => {
    const method = isScalar(word) ? String(word.value) : '';
    if (!METHODS.includes(method) || !isScalar(word)) return [];
    const bases = (isMap(operation) ? serversOf(walk.document, operation) : undefined) ?? own;
    return [...new Set(bases)].flatMap((base) => operationOf(walk, word, method.toUpperCase(), base + path));
  });
}

/** The path item, perhaps behind a reference. */
function itemOf(walk: Walk, key: Scalar, value: unknown): YAMLMap | undefined {
  const item = resolved(walk.document, value);
  if (!isMap(item)) return undefined;
  const reference = textAt(walk.document, item, '$ref');
  if (reference === undefined) return item;
  const target = reference.startsWith('#/') ? pointed(walk.document, reference) : undefined;
  if (isMap(target)) return target;
  walk.complete = false;
  const message = `the reference ${quoted(reference)} is not followed: its operations are not compared`;
  walk.remarks.push(
    remark(
      walk.yaml.position(key.range?.[0] ?? 0),
      'warning',
      'api_document',
      message,
      'bundle the document into one file',
    ),
  );
  return undefined;
}

/** RFC 6901. */
function pointed(document: YamlDocument, reference: string): Node | undefined {
  let node: Node | undefined = document.contents ?? undefined;
  for (const part of reference.slice(2).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    node = isMap(node) ? childOf(document, node, name) : undefined;
  }
  return node;
}

function operationOf(walk: Walk, word: Scalar, method: string, template: string): Operation[] {
  const at = walk.yaml.position(word.range?.[0] ?? 0);
  const path = patternOf(template);
  if (path !== undefined) return [{ file: walk.file, at, method, path, name: `${method} ${template}`, grpc: false }];
  const message = `${quoted(`${method} ${template}`)}: no request to this path would be let through, it can be read in two ways`;
  walk.remarks.push(remark(at, 'warning', 'api_document', message, 'see path_ambiguous'));
  return [];
}

/** A segment with a parameter anywhere in it is any segment; the others are read as a request's path is. */
function patternOf(template: string): PathPattern | undefined {
  const reading = readPath(withoutQuery(template.replace(/\{[^{}/]*\}/g, PARAMETER)));
  if (!reading.ok) return undefined;
  const segments = reading.segments.map((text): PathSegment =>
    text.includes(PARAMETER) ? { kind: 'any', name: 'any' } : { kind: 'literal', text },
  );
  return { text: template, segments, rest: false };
}

const PARAMETER = '0parameter0';

/** The paths of the servers, each once; undefined where none are listed. */
function serversOf(document: YamlDocument, map: YAMLMap): string[] | undefined {
  const servers = childOf(document, map, 'servers');
  if (!isSeq(servers) || servers.items.length === 0) return undefined;
  return servers.items.map((item) => {
    const server = resolved(document, item);
    return isMap(server) ? basePath(document, server) : '';
  });
}

function basePath(document: YamlDocument, server: YAMLMap): string {
  const variables = childOf(document, server, 'variables');
  const url = (textAt(document, server, 'url') ?? '').replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = isMap(variables) ? childOf(document, variables, name) : undefined;
    return (isMap(variable) ? textAt(document, variable, 'default') : undefined) ?? name;
  });
  const path = url.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]*/, '').replace(/^\.?(?=\/|$)/, '');
  return path.replace(/\/+$/, '');
}

const resolved = (document: YamlDocument, node: unknown): Node | undefined =>
  (isAlias(node) ? node.resolve(document) : (node as Node | null)) ?? undefined;

const childOf = (document: YamlDocument, map: YAMLMap, key: string): Node | undefined =>
  resolved(document, map.get(key, true));

function textAt(document: YamlDocument, map: YAMLMap, key: string): string | undefined {
  const node = childOf(document, map, key);
  return isScalar(node) && (typeof node.value === 'string' || typeof node.value === 'number')
    ? String(node.source ?? node.value)
    : undefined;
}
