/** What came of the load: counts, and the first of what was wrong. */
import { PROBES } from './probes.js';
import type { Probe, ProbeName } from './probes.js';

interface Counts {
  asked: number;
  allowed: number;
  refused: number;
  /** Answers within the overlap, where the schedule allows more than one. */
  overlap: number;
  cached: number;
}

export interface Tally {
  readonly probes: ReadonlyMap<ProbeName, Readonly<Counts>>;
  readonly reasons: ReadonlyMap<string, number>;
  readonly wrong: readonly string[];
  readonly wrongCount: number;
}

export interface Teller {
  answered(probe: Probe, reason: string, cached: boolean, sent: number, at: number): void;
  failed(what: string): void;
  tally(): Tally;
}

/** Of what is wrong. */
const TOLD = 20;

export function createTeller(): Teller {
  const none = (): Counts => ({ asked: 0, allowed: 0, refused: 0, overlap: 0, cached: 0 });
  const probes = new Map<ProbeName, Counts>(PROBES.map((name) => [name, none()]));
  const reasons = new Map<string, number>();
  const wrong: string[] = [];
  let wrongCount = 0;
  const failed = (what: string): void => {
    wrongCount += 1;
    if (wrong.length < TOLD) wrong.push(what);
  };
  return {
    answered(probe, reason, cached, sent, at) {
      const counts = probes.get(probe.name) ?? none();
      const expected = probe.allowed(sent, at);
      counts.asked += 1;
      counts[reason === 'allowed' ? 'allowed' : 'refused'] += 1;
      if (expected.size > 1) counts.overlap += 1;
      if (cached) counts.cached += 1;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      if (!expected.has(reason)) failed(`${probe.name}: expected ${[...expected].join(' or ')}, got ${reason}`);
    },
    failed,
    tally: () => ({ probes, reasons, wrong, wrongCount }),
  };
}
