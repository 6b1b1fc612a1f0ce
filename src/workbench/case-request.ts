/**
 * `request:` of a case → Scenario: the short form as text, or the same as a mapping. In: the node, the settings that its names
 * refer to. Out: a scenario that the forge takes; undefined after every problem was reported at its place.
 */
import { parseDuration } from '../model/duration.js';
import { plain } from '../config/node.js';
import type { Node } from '../config/node.js';
import { quote } from '../config/words.js';
import { expected, fieldsOf, flagOf, missing, textOf, textsOf } from './case-values.js';
import type { Fields, Reading } from './case-values.js';
import { isProblem, OUTSIDE, scenarioProblem } from './names.js';
import type { Scenario, ScenarioToken } from './scenario.js';
import { asGrpc, isHeaderName, readShortForm, splitList } from './short-form.js';
import type { ScenarioSettings } from './short-form.js';
import { splitWords } from './words.js';

const ABOUT_TOKENS = ['scopes', 'bound', 'age', 'claims', 'issuer'] as const;
const KEYS = ['method', 'path', 'as', 'via', 'host', 'token', ...ABOUT_TOKENS, 'headers'] as const;

export function readRequestNode(reading: Reading, node: Node, settings: ScenarioSettings): Scenario | undefined {
  if (node.kind === 'map') return fromFields(reading, node, settings);
  const text = textOf(reading, node);
  if (text === undefined || node.kind !== 'scalar') return undefined;
  const words = splitWords(text);
  if (typeof words === 'string') return void reading.report(node.at, `${node.name}: ${words}`);
  const scenario = readShortForm(
    words.map((word) => word.text),
    settings,
  );
  if (!isProblem(scenario)) return scenario;
  const place = node.inside(1, (words[scenario.word]?.offset ?? 0) + 1);
  return void reading.report(place, `${node.name}: ${scenario.problem}`);
}

function fromFields(reading: Reading, node: Node, settings: ScenarioSettings): Scenario | undefined {
  const fields = fieldsOf(reading, node, KEYS);
  if (fields === undefined) return undefined;
  for (const key of ['method', 'path']) if (!fields.has(key)) missing(reading, node, key);
  const method = textOf(reading, fields.get('method'));
  const path = textOf(reading, fields.get('path'));
  const host = textOf(reading, fields.get('host'));
  const as = textOf(reading, fields.get('as')) ?? OUTSIDE;
  const via = textsOf(reading, fields.get('via'), splitList) ?? [];
  const token = tokenOf(reading, fields, settings);
  const headers = headersOf(reading, fields.get('headers'));
  const wrong = scenarioProblem({ as, via, ...(token && { token }) }, settings);
  if (wrong !== undefined) reading.report((fields.get(wrong.about) ?? node).at, `${node.name}: ${wrong.problem}`);
  if (method === undefined || path === undefined || wrong !== undefined) return undefined;
  return asGrpc({ method, path, as, via, headers, ...(host !== undefined && { host }), ...(token && { token }) });
}

function tokenOf(reading: Reading, fields: Fields, { tokens }: ScenarioSettings): ScenarioToken | undefined {
  const about = ABOUT_TOKENS.find((key) => fields.has(key));
  const wanted = flagOf(reading, fields.get('token')) ?? (about !== undefined || tokens.length > 0);
  const none = fields.get('token');
  if (!wanted && about !== undefined && none !== undefined)
    reading.report(none.at, `${none.name}: false and ${about} exclude each other`);
  if (!wanted) return undefined;
  const scopes = textsOf(reading, fields.get('scopes'), splitList) ?? [];
  const bound = flagOf(reading, fields.get('bound')) ?? false;
  const issuer = textOf(reading, fields.get('issuer'));
  const age = ageOf(reading, fields.get('age'));
  const claims = claimsOf(reading, fields.get('claims'));
  return {
    scopes,
    bound,
    ...(issuer !== undefined && { issuer }),
    ...(age !== undefined && { age }),
    ...(claims && { claims }),
  };
}

function ageOf(reading: Reading, node: Node | undefined): number | undefined {
  const text = textOf(reading, node);
  const age = text === undefined ? undefined : parseDuration(text);
  if (node !== undefined && text !== undefined && age === undefined)
    reading.report(node.at, `${node.name}: expected a duration such as 30s, 10m or 1h, got ${quote(text)}`);
  return age;
}

/** Any JSON is a claim's value. */
function claimsOf(reading: Reading, node: Node | undefined): Readonly<Record<string, unknown>> | undefined {
  if (node === undefined) return undefined;
  if (node.kind !== 'map') return expected(reading, node, 'a mapping of claims');
  return plain(reading.tree, node) as Readonly<Record<string, unknown>>;
}

/** By name one value, or several lines of it. */
function headersOf(reading: Reading, node: Node | undefined): Scenario['headers'] {
  if (node === undefined) return [];
  if (node.kind !== 'map') return expected(reading, node, 'a mapping of headers') ?? [];
  return [...node.entries].flatMap(([name, value]) => {
    if (!isHeaderName(name)) reading.report(value.keyAt ?? value.at, `${quote(name)} is no name of a header`);
    const lines = textsOf(reading, value, (text) => [text]) ?? [];
    return lines.map((line) => [name.toLowerCase(), line] as const);
  });
}
