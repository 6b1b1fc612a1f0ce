import type { PolicyIssue } from '../model/policy.js';
import type { DataLabel, OwnerRight } from '../model/settings.js';
import { readOwnerLines } from '../policy/compile.js';
import { buildLookup } from '../policy/lookup.js';
import { ANALYSES, GUARDRAIL_ANALYSES } from './analyses/all.js';
import { issueRemark, remark } from './finding.js';
import type { Finding, Remark } from './finding.js';
import type { Places } from './places.js';
import { rowsOf } from './sheet.js';
import type { Analysis, Operator, Sheet } from './sheet.js';

/** Scope lines as they were found in a file: the text, and the way back to the file. */
export interface Declared {
  readonly file: string;
  readonly text: string;
  readonly places: Places;
  readonly data: DataLabel | null;
  /** What messages call the text; undefined where it is the whole file, and its lines are the file's. */
  readonly name: string | undefined;
}

/** Lines that were read, with what was found wrong. `whole`: no line is missing, so that gaps are really gaps. */
export interface Checked {
  readonly declared: Declared;
  readonly sheet: Sheet;
  readonly findings: readonly Finding[];
  readonly whole: boolean;
}

/** Without a configuration nobody knows what the operator lets owners write: then it is said, and does not count. */
const EVERY_RIGHT: readonly OwnerRight[] = ['workload', 'anyone'];

export function checkOwner(declared: Declared, operator: Operator | undefined): Checked {
  const { lines, issues } = readOwnerLines(declared.text, operator?.settings.policy.ownersMay ?? EVERY_RIGHT);
  const broken = new Set(issues.map(({ line }) => line));
  const right = lines.filter(({ number }) => !broken.has(number));
  const guardrails = operator?.guardrails ?? [];
  const sheet: Sheet = {
    lines: right,
    rows: rowsOf(declared.text),
    data: declared.data,
    operator,
    route: buildLookup({ lines: right, guardrails, data: declared.data }),
  };
  const remarks = [...issues.map((issue) => issueRemark(atFirstWord(issue, sheet))), ...run(ANALYSES, sheet)];
  const whole = issues.length === 0;
  return { declared, sheet, whole, findings: remarks.map((found) => placed(declared, found)) };
}

/** What is about a whole line stands at its beginning, which may be indented. */
function atFirstWord(issue: PolicyIssue, { rows }: Sheet): PolicyIssue {
  const row = issue.code === 'overlap' ? rows.get(issue.line) : undefined;
  return row === undefined ? issue : { ...issue, column: row.words[0].column };
}

/** The operator's own lines. What is wrong with them by themselves has been said by config/ already. */
export function checkGuardrailLines(declared: Declared, operator: Operator): readonly Finding[] {
  const lines = operator.guardrails;
  const route = buildLookup({ lines: [], guardrails: lines, data: null });
  const sheet: Sheet = { lines, rows: rowsOf(declared.text), data: null, operator, route };
  return run(GUARDRAIL_ANALYSES, sheet).map((found) => placed(declared, found));
}

const run = (analyses: readonly Analysis[], sheet: Sheet): Remark[] => analyses.flatMap((analysis) => analysis(sheet));

/** Line numbers in messages count in the annotation; where that is not the file, the message says in which line it speaks. */
export function placed({ file, places, name }: Declared, found: Remark): Finding {
  const at = places(found.line, found.column);
  const message = name === undefined ? found.message : `${name} line ${found.line}: ${found.message}`;
  return { file, ...remark(at, found.severity, found.code, message, found.hint) };
}
