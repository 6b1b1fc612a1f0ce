import { DATA_KEY, SCOPES_KEY, readAnnotations } from '../policy/annotations.js';
import { parseDataLabel } from '../policy/condition-values.js';
import { issueAt } from '../policy/issue.js';
import { isNearMiss, needsLeave, wrongWith } from './annotation-rules.js';
import type { Rights } from './annotation-rules.js';
import type { Declared } from './declared.js';
import { issueRemark, remark } from './finding.js';
import type { Finding, Remark } from './finding.js';
import { placesInGoLiteral } from './places.js';

/**
 * The Downward API file of a pod's annotations. In: its text. Out: what the guard's own reader says about it, and the scope
 * lines in it with the way back through their quoting.
 */
export interface Declarations {
  readonly findings: readonly Finding[];
  readonly declared: readonly Declared[];
}

export function readAnnotationFile(file: string, text: string, rights: Rights): Declarations {
  const { annotations, issues } = readAnnotations(text, rights);
  const remarks = [...[...issues, ...nearMisses(text)].map(issueRemark), ...leaves(text, annotations, rights)];
  const findings = remarks.map((each) => ({ file, ...each }));
  const scopes = annotations.get(SCOPES_KEY);
  if (scopes === undefined) return { findings, declared: [] };
  const data = parseDataLabel(annotations.get(DATA_KEY) ?? '') ?? null;
  return { findings, declared: [{ file, text: scopes, places: placesOf(text, scopes), data, name: SCOPES_KEY }] };
}

function placesOf(text: string, scopes: string): Declared['places'] {
  const start = `${SCOPES_KEY}=`;
  const lines = text.split('\n');
  const index = lines.findIndex((line) => line.startsWith(start));
  const raw = lines[index]?.slice(start.length) ?? '';
  return placesInGoLiteral(scopes, raw, index + 1, start.length + 1);
}

const nearMisses = (text: string) =>
  text.split('\n').flatMap((line, index) => {
    const key = line.slice(0, Math.max(0, line.indexOf('=')));
    const problem = isNearMiss(key) ? wrongWith(key, '', undefined) : undefined;
    return problem === undefined ? [] : [issueAt(index + 1, 1, problem)];
  });

const leaves = (text: string, annotations: ReadonlyMap<string, string>, rights: Rights): Remark[] =>
  [...annotations].flatMap(([key, value]) => {
    const problem = needsLeave(key, value, rights);
    const line = text.split('\n').findIndex((each) => each.startsWith(`${key}=`)) + 1;
    return problem === undefined
      ? []
      : [remark({ line, column: 1 }, 'info', problem.code, problem.message, problem.hint)];
  });
