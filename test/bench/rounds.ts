/**
 * The rounds: all servers run at once, and take turns at the load, so that the ratios within a round are of one machine in one
 * state. Out: for each server and kind of work the costs, for each rate the lateness, in the order of the rounds.
 */
import type { Corpus } from './corpus.js';
import { atRate, rotated, saturate } from './measure.js';
import type { Bench, Cost, Lateness, Load, Target } from './measure.js';
import type { Plan } from './plan.js';
import { writePrepared } from './prepared.js';
import type { Server } from './processes.js';
import type { Name, Subject } from './subjects.js';

export type Kind = 'allows' | 'someAllows' | 'denials' | 'draws' | 'newTokens' | 'newCertificates';
export const RATES = [1000, 5000] as const;

export interface Rounds {
  readonly costs: (name: Name, kind: Kind) => readonly Cost[];
  readonly lateness: (name: Name, rate: number) => readonly Lateness[];
}

type Opened = Target & { readonly name: Name };
type File = (kind: Kind, round: number) => string;

export async function goRounds(
  bench: Bench,
  subjects: readonly Subject[],
  corpus: Corpus,
  plan: Plan,
  folder: string,
  say: (text: string) => void,
): Promise<Rounds> {
  const file: File = (kind, round) => `${folder}/${kind}-${kind.startsWith('new') ? round : 0}.bin`;
  writeRequests(corpus, plan, file);
  const servers: Server[] = [];
  const tables = new Map<string, unknown[]>();
  const keep = (key: string, value: unknown): void => void tables.set(key, [...(tables.get(key) ?? []), value]);
  try {
    const opened: Opened[] = [];
    for (const { name, decides, start } of subjects) {
      const server = await start();
      servers.push(server);
      opened.push({ name, decides, server });
    }
    for (const one of opened) await warm(bench, one, plan, file);
    const began = performance.now();
    for (let round = 0; round < plan.rounds; round += 1) {
      const spent = performance.now() - began;
      if (round > 0 && spent + spent / round > plan.patience) {
        say(`only ${round} of ${plan.rounds} rounds: this machine is slow or busy`);
        break;
      }
      say(`round ${round + 1} of ${plan.rounds}`);
      await goRound({ bench, opened, plan, file, keep }, round);
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  const of = <T>(key: string): readonly T[] => (tables.get(key) ?? []) as T[];
  return {
    costs: (name, kind) => of<Cost>(`${name} ${kind}`),
    lateness: (name, rate) => of<Lateness>(`${name} ${rate}`),
  };
}

async function warm(bench: Bench, one: Opened, plan: Plan, file: File): Promise<void> {
  for (let pass = 0; pass < 2; pass += 1)
    for (const kind of one.decides ? (['draws', 'denials'] as const) : (['draws'] as const))
      await saturate(bench, one, { file: file(kind, 0), until: 'once' });
  await saturate(bench, one, { file: file('draws', 0), until: plan.warm });
}

interface Round {
  readonly bench: Bench;
  readonly opened: readonly Opened[];
  readonly plan: Plan;
  readonly file: File;
  readonly keep: (key: string, value: unknown) => void;
}

/** What is compared follows each other closely: the same work for all servers, then the next; the shortest in several slices. */
async function goRound({ bench, opened, plan, file, keep }: Round, round: number): Promise<void> {
  const guards = opened.filter(({ decides }) => decides);
  const pay = async (one: Opened, kind: Kind, until: Load['until']): Promise<void> =>
    keep(`${one.name} ${kind}`, await saturate(bench, one, { file: file(kind, round), until }));
  const slice = plan.saturated / SLICES;
  for (let n = 0; n < SLICES; n += 1)
    for (const one of rotated(opened, round * SLICES + n)) {
      await pay(one, 'allows', slice);
      if (one.decides) for (const kind of rotated(PAIRED, n)) await pay(one, kind, slice / 2);
    }
  for (const one of rotated(guards, round)) await pay(one, 'draws', plan.saturated / 2);
  for (const rate of RATES)
    for (const one of rotated(opened, round)) {
      const late = await atRate(bench, one, { file: file('allows', 0), until: plan.paced }, rate);
      keep(`${one.name} ${rate}`, late);
    }
  for (const kind of ['newTokens', 'newCertificates'] as const)
    for (const one of rotated(guards, round)) await pay(one, kind, 'once');
}

/** Of the time at saturation in each round. */
const SLICES = 3;
const PAIRED = ['someAllows', 'denials'] as const;

/** New tokens are new to each server: they do not share their memory. */
function writeRequests(corpus: Corpus, plan: Plan, file: File): void {
  for (const kind of ['draws', 'allows', 'someAllows', 'denials'] as const) writePrepared(file(kind, 0), corpus[kind]);
  for (let round = 0; round < plan.rounds; round += 1) {
    writePrepared(file('newTokens', round), corpus.newTokens(plan.cold));
    writePrepared(file('newCertificates', round), corpus.newCertificates(plan.cold));
  }
}
