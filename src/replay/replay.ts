/**
 * Records against a config: what would change. In: entries. Out: a tally. A whole CheckRequest has no recorded answer; it
 * is compared with what another config says, where there is one, and is undecidable otherwise.
 */
import type { Judged } from '../workbench/open.js';
import { reasonOf, shadowReason } from '../audit/record.js';
import { fromAudit } from './from-audit.js';
import type { Entry } from './read.js';
import { redecide, toldIn } from './redecide.js';
import type { Example, Tally } from './tally.js';
import type { Against, Replayed, Told } from './told.js';

/** How a whole CheckRequest is decided: as `serve` does, with keys and bundles. */
export type JudgeRaw = (bytes: Uint8Array) => Promise<Judged>;

export interface Judges {
  readonly against: Against;
  readonly now: () => Promise<JudgeRaw>;
  /** The config that is compared with; undefined where none is named. */
  readonly before: (() => Promise<JudgeRaw>) | undefined;
}

export async function replayEntry(entry: Entry, judges: Judges, tally: Tally): Promise<void> {
  switch (entry.kind) {
    case 'skipped':
      return;
    case 'bad':
      return tally.bad();
    case 'audited': {
      const { id, time, method, path, origin } = entry.record;
      return tally.add(
        toldIn(entry.record),
        fromAudit(entry.record, judges.against),
        exampleOf({ id, time, method, path, origin }),
      );
    }
    case 'recorded': {
      const { id, time, request } = entry.record;
      const { method, path } = request;
      return tally.add(
        toldIn(entry.record),
        await redecide(entry.record, judges.against),
        exampleOf({ id, time, method, path }),
      );
    }
    case 'raw':
      return replayRaw(entry.place, entry.bytes, judges, tally);
  }
}

async function replayRaw(place: string, bytes: Uint8Array, judges: Judges, tally: Tally): Promise<void> {
  const judged = await (await judges.now())(bytes);
  const now = toldOf(judged);
  const { line } = judged.outcome.findings.route ?? {};
  const example = exampleOf({
    id: place,
    method: judged.attributes?.method,
    path: judged.attributes?.path.split('?')[0],
  });
  if (judges.before !== undefined) {
    const before = toldOf(await (await judges.before())(bytes));
    return tally.add(before, { kind: 'decided', now, line }, example);
  }
  const why = 'a CheckRequest has no recorded answer; --against FILE names a config to compare with';
  const replayed: Replayed = { kind: 'undecidable', why, atBest: now, line };
  return tally.add(undefined, replayed, example);
}

export const toldOf = ({ outcome }: Pick<Judged, 'outcome'>): Told => ({
  decision: outcome.verdict.kind === 'deny' ? 'deny' : 'allow',
  reason: reasonOf(outcome),
  shadow: shadowReason(outcome),
});

/** Without what is not known. */
const exampleOf = (facts: { [Key in keyof Example]: Example[Key] | undefined }): Example =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as unknown as Example;
