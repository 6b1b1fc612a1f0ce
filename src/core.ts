/**
 * Everything of a running guard that depends on its settings, but for the listeners: a reload of the configuration opens
 * a new one and swaps it whole. Throws StartError where the files that the settings name are not usable.
 */
import { existsSync } from 'node:fs';
import { createEngine, readersFor } from './engine.js';
import type { Engine, Memory } from './engine.js';
import { createHandler } from './handle.js';
import type { Handle } from './handle.js';
import type { Settings } from './model/settings.js';
import { createQuick } from './quick/quick.js';
import type { Recorder } from './recorder.js';
import { StartError } from './start-error.js';
import { followRevocations } from './state/revocation-file.js';
import { CANDIDATE, openSources, POLICY } from './state/sources.js';
import type { OnSource, Sources } from './state/sources.js';
import type { WatchedFile } from './state/watched-file.js';

export interface Core {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly sources: Sources;
  readonly handle: Handle;
  /** Undefined where the revocation file is fine, or none is configured. */
  readonly revocationProblem: () => string | undefined;
  poll(force: boolean): Promise<void>;
}

export async function openCore(
  settings: Settings,
  when: 'start' | 'reload',
  memory: Memory,
  recorder: Recorder,
  now: () => number,
  onFault: (fault: unknown) => void,
): Promise<Core> {
  // A start that is refused tells its problems once, in the refusal.
  const early: Parameters<OnSource>[] = [];
  let tell: OnSource = (...facts) => void early.push(facts);
  const sources = await openSources(settings, readersFor(settings), now(), (...facts) => tell(...facts));
  refuseBadFiles(settings, sources, when);
  tell = recorder.onSource;
  for (const facts of early) tell(...facts);
  const { mayAnswer, onOutcome, onFound, onClockStep } = recorder;
  const engine = createEngine({ settings, memory, snapshot: sources.snapshot, now, onFault, onClockStep });
  const quick = createQuick(engine.parts);
  const revocations = await openRevocations(settings, memory, recorder, now());
  return {
    settings,
    engine,
    sources,
    handle: createHandler({
      ...{ check: engine.check, settings, mayAnswer, onOutcome, onFault },
      ...(quick && { quick }),
      ...(onFound && { onFound }),
    }),
    revocationProblem: () => revocations?.problem(),
    async poll(force) {
      await sources.poll(now(), force);
      await revocations?.poll(now(), force);
    },
  };
}

/**
 * Only the owner's own lines may be bad at start: then the guard lives, not ready, and answers policy_invalid. At a reload
 * the lines that were loaded before go on instead. A bad candidate stops nothing, since nothing is decided by it; a file
 * that is not there at all is a mistake in the configuration.
 */
function refuseBadFiles({ policy }: Settings, sources: Sources, when: 'start' | 'reload'): void {
  const mayBeBad = (what: string): boolean =>
    (what === POLICY && when === 'start' && existsSync(policy.source.file)) ||
    (what === CANDIDATE && existsSync(policy.candidate ?? ''));
  const problems = [...sources.problems()].filter(([what]) => !mayBeBad(what));
  if (problems.length > 0)
    throw new StartError(
      2,
      problems.map(([, problem]) => problem),
    );
}

async function openRevocations(
  { revocation }: Settings,
  memory: Memory,
  recorder: Recorder,
  now: number,
): Promise<WatchedFile<unknown> | undefined> {
  if (revocation.file === null) return undefined;
  const followed = followRevocations(
    revocation.file,
    memory.revocations,
    recorder.onRevocation,
    recorder.onRevocationProblems,
  );
  await followed.poll(now, true);
  return followed;
}
