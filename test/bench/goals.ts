/** What was to be reached, beside what was measured. A ratio is taken within each round; its median counts. */
import { median } from './measure.js';
import type { Cost } from './measure.js';
import type { Results } from './results.js';
import type { Kind, Rounds } from './rounds.js';
import type { Name } from './subjects.js';

export interface Goal {
  readonly what: string;
  readonly limit: number;
  /** `most`: the measured value may not be larger. */
  readonly bound: 'most' | 'least';
  readonly unit: '×' | 'MiB';
  /** NaN where it was not measured. */
  readonly measured: number;
}

export const isReached = ({ limit, bound, measured }: Goal): boolean | undefined =>
  Number.isNaN(measured) ? undefined : bound === 'most' ? measured <= limit : measured >= limit;

export const goalsOf = (results: Results): Goal[] => [
  ...(results.rounds === undefined ? [] : [...hot(results.rounds), ...cold(results.rounds, results.bare)]),
  ...resources(results),
];

const most = (what: string, limit: number, measured: number, unit: Goal['unit'] = '×'): Goal => ({
  ...{ what, limit, measured, unit },
  bound: 'most',
});

type Side = readonly [Name, Kind?];

/** Of two servers, or two kinds of work. */
export function ratio(rounds: Rounds, a: Side, b: Side, of: (cost: Cost) => number = ({ cpu }) => cpu): number {
  const [above, below] = [rounds.costs(a[0], a[1] ?? 'allows'), rounds.costs(b[0], b[1] ?? 'allows')];
  return median(above.flatMap((cost, n) => (below[n] === undefined ? [] : [of(cost) / of(below[n])])));
}

function hot(rounds: Rounds): Goal[] {
  const cpu = (what: string, limit: number, a: Name, b: Name): Goal => most(what, limit, ratio(rounds, [a], [b]));
  const perSecond = ratio(rounds, ['lean, all records'], ['no-op grpc-go'], (cost) => cost.perSecond);
  const denials = ratio(rounds, ['lean, all records', 'denials'], ['lean, all records', 'someAllows']);
  return [
    cpu('CPU, lean, all records ÷ no-op grpc-go', 0.5, 'lean, all records', 'no-op grpc-go'),
    cpu('CPU, lean, all records ÷ no-op grpc-js', 0.25, 'lean, all records', 'no-op grpc-js'),
    cpu('CPU, lean, sampled out ÷ no-op grpc-go', 0.35, 'lean, denials only', 'no-op grpc-go'),
    cpu('CPU, lean, sampled out ÷ no-op grpc-js', 0.15, 'lean, denials only', 'no-op grpc-js'),
    {
      what: 'checks a second, lean, all records ÷ no-op grpc-go',
      limit: 3,
      bound: 'least',
      unit: '×',
      measured: perSecond,
    },
    ...[1000, 5000].map((rate) => most(`p99 at ${rate}/s, lean ÷ no-op grpc-go`, 1, lateness(rounds, rate))),
    most('CPU, a cached denial ÷ a cached allow, lean, all records', 1, denials),
    cpu('CPU, over grpc-js, sampled out ÷ no-op grpc-js', 1.15, 'grpc-js, denials only', 'no-op grpc-js'),
    cpu('CPU, over grpc-js, all records ÷ no-op grpc-js', 1.15, 'grpc-js, all records', 'no-op grpc-js'),
    cpu('CPU, 1,000 lines ÷ 10 lines', 1.1, 'lean, 1000 lines', 'lean, denials only'),
  ];
}

function lateness(rounds: Rounds, rate: number): number {
  const [ours, theirs] = [rounds.lateness('lean, all records', rate), rounds.lateness('no-op grpc-go', rate)];
  return median(ours.flatMap(({ p99 }, n) => (theirs[n] === undefined ? [] : [p99 / theirs[n].p99])));
}

/** In bare verifications of the same run. */
function cold(rounds: Rounds, bare: readonly number[]): Goal[] {
  const paid = (kind: Kind): number =>
    median(rounds.costs('lean, denials only', kind).map(({ cpu }) => cpu)) / median(bare);
  return [
    most('CPU, a new ES256 token ÷ one bare crypto.verify', 2, paid('newTokens')),
    most('CPU, a new token and certificate ÷ one bare crypto.verify', 4, paid('newCertificates')),
  ];
}

function resources({ memory, starts, flood }: Results): Goal[] {
  const lean = memory.find(({ name }) => name === 'lean, all records');
  const start = starts.find(({ name }) => name === 'lean, all records');
  const rss = flood?.rss ?? [];
  const [middle, end] = [rss.slice(rss.length / 2, (rss.length * 3) / 4), rss.slice((rss.length * 3) / 4)];
  return [
    ...(lean === undefined ? [] : [most('RSS idle', 64, lean.idle, 'MiB')]),
    ...(lean === undefined ? [] : [most('RSS after 200,000 checks over 10,000 tokens', 100, lean.after, 'MiB')]),
    ...(flood === undefined
      ? []
      : [most('RSS under new tokens, last quarter ÷ the one before', 1.05, median(end) / median(middle))]),
    ...(start === undefined ? [] : [most('cold start to the first answer ÷ node -e 0', 5, start.first / start.node)]),
  ];
}
