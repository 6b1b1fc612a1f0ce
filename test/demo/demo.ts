/**
 * The demo as a function. In: its command line and where the programs are. Out: its exit code: 0 all as expected, 1 a row
 * differs, 2 it could not be played (a wrong option, a process that does not start, a patch that no longer fits).
 */
import { SABOTAGES } from '../mutation/sabotage.js';
import type { Sabotage } from '../mutation/sabotage.js';
import { keep } from './keep.js';
import { readOptions, USAGE } from './options.js';
import { MAIN, pieceWith, SPIFFE, THEFT } from './pieces.js';
import { play } from './play.js';
import type { Report } from './play.js';
import { sabotage } from './sabotage.js';
import type { Programs, Stage } from './stage.js';
import { table } from './table.js';

export async function demo(argv: readonly string[], programs: Programs): Promise<number> {
  const options = readOptions(argv);
  switch (options.kind) {
    case 'help':
      console.log(USAGE);
      return 0;
    case 'wrong':
      console.error(`${options.message}\n\n${USAGE}`);
      return 2;
    case 'list':
      for (const { name, breaks } of SABOTAGES) console.log(`${name.padEnd(24)} ${breaks}`);
      return 0;
    case 'play':
      return show(
        await play(programs, options.trust === 'files' ? MAIN : SPIFFE, options.keep ? showAndKeep : undefined),
        !options.keep,
      );
    case 'theft':
      return show(await play(programs, THEFT), true);
    case 'sabotage':
      return one(options.name, programs);
    case 'all':
      return all(programs);
  }
}

async function showAndKeep(stage: Stage, report: Report): Promise<void> {
  show(report, true);
  await keep(stage);
}

function show(report: Report, aloud: boolean): number {
  const wrong = report.verdicts.filter((verdict) => verdict.differences.length > 0).length + report.remarks.length;
  if (!aloud) return wrong === 0 ? 0 : 1;
  console.log(table(report.verdicts, report.piece.sections));
  for (const remark of report.remarks) console.log(`✗ ${remark}`);
  const right = report.verdicts.length - report.verdicts.filter((verdict) => verdict.differences.length > 0).length;
  console.log(`${right} of ${report.verdicts.length} rows are as expected`);
  return wrong === 0 ? 0 : 1;
}

async function one(name: string, programs: Programs): Promise<number> {
  const patch = SABOTAGES.find((each) => each.name === name);
  if (patch === undefined) {
    console.error(`no sabotage is called ${name}; --sabotage list names them`);
    return 2;
  }
  console.log(`sabotage ${name}: ${patch.breaks}\n`);
  const report = await playSabotaged(patch, programs);
  const code = show(report, true);
  const problem = unnoticed(patch, report);
  console.log(problem ?? `noticed, as it must be`);
  return code;
}

async function all(programs: Programs): Promise<number> {
  let missed = 0;
  for (const patch of SABOTAGES) {
    const problem = await playSabotaged(patch, programs).then(
      (report) => unnoticed(patch, report),
      (error: unknown) => String(error),
    );
    if (problem !== undefined) missed++;
    console.log(`${problem === undefined ? '✓' : '✗'} ${patch.name.padEnd(24)} ${problem ?? patch.breaks}`);
  }
  console.log(`${SABOTAGES.length - missed} of ${SABOTAGES.length} sabotages were noticed`);
  return missed === 0 ? 0 : 1;
}

async function playSabotaged(patch: Sabotage, programs: Programs): Promise<Report> {
  const saboteur = await sabotage(programs.root, patch);
  try {
    return await play({ ...programs, main: saboteur.main }, pieceWith(patch.noticed));
  } finally {
    await saboteur.clean();
  }
}

/** A guard that answers nothing makes every row differ but those that do not ask it; no single check is in so many. */
const ALMOST_ALL = 0.75;

/** A sabotaged demo must fail, and where the check was: a guard that merely breaks proves nothing. */
function unnoticed(patch: Sabotage, report: Report): string | undefined {
  const rows = report.verdicts.filter((verdict) => verdict.differences.length > 0);
  const names = rows.map((verdict) => verdict.performance.row.name);
  if (names.length > ALMOST_ALL * report.verdicts.length)
    return `not this check alone, almost everything differs: ${names.join(', ')}`;
  if (patch.noticed.some((name) => names.includes(name))) return undefined;
  return `not noticed in any of: ${patch.noticed.join(', ')}${names.length > 0 ? ` (but in: ${names.join(', ')})` : ''}`;
}
