/** The result for people: one line for each row, and below it what differs. */
import type { Verdict } from './judge.js';
import type { Row, Section } from './row.js';

const COLUMNS = [
  '',
  'what',
  'caller → where',
  'request',
  'token',
  'answer',
  'reason',
  'origin',
  'cache',
  'ms',
  'guard µs',
] as const;

export function table(verdicts: readonly Verdict[], sections: readonly Section[]): string {
  const byRow = new Map(verdicts.map((verdict) => [verdict.performance.row, cells(verdict)]));
  const all = [COLUMNS, ...byRow.values()];
  const widths = COLUMNS.map((_, at) => Math.max(...all.map((line) => (line[at] ?? '').length)));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  const told = sections.flatMap(({ title, rows }) => ['', title, ...rows.map((row) => line(byRow.get(row) ?? []))]);
  return [line(COLUMNS), ...told, '', ...verdicts.flatMap(complaints)].join('\n');
}

const complaints = (verdict: Verdict): string[] =>
  verdict.differences.map((difference) => `✗ ${verdict.performance.row.name}: ${difference}`);

function cells({ performance, record, differences }: Verdict): string[] {
  const { row, answer, took } = performance;
  return [
    differences.length === 0 ? '✓' : '✗',
    row.name,
    `${row.as ?? 'no certificate'} → ${row.to}`,
    `${request(row)}${row.times === 1 ? '' : ` ×${row.times}`}`,
    row.token ?? '',
    answer.grpcStatus === undefined ? String(answer.status) : `grpc ${answer.grpcStatus}`,
    text(record?.['reason']) || '(not asked)',
    text(record?.['origin']).replace('spiffe://', ''),
    text(record?.['cache']),
    took.toFixed(1),
    String(record?.['latency_us'] ?? ''),
  ];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function request(row: Row): string {
  const headers = [...(row.forgedBy === null ? [] : ['xfcc']), ...row.headers.map(([name]) => name)];
  return [`${row.method} ${row.path}`, ...headers.map((name) => `+${name}`)].join(' ');
}
