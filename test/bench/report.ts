/** Measurements → docs/performance.md. Says on what it was measured, and no paths. */
import { availableParallelism, loadavg } from 'node:os';
import { goalsOf, isReached } from './goals.js';
import type { Goal } from './goals.js';
import { median } from './measure.js';
import type { Cost } from './measure.js';
import type { Flood } from './memory.js';
import type { EnvoyResult, Way } from './envoy.js';
import type { Results } from './results.js';
import { RATES } from './rounds.js';
import type { Kind, Rounds } from './rounds.js';
import { cpuModel } from './starting.js';
import { number, spread, table } from './table.js';
import type { Name } from './subjects.js';

export function report(results: Results): string {
  const { rounds, names, flood, envoy } = results;
  const parts = [
    head(results),
    goals(goalsOf(results)),
    ...(rounds === undefined ? [] : [cpuTable(rounds, names, results.bare), latencyTable(rounds, names)]),
    resourcesTable(results),
    ...(flood === undefined ? [] : [floodText(flood)]),
    ...(envoy === undefined ? [] : [envoyTable(envoy)]),
    METHOD,
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const head = ({ work, load, answers, wrong, turnedAway, lost }: Results): string[] => [
  '# Performance',
  '',
  'Made anew by `npm run bench`; compare the ratios, not the numbers of two machines.',
  '',
  `- machine: ${cpuModel()}, ${availableParallelism()} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
  `- load: ${load}; load average at the end ${loadavg()
    .map((value) => number(value, 1))
    .join(' ')}`,
  `- work: ${work}`,
  `- answers whose verdict was compared: ${answers}, wrong: ${wrong}, without an answer: ${lost}, turned away for want of time: ${turnedAway}`,
];

function goals(all: readonly Goal[]): string[] {
  const word = { true: 'yes', false: 'no', undefined: 'not measured' } as const;
  const digits = (unit: Goal['unit']): number => (unit === 'MiB' ? 0 : 2);
  const rows = all.map((goal) => [
    goal.what,
    `${goal.bound === 'most' ? '≤' : '≥'} ${goal.limit} ${goal.unit}`,
    `${number(goal.measured, digits(goal.unit))} ${goal.unit}`,
    word[`${isReached(goal)}`],
  ]);
  return ['## Goals', '', ...table(['', 'goal', 'measured', 'reached'], rows)];
}

function cpuTable(rounds: Rounds, names: readonly Name[], bare: readonly number[]): string[] {
  const paid = (name: Name, kind: Kind): string => spread(rounds.costs(name, kind).map(({ cpu }) => cpu));
  const of = (name: Name, part: (cost: Cost) => number): number => median(rounds.costs(name, 'allows').map(part));
  const rows = names.map((name) => [
    name,
    paid(name, 'allows'),
    paid(name, 'denials'),
    paid(name, 'draws'),
    paid(name, 'newTokens'),
    paid(name, 'newCertificates'),
    `${number(of(name, ({ perSecond }) => perSecond))} (${number(100 * of(name, ({ busy }) => busy))} %)`,
  ]);
  const columns = ['cached allow', 'cached denial', 'mix', 'new token', 'new token and certificate', 'checks/s (core)'];
  return [
    '## CPU of the server for one check, µs: median (least–most) of the rounds',
    '',
    ...table(['', ...columns], rows),
    '',
    `One bare \`crypto.verify\` of ES256 took ${number(median(bare), 1)} µs of CPU in the same run.`,
  ];
}

function latencyTable(rounds: Rounds, names: readonly Name[]): string[] {
  const shown = (name: Name, rate: number): string => {
    const all = rounds.lateness(name, rate);
    const of = (part: 'p50' | 'p99' | 'p999'): string => number(median(all.map((late) => late[part])), 3);
    const unsent = all.reduce((sum, late) => sum + late.unsent, 0);
    return `${of('p50')} / ${of('p99')} / ${of('p999')}${unsent > 0 ? `, ${unsent} unsent` : ''}`;
  };
  return [
    '## Latency at a fixed rate, ms: p50 / p99 / p99.9, medians of the rounds',
    '',
    ...table(
      ['', ...RATES.map((rate) => `${rate}/s`)],
      names.map((name) => [name, ...RATES.map((rate) => shown(name, rate))]),
    ),
  ];
}

function resourcesTable({ memory, starts }: Results): string[] {
  const names = [...new Set([...memory, ...starts].map(({ name }) => name))];
  if (names.length === 0) return [];
  const rows = names.map((name) => {
    const used = memory.find((one) => one.name === name);
    const start = starts.find((one) => one.name === name);
    return [
      name,
      used === undefined ? '' : number(used.idle),
      used === undefined ? '' : number(used.after),
      start === undefined ? '' : `${number(start.first)} (${number(start.first / start.node, 1)} × node -e 0)`,
    ];
  });
  const columns = ['RSS idle, MiB', 'RSS after 200,000 checks, MiB', 'cold start to the first answer, ms'];
  return ['## Memory and start', '', ...table(['', ...columns], rows)];
}

const floodText = ({ rss, seconds, answers, turnedAway, p99, max }: Flood): string[] => [
  '## New tokens without end',
  '',
  `${answers} tokens that nobody had seen in ${seconds} s, lean, all records, ${turnedAway} of them turned away for want of time. RSS in MiB, at equal intervals from before the first:`,
  '',
  rss.map((value) => number(value)).join(' '),
  '',
  `Latency: the worst p99 of an interval was ${number(p99, 2)} ms, the longest of all ${number(max, 1)} ms.`,
];

function envoyTable({ perSecond, late }: EnvoyResult): string[] {
  const ways: readonly Way[] = ['without ext_authz', 'with ext_authz'];
  const rows = ways.map((way) => [
    way,
    number(perSecond[way]),
    ...(['p50', 'p99', 'p999'] as const).map((part) => number(late[way][part], 3)),
  ]);
  return [
    '## Through a real Envoy, mTLS, one worker; the guard on the lean listener with all records',
    '',
    ...table(['', 'requests/s', 'p50 at 1000/s, ms', 'p99, ms', 'p99.9, ms'], rows),
  ];
}

const METHOD = [
  '## How it is measured',
  '',
  'Servers are processes of their own on Unix sockets, all on one core; the load has the others. `no-op` takes the bytes of a',
  'request and gives four constant bytes: on grpc-js, on grpc-go (raw bytes), and on the lean listener; `no-op grpc-go` without',
  'more decodes the generated CheckRequest, as each authorization server in Go does. `all records` writes a line for each',
  'check into a file, `denials only` is `audit.allowed: none`. All run at the same time and take turns in each round; the order',
  'rotates, and a ratio is taken within each round. CPU is what the kernel accounts to all threads of the server (schedstat in',
  '/proc), system calls included. Requests are made in advance, have 15 headers and a fresh x-request-id each time, and go out as',
  'Envoy sends them; the reason of each answer is compared with the right one. At saturation 96 checks wait at any time. At a',
  'fixed rate a request counts from when it was due, so a server that stalls is charged for all that had to wait. Cold checks',
  'are counted whole: reading, transport, verification, record. A cold start is timed from the command to the first right answer',
  'to a check.',
];
