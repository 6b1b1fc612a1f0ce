/** What is mutated, and which tests are asked about it: the nearest first, the far and slow ones only where those see nothing. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Target {
  /** What the score is told for. */
  readonly name: string;
  /** Whether a share of its mutants must be noticed: see report.ts. */
  readonly hasGoal: boolean;
  readonly sources: readonly RegExp[];
  /** Groups of test files; a later group is run only where the earlier ones found nothing. */
  readonly tests: readonly (readonly RegExp[])[];
}

const WHOLE: readonly RegExp[] = [/^test\/(cases|hostile)\//, /^test\/properties\/(?!cache|policy-)/];

export const TARGETS: readonly Target[] = [
  {
    name: 'src/origin',
    hasGoal: true,
    sources: [/^src\/origin\//],
    tests: [[/^test\/origin\//], WHOLE],
  },
  {
    name: 'src/policy',
    hasGoal: true,
    sources: [/^src\/policy\//],
    tests: [[/^test\/policy\//], [/^test\/properties\/policy-/], WHOLE],
  },
  {
    name: 'src/evidence (forwarded)',
    hasGoal: false,
    sources: [/^src\/evidence\/forwarded/],
    tests: [[/^test\/evidence\/forwarded/], WHOLE],
  },
  {
    name: 'the cache: recall, decision-cache, instant',
    hasGoal: true,
    sources: [/^src\/recall\.ts$/, /^src\/state\/decision-cache\.ts$/, /^src\/model\/instant\.ts$/],
    tests: [
      [/^test\/recall\.test/, /^test\/state\/decision-cache/, /^test\/model\/instant/],
      [/^test\/properties\/cache\.test/],
      WHOLE,
    ],
  },
  {
    name: 'the short way: src/quick and its tables',
    hasGoal: true,
    sources: [/^src\/quick\//, /^src\/state\/(interned|tuples|shelf)\.ts$/],
    tests: [
      [/^test\/quick\//, /^test\/state\/tables/],
      [/^test\/properties\/quick\.test/],
      [/^test\/wire\/(glance|write-response)/, /^test\/hostile\/cached/, /^test\/audit\/record/],
      WHOLE,
    ],
  },
  {
    name: 'src/check.ts, src/steps.ts',
    hasGoal: false,
    sources: [/^src\/(check|steps)\.ts$/],
    tests: [[/^test\/check/], WHOLE, [/^test\/properties\/cache\.test/]],
  },
  {
    name: 'src/model (path, patterns)',
    hasGoal: false,
    sources: [/^src\/model\/(path|patterns)\.ts$/],
    tests: [[/^test\/model\//, /^test\/request\//], [/^test\/policy\//, /^test\/properties\/policy-/], WHOLE],
  },
];

/** Of the model-based tests only the run of the right engine: its others prove something about the test itself. */
export const ONLY_TESTS: ReadonlyMap<string, string> = new Map([
  ['test/properties/cache.test.ts', 'answer alike over'],
  ['test/properties/quick.test.ts', 'answer and record alike over a long'],
]);

export function filesBelow(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

export const matching = (files: readonly string[], patterns: readonly RegExp[]): readonly string[] =>
  files.filter((file) => patterns.some((pattern) => pattern.test(file)));

/** `first`: files that are asked before all others, because they are the likeliest to notice. */
export function testGroups(
  target: Target,
  files: readonly string[],
  first: readonly string[] = [],
): readonly (readonly string[])[] {
  const groups = target.tests.map((patterns) => matching(files, patterns).filter((file) => file.endsWith('.test.ts')));
  const early = first.filter((file) => groups.some((group) => group.includes(file)));
  return [
    ...early.map((file) => [file]),
    ...groups.map((group) => group.filter((file) => !early.includes(file))),
  ].filter((group) => group.length > 0);
}

/** The test file of the same name. */
export const mirrorOf = (source: string): string => source.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
