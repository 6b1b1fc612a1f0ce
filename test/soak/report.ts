/** What a soak tells at its end. */
import type { SoakReport } from './soak.js';

export function reportText(report: SoakReport): string {
  const { rotations, probes, reasons, wrong, wrongCount } = report;
  const unavailable = (reasons.get('keys_unavailable') ?? 0) + (reasons.get('bundle_unavailable') ?? 0);
  return [
    `soak under rotation, ${report.seconds.toFixed(0)} s`,
    `rotated: ${rotations.keys} keys, ${rotations.roots} roots, ${rotations.leaves} certificates of the peer, ${rotations.own} of the guard's own`,
    `keys fetched ${report.fetches} times, longest time between two ${report.longestRefresh} ms`,
    `connections to the TLS listener: ${report.connections}`,
    '',
    row(['load', 'asked', 'allowed', 'refused', 'in overlap', 'cached']),
    ...[...probes].map(([name, counts]) =>
      row([name, counts.asked, counts.allowed, counts.refused, counts.overlap, counts.cached]),
    ),
    '',
    `reasons: ${[...reasons].map(([reason, count]) => `${reason} ${count}`).join(', ')}`,
    `events: ${[...report.events].map(([event, count]) => `${event} ${count}`).join(', ')}`,
    `keys or bundle unavailable: ${unavailable}`,
    `wrong: ${wrongCount}`,
    ...wrong.map((each) => `  ${each}`),
    '',
  ].join('\n');
}

const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell, index) => (index === 0 ? String(cell).padEnd(16) : String(cell).padStart(11))).join('');
