import type { Line } from '../../model/policy.js';
import { comparePaths } from '../../policy/overlap.js';
import { placed } from '../declared.js';
import type { Checked } from '../declared.js';
import { START, remark } from '../finding.js';
import type { Finding } from '../finding.js';
import { freshSegment, intersect, methodsOf, samplePaths } from '../requests.js';
import { startOf } from '../sheet.js';
import type { ApiReading, Operation } from './operation.js';

/**
 * API documents against lines, both ways: `route_uncovered` for operations that no line of any given policy covers, and
 * `line_unused` for lines that cover no operation. The guard's own lookup decides. Silent about policies of which a line
 * could not be read.
 */
export function compareWithApi(readings: readonly ApiReading[], policies: readonly Checked[]): Finding[] {
  const operations = readings.flatMap((reading) => reading.operations);
  if (policies.length === 0 || policies.some(({ whole }) => !whole)) return [];
  const kinds = new Set(readings.map(({ kind }) => kind));
  const complete = readings.every((reading) => reading.complete);
  return [
    ...uncovered(operations, policies),
    ...(complete ? policies.flatMap((policy) => unused(operations, policy, kinds)) : []),
  ];
}

function uncovered(operations: readonly Operation[], policies: readonly Checked[]): Finding[] {
  const [first] = policies;
  return operations
    .filter((operation) => !policies.some((policy) => covers(policy, operation)))
    .map((operation) => {
      const where = [...new Set(policies.map(({ declared }) => declared.file))].join(', ');
      const message = `${operation.name} is covered by no line of ${where}: it would be refused as route_undeclared`;
      const found = remark(
        operation.at ?? START,
        'warning',
        'route_uncovered',
        message,
        `add a line: ${suggestion(operation)}`,
      );
      // A descriptor set has no lines: said at the beginning of the policy instead.
      if (operation.at !== undefined || first === undefined) return { file: operation.file, ...found };
      return { file: first.declared.file, ...found, ...first.declared.places(1, 1) };
    });
}

const suggestion = ({ grpc, name, method, path }: Operation): string =>
  grpc ? `GRPC ${name} SCOPES` : `${method} ${path.text} SCOPES`;

function covers({ sheet }: Checked, { method, path }: Operation): boolean {
  const fresh = freshSegment(sheet.lines);
  const segments = path.segments.map((segment) => (segment.kind === 'literal' ? segment.text : fresh));
  return sheet.route(method, segments).line !== undefined;
}

function unused(operations: readonly Operation[], policy: Checked, kinds: ReadonlySet<string>): Finding[] {
  const { sheet, declared } = policy;
  const fresh = freshSegment(sheet.lines);
  return sheet.lines
    .filter((line) => isJudged(line, kinds) && !operations.some((operation) => decides(policy, line, operation, fresh)))
    .map((line) => {
      // Probes and static files are often in no API document.
      const severity = line.scopes.kind === 'anyone' ? 'info' : 'warning';
      const message = 'this line covers no operation of the API documents';
      return placed(
        declared,
        remark(startOf(sheet, line), severity, 'line_unused', message, 'delete it, or compare its method and path'),
      );
    });
}

/**
 * GRPC lines by descriptor sets, the others by OpenAPI documents: a service may have both, and give one. Services of gRPC
 * itself are in no service's own descriptor set.
 */
function isJudged({ methods, path }: Line, kinds: ReadonlySet<string>): boolean {
  if (methods.kind !== 'grpc') return kinds.has('openapi');
  const [service] = path.segments;
  return (
    kinds.has('descriptors') && !(service?.kind === 'literal' && /^grpc\.(health|reflection)\./.test(service.text))
  );
}

/** HEAD comes with every GET (RFC 9110 §9.3.2), OPTIONS with every path: documents seldom list them. */
function decides({ sheet }: Checked, line: Line, { method, path }: Operation, fresh: string): boolean {
  if (comparePaths(line.path, path) === 'disjoint') return false;
  const methods = [method, 'OPTIONS', ...(method === 'GET' ? ['HEAD'] : [])];
  const both = intersect(path, line.path);
  for (const segments of samplePaths(both, sheet.lines, fresh))
    if (methods.some((each) => sheet.route(each, segments).line === line && takesNamed(line, each, method)))
      return true;
  return false;
}

/** A `*` line is used by the operation itself; OPTIONS and HEAD only speak for lines that name them. */
const takesNamed = ({ methods }: Line, asked: string, method: string): boolean =>
  asked === method || (methods.kind === 'named' && methodsOf(methods).includes(asked));
