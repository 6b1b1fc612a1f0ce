/**
 * `firsthand test`: table tests of a policy. In: a configuration and case files. Out: one line for each case, then which
 * lines no case tried. Exit 0 all pass, 1 one fails, 2 something can't be read. Requests need no key: see forge.ts.
 */
import { dirname } from 'node:path';
import { formatConfigIssue } from '../config/load.js';
import type { Settings } from '../model/settings.js';
import { POLICY } from '../state/sources.js';
import { readCases } from '../workbench/cases.js';
import type { TestCase } from '../workbench/cases.js';
import { openForgedWorkbench, openWorkbench } from '../workbench/open.js';
import type { Opened } from '../workbench/open.js';
import { coverageOf, runCases } from '../workbench/run-cases.js';
import { complain, readInput, UNREADABLE } from './io.js';
import type { Io } from './io.js';
import { jsonReport, passed, textReport } from './test-report.js';

export interface TestOptions {
  readonly config: string;
  readonly cases: readonly string[];
  readonly json?: boolean;
}

export async function run({ config, cases, json }: TestOptions, io: Io): Promise<number> {
  // One moment for all cases: what a case says about ages must not depend on how long the others took.
  const moment = io.now();
  const opened = await openForgedWorkbench(config, io.env, () => moment);
  if (!opened.ok) return tell(opened.problems, io);
  const { bench, forge } = opened;
  const { policy } = bench.sources.snapshot();
  if (policy === undefined) return tell([bench.sources.problems().get(POLICY) ?? 'no policy is loaded'], io);
  const tests = await readAll(cases, bench.settings, io);
  if (tests === undefined) return UNREADABLE;
  const configured = remembered((time) => openWorkbench(config, io.env, () => time));
  const results = await runCases(tests, { forged: bench, forge, configured: (time = moment) => configured(time) });
  if ('issues' in results) return tell(results.issues.map(formatConfigIssue), io);
  const coverage = coverageOf(policy.lines, results);
  io.stdout(
    json === true ? `${JSON.stringify(jsonReport(results, coverage), null, 2)}\n` : textReport(results, coverage),
  );
  return results.every(passed) ? 0 : 1;
}

/** Problems that name their file and place. */
function tell(problems: readonly string[], io: Io): number {
  for (const problem of problems) io.stderr(`${problem}\n`);
  return UNREADABLE;
}

/** The cases of all files; undefined after every problem in any of them was told. */
async function readAll(files: readonly string[], settings: Settings, io: Io): Promise<readonly TestCase[] | undefined> {
  const all: TestCase[] = [];
  let whole = true;
  for (const file of files) {
    const content = await readInput(file, io);
    if (!content.ok) complain(io, content.problem);
    const read = content.ok ? casesIn(content.bytes, file, settings, io) : undefined;
    if (read === undefined) whole = false;
    else all.push(...read);
  }
  return whole ? all : undefined;
}

function casesIn(content: Uint8Array, file: string, settings: Settings, io: Io): readonly TestCase[] | undefined {
  const text = Buffer.from(content).toString('utf8');
  const whole = Buffer.from(text).equals(content);
  if (!whole) return void complain(io, `${file}: expected UTF-8 text, got other bytes: save the file as UTF-8`);
  const read = readCases(text, file, file === '-' ? '.' : dirname(file), settings, io.env);
  if (read.ok) return read.cases;
  tell(read.issues.map(formatConfigIssue), io);
  return undefined;
}

function remembered(open: (time: number) => Promise<Opened>): (time: number) => Promise<Opened> {
  const known = new Map<number, Promise<Opened>>();
  return (time) => {
    const opened = known.get(time) ?? open(time);
    known.set(time, opened);
    return opened;
  };
}
