/** Numbers as text, and tables as Markdown that read well in a terminal too. */
import { median } from './measure.js';

export const number = (value: number, digits = 0): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');

/** median (least–most) */
export function spread(values: readonly number[], digits = 1): string {
  if (values.length === 0) return '';
  const show = (value: number): string => number(value, digits);
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)];
}
