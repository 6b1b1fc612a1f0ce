/**
 * The text of a case file → its cases, or every problem with its place. Refuses unknown and repeated keys, words that no
 * expectation has, names that mean nobody, and a file without a case. `${NAME}` comes from the environment as in the
 * configuration. It reads no other file: a capture is only named here.
 */
import { resolve } from 'node:path';
import { readDocument } from '../config/document.js';
import type { Env } from '../config/interpolate.js';
import { reportInto } from '../config/load.js';
import type { ConfigIssue } from '../config/load.js';
import type { Node, Position } from '../config/node.js';
import { readTree } from '../config/tree.js';
import { quote } from '../config/words.js';
import { readExpectation } from './case-expectation.js';
import type { Expectation } from './case-expectation.js';
import { readRequestNode } from './case-request.js';
import { expected, fieldsOf, missing, textOf } from './case-values.js';
import type { Fields, Reading } from './case-values.js';
import type { Scenario } from './scenario.js';
import type { ScenarioSettings } from './short-form.js';

export interface TestCase {
  readonly file: string;
  readonly at: Position;
  readonly name: string;
  readonly subject: Subject;
  readonly expect: Expectation;
}

export type Subject =
  | { readonly kind: 'request'; readonly scenario: Scenario }
  /** Real credentials: judged with the configured keys and bundles, at `time` (ms), else now. */
  | { readonly kind: 'capture'; readonly file: string; readonly at: Position; readonly time: number | undefined };

export type ReadCases =
  | { readonly ok: true; readonly cases: readonly TestCase[] }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

const KEYS = ['name', 'request', 'capture', 'at', 'expect'] as const;

/** `folder`: what the captures' names are relative to. */
export function readCases(text: string, file: string, folder: string, settings: ScenarioSettings, env: Env): ReadCases {
  const issues: ConfigIssue[] = [];
  const report = reportInto(issues, file);
  const source = readDocument(text, report);
  if (source === undefined) return { ok: false, issues };
  const tree = readTree(source, env, report);
  const reading: Reading = { tree, report };
  const cases = listOf(reading).flatMap((node) => readCase(reading, node, { file, folder, settings }) ?? []);
  if (issues.length > 0) return { ok: false, issues: inOrder(issues) };
  return { ok: true, cases };
}

const inOrder = (issues: readonly ConfigIssue[]): ConfigIssue[] =>
  [...issues].sort((a, b) => a.line - b.line || a.column - b.column);

const EXAMPLE = 'cases: [{ request: GET /orders/1 --as frontend --scopes orders.read, expect: allow }]';

/** A file whose cases were lost would pass. */
function listOf(reading: Reading): readonly Node[] {
  const { root } = reading.tree;
  const fields = fieldsOf(reading, root, ['cases']);
  const list = fields?.get('cases');
  if (fields === undefined || (list !== undefined && reading.tree.wrong.has(list))) return [];
  if (list === undefined) return missing(reading, root, 'cases', EXAMPLE) ?? [];
  if (list.kind !== 'list') return expected(reading, list, 'a list of cases') ?? [];
  if (list.items.length === 0) reading.report(list.at, 'cases: expected at least one case, got none', EXAMPLE);
  return list.items;
}

interface Context {
  readonly file: string;
  readonly folder: string;
  readonly settings: ScenarioSettings;
}

function readCase(reading: Reading, node: Node, { file, folder, settings }: Context): TestCase | undefined {
  const fields = fieldsOf(reading, node, KEYS);
  if (fields === undefined) return undefined;
  const name = textOf(reading, fields.get('name'));
  const subject = subjectOf(reading, node, fields, folder, settings);
  const wanted = fields.get('expect');
  if (wanted === undefined) return missing(reading, node, 'expect', 'allow, deny, a reason, or a mapping of these');
  const expect = readExpectation(reading, wanted, settings);
  if (subject === undefined || expect === undefined) return undefined;
  return { file, at: node.at, name: name ?? nameOf(fields), subject, expect };
}

function subjectOf(
  reading: Reading,
  node: Node,
  fields: Fields,
  folder: string,
  settings: ScenarioSettings,
): Subject | undefined {
  const [request, capture, time] = ['request', 'capture', 'at'].map((key) => fields.get(key));
  if (request !== undefined && capture !== undefined)
    return void reading.report(capture.keyAt ?? capture.at, `${node.name}: request and capture exclude each other`);
  if (request === undefined && capture === undefined)
    return missing(reading, node, 'request', 'GET /orders/1 --as frontend --scopes orders.read; or capture: FILE');
  if (request !== undefined) {
    if (time !== undefined)
      reading.report(time.keyAt ?? time.at, `${node.name}: at is for captures; a request is forged now`, 'use --age');
    const scenario = readRequestNode(reading, request, settings);
    return scenario && { kind: 'request', scenario };
  }
  const named = textOf(reading, capture);
  if (named === undefined || capture === undefined) return undefined;
  return { kind: 'capture', file: resolve(folder, named), at: capture.at, time: timeOf(reading, time) };
}

function timeOf(reading: Reading, node: Node | undefined): number | undefined {
  const text = textOf(reading, node);
  if (node === undefined || text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) return time;
  return void reading.report(node.at, `${node.name}: expected a time such as 2026-11-23T10:00:00Z, got ${quote(text)}`);
}

/** A case without a name is called after what it asks. */
function nameOf(fields: Fields): string {
  const node = fields.get('request') ?? fields.get('capture');
  if (node?.kind === 'scalar') return String(node.value);
  const part = (key: string): string => {
    const child = node?.kind === 'map' ? node.entries.get(key) : undefined;
    return child?.kind === 'scalar' ? String(child.value) : '';
  };
  return `${part('method')} ${part('path')}`;
}
