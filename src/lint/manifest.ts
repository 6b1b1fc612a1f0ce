import { isScalar } from 'yaml';
import type { Node, Scalar } from 'yaml';
import { DATA_KEY, SCOPES_KEY } from '../policy/annotations.js';
import { parseDataLabel } from '../policy/condition-values.js';
import { quoted } from '../policy/issue.js';
import type { Declarations } from './annotation-file.js';
import { isOurs, needsLeave, wrongWith } from './annotation-rules.js';
import type { Rights } from './annotation-rules.js';
import type { Declared } from './declared.js';
import { remark } from './finding.js';
import type { Remark } from './finding.js';
import { annotatedIn } from './pods.js';
import type { Annotated, Entry, Repeated } from './pods.js';
import { readYaml } from './yaml-file.js';
import type { YamlReading } from './yaml-file.js';
import { placesInScalar } from './yaml-places.js';

/**
 * Kubernetes manifests: one or many documents, lists, charts' output. In: the text. Out: what is wrong with the annotations
 * of pods as annotations, and the scope lines in them with the way back to the file. It does NOT check anything else that
 * the API server would.
 */
export function readManifest(file: string, text: string, rights: Rights): Declarations {
  const yaml = readYaml(text);
  const parts = yaml.documents.filter(({ errors }) => errors.length === 0).map(annotatedIn);
  const remarks = [
    ...yaml.remarks,
    ...parts.flatMap(({ repeated }) => repeated.map((each) => repeatedRemark(yaml, each))),
    ...parts.flatMap(({ annotated }) => annotated.flatMap((each) => remarksOn(yaml, each, rights))),
  ];
  const declared = parts.flatMap(({ annotated }) => annotated.flatMap((each) => declaredIn(file, yaml, each)));
  return { findings: remarks.map((each) => ({ file, ...each })), declared };
}

const startOf = (yaml: YamlReading, node: Node) => yaml.position(node.range?.[0] ?? 0);

function repeatedRemark(yaml: YamlReading, { key, name }: Repeated): Remark {
  const message = `expected each key once in a mapping, got ${quoted(name)} twice`;
  const code = isOurs(name) ? 'annotation_duplicate' : 'yaml';
  return remark(startOf(yaml, key), 'error', code, message, 'keep one of them: which one counts depends on the reader');
}

function remarksOn(yaml: YamlReading, { entries, target }: Annotated, rights: Rights): Remark[] {
  const [first] = entries;
  const lost =
    target.kind === 'pod' || first === undefined
      ? []
      : [
          remark(
            startOf(yaml, first.key),
            'error',
            'annotation_misplaced',
            `${target.owner} reaches no pod: the guard will not see ${quoted(first.name)}`,
            `move it to ${target.instead}`,
          ),
        ];
  return [...lost, ...entries.flatMap((entry) => [...wrongEntry(yaml, entry, rights), ...folded(yaml, entry)])];
}

function wrongEntry(yaml: YamlReading, { key, name, value }: Entry, rights: Rights): Remark[] {
  const text = textOf(value) ?? '';
  const [problem, leave] = [wrongWith(name, text, rights), needsLeave(name, text, rights)];
  const found = problem ?? leave;
  if (found !== undefined) {
    const aboutValue = found.code === 'annotation_value' || found.code === 'right_missing';
    const at = startOf(yaml, aboutValue && value !== null ? value : key);
    return [remark(at, problem === undefined ? 'info' : 'error', found.code, found.message, found.hint)];
  }
  if (!isOurs(name) || textOf(value) !== undefined) return [];
  const at = value === null || isEmpty(value) ? startOf(yaml, key) : startOf(yaml, value);
  const got =
    value === null || isEmpty(value) ? 'nothing' : isScalar(value) ? quoted(String(value.value)) : 'a list or mapping';
  const hint = name === SCOPES_KEY ? `write the lines below "${name}: |"` : 'write the value in quotes';
  return [remark(at, 'error', 'annotation_value', `${name}: expected a text, got ${got}`, hint)];
}

const isEmpty = (value: Node): boolean => isScalar(value) && value.value === null;

const textOf = (value: Node | null): string | undefined =>
  isScalar(value) && typeof value.value === 'string' ? value.value : undefined;

/** `>` and unquoted or quoted text over several lines: YAML makes one line of them. */
function folded(yaml: YamlReading, { name, value }: Entry): Remark[] {
  const text = textOf(value);
  if (name !== SCOPES_KEY || text === undefined || !isScalar(value) || value.type === 'BLOCK_LITERAL') return [];
  const [start, end] = value.range ?? [0, 0];
  const quote = value.type === 'PLAIN' || value.type === 'BLOCK_FOLDED' ? 0 : 1;
  // A backslash at the end of a quoted line says that it goes on.
  const raw = yaml.text.slice(start + quote, end - quote).replace(/\\\r?\n/g, '');
  const written = saying(raw) - (value.type === 'BLOCK_FOLDED' ? 1 : 0);
  if (written <= saying(text)) return [];
  const message = `${SCOPES_KEY}: YAML joins these ${written} lines into fewer`;
  return [
    remark(startOf(yaml, value), 'error', 'annotation_folded', message, `write the lines below "${SCOPES_KEY}: |"`),
  ];
}

/** Lines that say something: an empty one between two keeps them apart. */
const saying = (text: string): number => text.split('\n').filter((line) => line.trim() !== '').length;

function declaredIn(file: string, yaml: YamlReading, { entries }: Annotated): Declared[] {
  const data = parseDataLabel(textOf(entries.find(({ name }) => name === DATA_KEY)?.value ?? null) ?? '') ?? null;
  return entries.flatMap(({ key, name, value }): Declared[] => {
    const text = textOf(value);
    // Of lines that YAML has joined, every other finding is an echo.
    if (name !== SCOPES_KEY || text === undefined || folded(yaml, { key, name, value }).length > 0) return [];
    const places = placesInScalar(yaml, value as Scalar, text);
    return [{ file, text, places, data, name: SCOPES_KEY }];
  });
}
