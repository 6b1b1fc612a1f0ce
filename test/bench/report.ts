/** Measurements → the table, as Markdown that reads well in a terminal too. Says on what it was measured, and no paths. */
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import type { InsideResult } from './inside.js';
import type { Cost } from './rounds.js';

export interface Results {
  readonly noop: readonly Cost[];
  /** By audit.allowed. */
  readonly cached: Readonly<Record<'all' | 'none', readonly Cost[]>>;
  readonly newToken: Readonly<Record<'all' | 'none', readonly Cost[]>>;
  readonly newCertificate: Readonly<Record<'all' | 'none', readonly Cost[]>>;
  /** MiB, after the last round. */
  readonly rss: Readonly<Record<'noop' | 'all' | 'none', number>>;
  readonly inside: InsideResult;
  readonly wrong: number;
  readonly checks: string;
  readonly load: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}

const cpu = (costs: readonly Cost[]): number => median(costs.map((cost) => cost.cpu));
const number = (value: number, digits = 0): string => value.toFixed(digits);

function spread(costs: readonly Cost[]): string {
  const values = costs.map((cost) => cost.cpu);
  return `${number(cpu(costs))} (${number(Math.min(...values))}–${number(Math.max(...values))})`;
}

const rate = (costs: readonly Cost[]): string =>
  `${number(median(costs.map(({ perSecond }) => perSecond)))} (${number(100 * median(costs.map(({ busy }) => busy)))} %)`;

export function report(results: Results): string {
  const { noop, cached, newToken, newCertificate, inside, rss } = results;
  const units = (costs: readonly Cost[]): string => number((cpu(costs) - cpu(noop)) / inside.verify, 1);
  const times = (costs: readonly Cost[]): string => `${number(cpu(costs) / cpu(noop), 2)} ×`;
  return `${[
    '# Performance',
    '',
    'Made anew by `npm run bench`; compare the ratios, not the numbers of two machines.',
    '',
    ...machine(results),
    '',
    '## Ratios',
    '',
    ...table(
      ['', 'audit: every record', 'audit: allowed: none'],
      [
        ['cached check ÷ no-op on grpc-js (CPU)', times(cached.all), times(cached.none)],
        ['new token − no-op, in ES256 verifications', units(newToken.all), units(newToken.none)],
        [
          'new token and certificate − no-op, in ES256 verifications',
          units(newCertificate.all),
          units(newCertificate.none),
        ],
      ],
    ),
    '',
    `One bare \`crypto.verify\` of ES256 took ${number(inside.verify, 1)} µs of CPU in the same run. A new token needs one of`,
    'them, a new token with a new certificate two.',
    '',
    '## CPU of the server for one check, µs: median (least–most) of the rounds',
    '',
    ...table(
      ['', 'no-op grpc-js', 'audit: every record', 'audit: allowed: none'],
      [
        ['cached', spread(noop), spread(cached.all), spread(cached.none)],
        ['new token of a known certificate', '', spread(newToken.all), spread(newToken.none)],
        ['new token and new certificate', '', spread(newCertificate.all), spread(newCertificate.none)],
        ['checks a second, cached (share of one core)', rate(noop), rate(cached.all), rate(cached.none)],
        ['memory (RSS) at the end, MiB', number(rss.noop), number(rss.all), number(rss.none)],
      ],
    ),
    '',
    '## In one process, without gRPC, CPU µs',
    '',
    ...table(
      ['cached', 'new token', 'new token and certificate', 'bare ES256 verification'],
      [[inside.cached, inside.newToken, inside.newCertificate, inside.verify].map((value) => number(value, 1))],
    ),
    '',
    ...method(results),
  ].join('\n')}\n`;
}

function machine({ load, checks, wrong }: Results): string[] {
  const model = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
  return [
    `- machine: ${model}, ${availableParallelism()} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
    `- load: ${load}; load average at the end ${loadavg()
      .map((value) => number(value, 1))
      .join(' ')}`,
    `- work: ${checks}`,
    `- wrong verdicts: ${wrong}`,
  ];
}

const method = ({ load }: Results): string[] => [
  '## How it is measured',
  '',
  'Servers are processes of their own, each on a Unix socket: a no-op that takes bytes and gives four constant bytes on',
  'grpc-js, and `firsthand serve` twice, once with all records in a file, once with those of denials only. They run at the same',
  'time, and take turns in every round; the order rotates. CPU is the time that the kernel accounts to all threads of the',
  'server process (schedstat in /proc), system calls for its sockets included. Requests are made in advance, have 15 headers',
  'and a fresh x-request-id each time; every answer’s reason is compared with the right one. Checks a second are those at',
  `saturation where the share of the core is near 100 %; below, the load was the limit (${load}).`,
];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)];
}
