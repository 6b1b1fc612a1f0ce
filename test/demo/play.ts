/** The play: everything on the stage, each row in its order, the judge last. In: which guard. Out: a verdict for each row. */
import { keptConnection } from './client.js';
import { decisionId, judge } from './judge.js';
import type { Verdict } from './judge.js';
import { perform } from './perform.js';
import type { Performance } from './perform.js';
import { poll } from './poll.js';
import type { Piece } from './pieces.js';
import type { Row } from './row.js';
import type { Programs, Stage } from './stage.js';

export interface Report {
  readonly piece: Piece;
  /** One for each row. */
  readonly verdicts: readonly Verdict[];
  /** What is wrong beside the rows. */
  readonly remarks: readonly string[];
}

/** For the audit records to arrive after the last answer, ms. */
const AUDIT_LIMIT = 3_000;

/** `intermission` runs while everything still stands: for --keep. */
export async function play(
  programs: Programs,
  piece: Piece,
  intermission?: (stage: Stage, report: Report) => Promise<void>,
): Promise<Report> {
  const stage = await piece.setStage(programs);
  let report: Report = { piece, verdicts: [], remarks: [] };
  let code = -1;
  try {
    report = await performAll(piece, stage);
    await intermission?.(stage, report);
  } finally {
    code = await stage.stop();
  }
  return code === 0
    ? report
    : { ...report, remarks: [...report.remarks, `the guard ended with ${code} after SIGTERM, expected 0`] };
}

async function performAll(piece: Piece, stage: Stage): Promise<Report> {
  const kept = keptConnection();
  const performances: Performance[] = [];
  for (const row of piece.sections.flatMap(({ rows }) => rows))
    for (let time = 0; time < row.times; time++) performances.push(await perform(row, stage, kept));
  kept.destroy();
  await recorded(performances, stage);
  const verdicts = folded(performances.map((each) => judge(each, piece.expected.get(each.row.name), stage)));
  const wrong = verdicts.some((verdict) => verdict.differences.length > 0);
  const said = wrong ? stage.guardSaid() : '';
  const told = said === '' ? [] : [`the guard said last:\n${said}`];
  return { piece, verdicts, remarks: [...unperformed(piece), ...keptRemarks(performances), ...told] };
}

/** Audit lines are written after the answer; those that never come are the judge's to miss. */
async function recorded(performances: readonly Performance[], stage: Stage): Promise<void> {
  const ids = performances.flatMap((each) => decisionId(each, stage.upstream) ?? []);
  const all = (): true | undefined => ids.every((id) => stage.audit.byDecision(id).length > 0) || undefined;
  await poll('the audit records', AUDIT_LIMIT, all).catch(() => undefined);
}

/** A row that was sent several times is right where it was right each time. */
function folded(verdicts: readonly Verdict[]): readonly Verdict[] {
  const byRow = new Map<Row, Verdict>();
  for (const verdict of verdicts) {
    const before = byRow.get(verdict.performance.row)?.differences ?? [];
    const differences = [...new Set([...before, ...verdict.differences])];
    byRow.set(verdict.performance.row, { ...verdict, differences });
  }
  return [...byRow.values()];
}

function unperformed({ sections, expected }: Piece): string[] {
  const names = new Set(sections.flatMap(({ rows }) => rows.map(({ name }) => name)));
  return [...expected.keys()].filter((name) => !names.has(name)).map((name) => `no row is called "${name}"`);
}

/** The rows about one kept-alive connection prove nothing if it was another one. */
function keptRemarks(performances: readonly Performance[]): string[] {
  const ports = new Set(performances.filter((each) => each.row.kept).map((each) => each.answer.localPort));
  return ports.size <= 1 ? [] : ['the kept-alive connection was not kept'];
}
