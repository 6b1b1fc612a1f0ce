/** `npm run bench -- [--quick] [--only PART,…] [--flood 10m]`: words in; what to do, or what is wrong with them. */
import { FULL, QUICK } from './plan.js';
import type { Plan } from './plan.js';

export const PARTS = ['rounds', 'memory', 'start', 'flood', 'envoy'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  readonly plan: Plan;
  readonly parts: readonly Part[];
  /** Nothing was shortened or left out. */
  readonly whole: boolean;
}

export function readOptions(words: readonly string[]): Options | string {
  let plan = FULL;
  let parts: readonly Part[] = PARTS;
  let ms: number | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === '--quick') plan = QUICK;
    else if (word === '--only') {
      const named = (words[(at += 1)] ?? '').split(',');
      parts = PARTS.filter((part) => named.includes(part));
      if (parts.length !== named.length) return `--only takes some of ${PARTS.join(', ')}, comma-separated`;
    } else if (word === '--flood') {
      ms = duration(words[(at += 1)] ?? '');
      if (ms === undefined) return '--flood takes a time like 90s or 10m';
    } else return `unknown option ${word}; there are --quick, --only PART,… and --flood TIME`;
  }
  const whole = plan === FULL && parts.length === PARTS.length;
  return { plan: ms === undefined ? plan : { ...plan, flood: { ...plan.flood, ms } }, parts, whole };
}

function duration(text: string): number | undefined {
  const [, count, unit] = /^([1-9][0-9]{0,3})(s|m)$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (unit === 's' ? 1000 : 60_000);
}
