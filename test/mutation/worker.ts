/**
 * A process that holds one test runner over one copy of the project, and is asked about one mutant after the other. In:
 * messages with a mutated file and groups of test files. Out: which test noticed, or none. It does NOT end a mutant that
 * runs for ever: its parent does, by ending it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVitest } from 'vitest/node';
import type { TestModule, Vitest } from 'vitest/node';
import { ONLY_TESTS } from './targets.js';

export interface Job {
  readonly id: number;
  /** Undefined: the tests as they are, to see whether they are green. */
  readonly mutation: { readonly file: string; readonly text: string } | undefined;
  readonly groups: readonly (readonly string[])[];
}

export interface Finding {
  readonly id: number;
  /** Test files that failed; empty where nobody noticed. */
  readonly noticed: readonly string[];
  readonly what: string;
  /** ms */
  readonly took: number;
}

/** Told between two groups, so that the parent knows how long the next may take. */
export interface Passed {
  readonly passed: readonly string[];
}

const [root = ''] = process.argv.slice(2);

const vitest = await createVitest(
  'test',
  {
    root,
    config: false,
    watch: false,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: [{}],
    silent: true,
    bail: 1,
  },
  { cacheDir: join(root, '.cache'), server: { watch: null } },
);
await vitest.standalone();

process.on('message', (job: Job) => void answer(job, vitest));
// The tests run in processes of this one's group: whatever runs for ever in there ends with it.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
process.send?.('ready');

async function answer(job: Job, runner: Vitest): Promise<void> {
  const started = performance.now();
  const failure = await withMutation(job, runner, () => firstFailure(job, runner));
  const finding: Finding = { id: job.id, ...failure, took: performance.now() - started };
  process.send?.(finding);
}

async function withMutation<T>({ mutation }: Job, runner: Vitest, work: () => Promise<T>): Promise<T> {
  if (mutation === undefined) return work();
  const file = join(root, mutation.file);
  const original = readFileSync(file, 'utf8');
  const put = (text: string): void => {
    writeFileSync(file, text);
    runner.invalidateFile(file);
  };
  put(mutation.text);
  try {
    return await work();
  } finally {
    put(original);
  }
}

async function firstFailure({ groups }: Job, runner: Vitest): Promise<Pick<Finding, 'noticed' | 'what'>> {
  for (const group of groups) {
    const project = runner.getRootProject();
    const specifications = group.map((file) => {
      const only = ONLY_TESTS.get(file);
      return project.createSpecification(
        join(root, file),
        only === undefined ? {} : { testNamePattern: new RegExp(only) },
      );
    });
    const { testModules, unhandledErrors } = await runner.runTestSpecifications(specifications);
    // The runner tells of everything that it has ever run.
    const failed = testModules.filter((each) => group.includes(nameOf(each)) && !each.ok());
    if (failed.length > 0) return { noticed: failed.map(nameOf), what: firstMessage(failed[0]) };
    if (unhandledErrors.length > 0) return { noticed: [...group], what: String(unhandledErrors[0]) };
    const passed: Passed = { passed: group };
    process.send?.(passed);
  }
  return { noticed: [], what: '' };
}

const nameOf = (module: TestModule): string => module.moduleId.slice(root.length + 1);

function firstMessage(module: TestModule | undefined): string {
  if (module === undefined) return '';
  for (const test of module.children.allTests('failed')) return test.fullName;
  return module.errors()[0]?.message ?? '';
}
