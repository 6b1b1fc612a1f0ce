/**
 * Mutation testing of what decides. Out: a report on stdout and in results.md beside this file. Exit 1 where a goal is
 * missed, 2 where the tests are not green to begin with. In: `--sample N` (default 300) and `--seed S`, or `--all`;
 * `--only TEXT[,TEXT…]` (sources whose path holds one of them); `--workers N`; `--no-write`; `--details FILE` (which test noticed
 * which mutant); `--leave-out-red` (goes on without test files that fail by themselves).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seeded } from '../helpers/random.js';
import { createCompiler } from './compiler.js';
import { runJobs } from './crew.js';
import { readEquivalent } from './equivalent.js';
import { mutantsOf } from './mutants.js';
import type { Mutant } from './mutants.js';
import { missedGoals, report, survivor } from './report.js';
import type { Result } from './report.js';
import { sandboxesOf } from './sandbox.js';
import { filesBelow, matching, mirrorOf, TARGETS, testGroups } from './targets.js';
import type { Target } from './targets.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
/** ms for one test file without a mistake. */
const PATIENCE = 180_000;
/** A mutant may take this many times as long as its tests took without it, and as much again to start. */
const SLOWER = 3;
const START = 10_000;

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: String(availableParallelism()) },
    details: { type: 'string', default: '' },
    'leave-out-red': { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
  },
});

interface Candidate {
  readonly target: Target;
  readonly mutant: Mutant;
}

const sandboxes = sandboxesOf(root);
process.on('exit', sandboxes.removeAll);
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
process.exitCode = await main();

async function main(): Promise<number> {
  const started = Date.now();
  const all = allCandidates();
  const candidates = chosen(all);
  const tests = filesBelow(sandboxes.pristine, 'test');
  const { red, took } = await before(candidates, tests);
  for (const line of red) process.stderr.write(`left out, fails by itself: ${line}\n`);
  const green = tests.filter((file) => !red.some((line) => line.startsWith(`${file}:`)));
  if (red.length > 0 && !values['leave-out-red']) {
    process.stderr.write(`the tests must be green before anything is broken; not green:\n${red.join('\n')}\n`);
    return 2;
  }
  const results = await judge(candidates, green, took);
  const command = `npm run mutation -- ${process.argv.slice(2).join(' ')}`.replace(/ -- $/, '');
  const text = report(results, { command, minutes: (Date.now() - started) / 60_000, total: all.length });
  process.stdout.write(`\n${text}`);
  if (!values['no-write']) writeFileSync(join(here, 'results.md'), text);
  if (values.details !== '') writeFileSync(values.details, JSON.stringify(results.map(withoutText), null, 1));
  const missed = missedGoals(results);
  for (const line of missed) process.stderr.write(`${line}\n`);
  return missed.length === 0 ? 0 : 1;
}

function withoutText({ mutant, ...result }: Result): object {
  return { ...result, ...mutant, text: undefined };
}

function allCandidates(): readonly Candidate[] {
  const sources = filesBelow(sandboxes.pristine, 'src').filter((file) =>
    values.only.split(',').some((text) => file.includes(text)),
  );
  return TARGETS.flatMap((target) =>
    matching(sources, target.sources).flatMap((file) =>
      mutantsOf(file, readFileSync(join(sandboxes.pristine, file), 'utf8')).map((mutant) => ({ target, mutant })),
    ),
  );
}

/** A sample that is the same for the same seed and source, in the order of the source. */
function chosen(candidates: readonly Candidate[]): readonly Candidate[] {
  const size = Number(values.sample);
  if (values.all || candidates.length <= size) return candidates;
  const random = seeded(Number(values.seed));
  const drawn = candidates.map((candidate, index) => ({ candidate, index, ticket: random.next() }));
  drawn.sort((a, b) => a.ticket - b.ticket);
  return drawn
    .slice(0, size)
    .sort((a, b) => a.index - b.index)
    .map(({ candidate }) => candidate);
}

interface Before {
  readonly red: readonly string[];
  /** ms by test file. */
  readonly took: ReadonlyMap<string, number>;
}

/** The tests as they are: which of them are not green, and how long each takes. */
async function before(candidates: readonly Candidate[], tests: readonly string[]): Promise<Before> {
  const files = [...new Set(candidates.flatMap(({ target }) => testGroups(target, tests).flat()))];
  const red: string[] = [];
  const took = new Map<string, number>();
  await runJobs(
    files.map((file, id) => () => ({ id, mutation: undefined, groups: [[file]] })),
    {
      workers: Number(values.workers),
      timeout: () => PATIENCE,
      makeSandbox: sandboxes.make,
      onOutcome: (outcome) => {
        const file = files[outcome.id] ?? '';
        if ('timedOut' in outcome) red.push(`${file}: too slow`);
        else if (outcome.noticed.length > 0) red.push(`${file}: ${outcome.what}`);
        else took.set(file, outcome.took);
      },
    },
  );
  return { red, took };
}

async function judge(
  candidates: readonly Candidate[],
  tests: readonly string[],
  took: ReadonlyMap<string, number>,
): Promise<readonly Result[]> {
  const equivalent = readEquivalent(join(here, 'equivalent.json'));
  const results: Result[] = [];
  const jobs = candidates.flatMap(({ target, mutant }, id) => {
    const why = equivalent(mutant);
    const groups = () => testGroups(target, tests, likeliest(mutant.file, results));
    if (why === undefined) return [() => ({ id, mutation: mutant, groups: groups() })];
    results.push({ target: target.name, mutant, verdict: 'equivalent', by: why });
    return [];
  });
  const compiles = createCompiler(sandboxes.pristine);
  await runJobs(jobs, {
    workers: Number(values.workers),
    timeout: (files) => START + SLOWER * files.reduce((sum, file) => sum + (took.get(file) ?? 0), 0),
    makeSandbox: sandboxes.make,
    onOutcome: (outcome) => {
      const candidate = candidates[outcome.id];
      if (candidate === undefined) return;
      const result = { target: candidate.target.name, mutant: candidate.mutant, ...verdictOf(outcome) };
      // The compiler is asked last: it is the slowest to say no, and most mutants are of the right types.
      const survived = result.verdict === 'survived' && !compiles(candidate.mutant);
      results.push(survived ? { ...result, verdict: 'types', by: 'tsc' } : result);
      progress(results, jobs.length);
    },
  });
  return results;
}

/** The test of the same name, and the one that noticed the mutant before in the same file. */
function likeliest(file: string, results: readonly Result[]): readonly string[] {
  const before = results.findLast(({ mutant, verdict }) => mutant.file === file && verdict === 'killed');
  const noticed = before?.by.split(': ')[0];
  return [...new Set([mirrorOf(file), ...(noticed === undefined ? [] : [noticed])])];
}

type OutcomeOf = Parameters<Parameters<typeof runJobs>[1]['onOutcome']>[0];

function verdictOf(outcome: OutcomeOf): Pick<Result, 'verdict' | 'by'> {
  if ('timedOut' in outcome) return { verdict: 'timed out', by: '' };
  const [by] = outcome.noticed;
  return by === undefined ? { verdict: 'survived', by: '' } : { verdict: 'killed', by: `${by}: ${outcome.what}` };
}

function progress(results: readonly Result[], all: number): void {
  const last = results.at(-1);
  if (last?.verdict === 'survived') process.stderr.write(`${survivor(last)}\n`);
  if (results.length % 20 !== 0) return;
  const survived = results.filter(({ verdict }) => verdict === 'survived').length;
  process.stderr.write(`${String(results.length)} of ${String(all)}, ${String(survived)} survived\n`);
}
