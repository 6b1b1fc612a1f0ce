/** A summary → text for a person. Strangers' words (paths, hosts) are shown as JSON would, so that nothing in them moves a line. */
import type { Example, Group, Summary } from './tally.js';

export function renderSummary(summary: Summary): string {
  const { records, unchanged, changed, undecidable, bad } = summary;
  const counts = [`${unchanged} unchanged`, `${changed} changed`, `${undecidable} undecidable`];
  if (bad > 0) counts.push(`${bad} not readable`);
  return [
    `${plural(records, 'record')}: ${counts.join(', ')}`,
    ...part('changed', summary.changes),
    ...part('undecidable', summary.undecided),
    '',
  ].join('\n');
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

function part(title: string, groups: readonly Group[]): string[] {
  if (groups.length === 0) return [];
  const lines = ['', title];
  let last: string | undefined;
  for (const group of groups) {
    const head = group.line === undefined ? 'no line' : `line ${group.line.number}  ${group.line.text}`;
    if (head !== last) lines.push(`  ${head}`);
    last = head;
    lines.push(
      `    ${groupText(group)}  ${group.count} x`,
      ...group.examples.map((each) => `      ${exampleText(each)}`),
    );
  }
  return lines;
}

function groupText({ before, now, why }: Group): string {
  const was = before ?? 'nothing recorded';
  if (why === undefined) return `${was} -> ${now ?? ''}`;
  return `${was}: ${why}${now === undefined ? '' : `; at best ${now}`}`;
}

const exampleText = ({ time, method, path, origin, id }: Example): string =>
  [time, method && plain(method), path && plain(path), origin && plain(origin), plain(id)]
    .filter((text) => text !== undefined && text !== '')
    .join('  ');

/** Printable ASCII as it is, anything else quoted. */
const plain = (text: string): string => (/^[\x21-\x7e]*$/.test(text) ? text : JSON.stringify(text));
