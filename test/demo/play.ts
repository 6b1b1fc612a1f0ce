/** The play: everything on the stage, each row in its order, the judge last. In: which guard. Out: a verdict for each row. */
import { EXPECTED } from './expected.js';
import { keptConnection } from './client.js';
import { decisionId, judge } from './judge.js';
import type { Verdict } from './judge.js';
import type { TrustFrom } from './materials.js';
import { perform } from './perform.js';
import type { Performance } from './perform.js';
import { poll } from './poll.js';
import { ROWS } from './rows.js';
import { setStage } from './stage.js';
import type { Programs, Stage } from './stage.js';

export interface Report {
  readonly verdicts: readonly Verdict[];
  /** What is wrong beside the rows. */
  readonly remarks: readonly string[];
}

/** For the audit records to arrive after the last answer, ms. */
const AUDIT_LIMIT = 3_000;

/** `intermission` runs while everything still stands: for --keep. */
export async function play(
  programs: Programs,
  trust: TrustFrom,
  intermission?: (stage: Stage, report: Report) => Promise<void>,
): Promise<Report> {
  const stage = await setStage(programs, trust);
  let report: Report = { verdicts: [], remarks: [] };
  let code = -1;
  try {
    report = await performAll(stage);
    await intermission?.(stage, report);
  } finally {
    code = await stage.stop();
  }
  return code === 0
    ? report
    : { ...report, remarks: [...report.remarks, `the guard ended with ${code} after SIGTERM, expected 0`] };
}

async function performAll(stage: Stage): Promise<Report> {
  const kept = keptConnection();
  const performances: Performance[] = [];
  for (const row of ROWS) performances.push(await perform(row, stage, kept));
  kept.destroy();
  await recorded(performances, stage);
  const verdicts = performances.map((each) => judge(each, EXPECTED.get(each.row.name), stage));
  const wrong = verdicts.some((verdict) => verdict.differences.length > 0);
  const said = wrong ? stage.guardSaid() : '';
  const told = said === '' ? [] : [`the guard said last:\n${said}`];
  return { verdicts, remarks: [...unperformed(), ...keptRemarks(performances), ...told] };
}

/** Audit lines are written after the answer; those that never come are the judge's to miss. */
async function recorded(performances: readonly Performance[], stage: Stage): Promise<void> {
  const ids = performances.flatMap((each) => decisionId(each, stage.upstream) ?? []);
  const all = (): true | undefined => ids.every((id) => stage.audit.byDecision(id).length > 0) || undefined;
  await poll('the audit records', AUDIT_LIMIT, all).catch(() => undefined);
}

function unperformed(): string[] {
  const names = new Set(ROWS.map((row) => row.name));
  return [...EXPECTED.keys()].filter((name) => !names.has(name)).map((name) => `no row is called "${name}"`);
}

/** The rows about one kept-alive connection prove nothing if it was another one. */
function keptRemarks(performances: readonly Performance[]): string[] {
  const ports = new Set(performances.filter((each) => each.row.kept).map((each) => each.answer.localPort));
  return ports.size === 1 ? [] : ['the kept-alive connection was not kept'];
}
