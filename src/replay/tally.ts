/** What a replay comes to: how many records change, how, on which line, with a few examples of each. Bounded. */
import type { Line } from '../model/policy.js';
import { same, textOf } from './told.js';
import type { Replayed, Told } from './told.js';

export interface Example {
  /** Decision id, or the file. */
  readonly id: string;
  readonly time?: string;
  readonly method?: string;
  readonly path?: string;
  readonly origin?: string;
}

export interface Group {
  /** The config's line that the request belongs to now. */
  readonly line?: { readonly number: number; readonly text: string };
  readonly before?: string;
  readonly now?: string;
  /** Of undecidable ones. */
  readonly why?: string;
  count: number;
  readonly examples: Example[];
}

export interface Summary {
  readonly records: number;
  readonly unchanged: number;
  readonly changed: number;
  readonly undecidable: number;
  /** Lines that are no record. */
  readonly bad: number;
  readonly changes: readonly Group[];
  readonly undecided: readonly Group[];
}

export interface Tally {
  /** `before`: what was answered; undefined where nothing was recorded about it. */
  add(before: Told | undefined, replayed: Replayed, example: Example): void;
  bad(): void;
  summary(): Summary;
}

const EXAMPLES = 3;

export function createTally(): Tally {
  const counts = { records: 0, unchanged: 0, changed: 0, undecidable: 0, bad: 0 };
  const changes = new Map<string, Group>();
  const undecided = new Map<string, Group>();

  return {
    add(before, replayed, example) {
      counts.records += 1;
      const shown = { ...lineOf(replayed.line), ...(before && { before: answerText(before) }) };
      if (replayed.kind === 'undecidable') {
        counts.undecidable += 1;
        const now = replayed.atBest && { now: answerText(replayed.atBest) };
        return count(undecided, { ...shown, ...now, why: replayed.why }, example);
      }
      if (before !== undefined && same(before, replayed.now)) {
        counts.unchanged += 1;
        return;
      }
      counts.changed += 1;
      count(changes, { ...shown, now: answerText(replayed.now) }, example);
    },
    bad: () => void (counts.bad += 1),
    summary: () => ({ ...counts, changes: inOrder(changes), undecided: inOrder(undecided) }),
  };
}

const answerText = (told: Told): string => `${told.decision} ${textOf(told)}`;

function count(groups: Map<string, Group>, facts: Omit<Group, 'count' | 'examples'>, example: Example): void {
  const key = JSON.stringify([facts.line?.number, facts.before, facts.now, facts.why]);
  const group = groups.get(key) ?? { ...facts, count: 0, examples: [] };
  group.count += 1;
  if (group.examples.length < EXAMPLES) group.examples.push(example);
  groups.set(key, group);
}

const lineOf = (line: Line | undefined): Pick<Group, 'line'> =>
  line === undefined ? {} : { line: { number: line.number, text: `${methodsText(line)} ${line.path.text}` } };

function methodsText({ methods }: Line): string {
  switch (methods.kind) {
    case 'star':
      return '*';
    case 'grpc':
      return 'GRPC';
    case 'named':
      return methods.names.join(',');
  }
}

/** By line, what no line declares last; within a line the most frequent first. */
const inOrder = (groups: ReadonlyMap<string, Group>): Group[] =>
  [...groups.values()].sort((a, b) => orderOf(a) - orderOf(b) || b.count - a.count);

const orderOf = ({ line }: Group): number => line?.number ?? Number.MAX_SAFE_INTEGER;
