/** Results → the report, as Markdown. A mutant counts as noticed where a test failed, ran for ever, or the compiler refused. */
import type { Mutant } from './mutants.js';
import { TARGETS } from './targets.js';

export interface Result {
  readonly target: string;
  readonly mutant: Mutant;
  readonly verdict: 'killed' | 'timed out' | 'types' | 'survived' | 'equivalent';
  /** Which test noticed; for an equivalent mutant the reason why nobody can. */
  readonly by: string;
}

export interface Circumstances {
  readonly command: string;
  readonly minutes: number;
  /** How many mutants there are; a sample holds fewer. */
  readonly total: number;
}

/** Share of mutants that must be noticed where a mistake would be a hole. */
const GOAL = 0.9;

export function report(results: readonly Result[], { command, minutes, total }: Circumstances): string {
  const rows = [...TARGETS.map(({ name }) => name), 'all'].flatMap((name) => {
    const own = name === 'all' ? results : results.filter(({ target }) => target === name);
    return own.length === 0 ? [] : [row(name, own)];
  });
  const equivalent = results.filter(({ verdict }) => verdict === 'equivalent');
  return [
    '# Mutation testing: the last run',
    '',
    `\`${command}\`: ${String(results.length)} of ${String(total)} mutants, ${minutes.toFixed(0)} minutes.`,
    'A mutant is the source with one small mistake in it; it is noticed where a test fails or runs for ever, or the compiler refuses it.',
    '',
    '| where | mutants | killed | timed out | types | survived | equivalent | noticed |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Survivors',
    '',
    ...listed(results.filter(({ verdict }) => verdict === 'survived').map(survivor)),
    '',
    '## Equivalent',
    '',
    ...listed(equivalent.map((result) => `${survivor(result)}: ${result.by}`)),
    '',
  ].join('\n');
}

export function missedGoals(results: readonly Result[]): readonly string[] {
  return TARGETS.filter(({ hasGoal }) => hasGoal).flatMap(({ name }) => {
    const own = results.filter(({ target }) => target === name);
    const noticed = share(own);
    return own.length === 0 || noticed >= GOAL
      ? []
      : [`${name}: ${percent(noticed)} noticed, the goal is ${percent(GOAL)}`];
  });
}

function row(name: string, results: readonly Result[]): string {
  const count = (verdict: Result['verdict']): number => results.filter((result) => result.verdict === verdict).length;
  const counts = [results.length, ...(['killed', 'timed out', 'types', 'survived', 'equivalent'] as const).map(count)];
  return `| ${[name, ...counts.map(String), percent(share(results))].join(' | ')} |`;
}

function share(results: readonly Result[]): number {
  const counted = results.filter(({ verdict }) => verdict !== 'equivalent');
  const survived = counted.filter(({ verdict }) => verdict === 'survived').length;
  return counted.length === 0 ? 1 : 1 - survived / counted.length;
}

/** Never rounded up to a goal. */
const percent = (part: number): string => `${(Math.floor(part * 1000) / 10).toFixed(1)} %`;

const listed = (items: readonly string[]): readonly string[] =>
  items.length === 0 ? ['none'] : [...items].sort(byPlace).map((item) => `- ${item}`);

const byPlace = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

export function survivor({ mutant }: Result): string {
  const { file, line, column, operator, was, is, source } = mutant;
  return `${file}:${String(line)}:${String(column)} ${operator}: ${code(shortened(was))} → ${code(shortened(is))} in ${code(source)}`;
}

const code = (text: string): string => `\`\`${text.startsWith('`') || text.endsWith('`') ? ` ${text} ` : text}\`\``;
const shortened = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
};
