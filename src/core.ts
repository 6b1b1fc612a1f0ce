/**
 * Everything of a running guard that depends on its settings, but for the listeners: a reload of the configuration opens
 * a new one and swaps it whole. Throws StartError where the files that the settings name are not usable.
 */
import { existsSync } from 'node:fs';
import type { TrustedRoots } from './certificate-teller.js';
import { createEngine, readersFor } from './engine.js';
import type { Engine, Memory } from './engine.js';
import { createHandler } from './handle.js';
import type { Handle } from './handle.js';
import { fromText } from './model/from.js';
import type { TrustDomain } from './model/ids.js';
import type { Settings } from './model/settings.js';
import { createQuick } from './quick/quick.js';
import { openIdentity } from './identity.js';
import type { OwnIdentity } from './identity.js';
import { openingFor } from './openers.js';
import type { Recorder } from './recorder.js';
import type { RevocationDesk } from './revocation-desk.js';
import { StartError } from './start-error.js';
import type { Remotes } from './state/remote/remotes.js';
import { CANDIDATE, openSources, POLICY } from './state/sources.js';
import type { OnSource, Sources } from './state/sources.js';

export interface Core {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly sources: Sources;
  readonly handle: Handle;
  /** Our own SVID; undefined where none is configured. */
  readonly identity: OwnIdentity | undefined;
  poll(force: boolean): Promise<void>;
  /** Takes in what sources elsewhere have brought. */
  takeIn(): Promise<void>;
  /** Ends what its sources have open. */
  close(): void;
}

/** What outlives a core. */
export interface House {
  readonly memory: Memory;
  readonly desk: RevocationDesk;
  /** What was fetched, with its age. */
  readonly remotes: Remotes;
  readonly recorder: Recorder;
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
}

export async function openCore(
  settings: Settings,
  when: 'start' | 'reload',
  { memory, desk, remotes, recorder, now, onFault }: House,
): Promise<Core> {
  // A start that is refused tells its problems once, in the refusal.
  const early: Parameters<OnSource>[] = [];
  let tell: OnSource = (...facts) => void early.push(facts);
  const readers = readersFor(settings);
  const { openers, workloadApi } = await openingFor(settings, readers, remotes);
  const identity = openIdentity(settings, workloadApi);
  const sources = await openSources(settings, readers, now(), (...facts) => tell(...facts), openers);
  try {
    if (when === 'reload') await waitForOthers(sources, now);
    refuseBadFiles(settings, sources, when);
    await refuseBadIdentity(identity, now());
  } catch (error) {
    sources.close();
    identity?.close?.();
    throw error;
  }
  tell = recorder.onSource;
  for (const facts of early) tell(...facts);
  const { mayAnswer, onOutcome, onFound, onClockStep, onFallen } = recorder;
  const told = { onFault, onClockStep, onFallen };
  const engine = createEngine({ settings, memory, snapshot: sources.snapshot, now, ...told });
  const quick = createQuick(engine.parts);
  await desk.follow(settings);
  const follow = async (force: boolean): Promise<void> => {
    await identity?.poll(now(), force);
    recorder.onOwnCertificate('identity', identity?.current(now()), identity?.from ?? '');
    recorder.onRoots(rootsOf(settings, sources));
  };
  await follow(false);
  return {
    settings,
    engine,
    sources,
    identity,
    handle: createHandler({
      ...{ check: engine.check, settings, mayAnswer, onOutcome, onFault },
      ...(quick && { quick }),
      ...(onFound && { onFound }),
    }),
    async poll(force) {
      await sources.poll(now(), force);
      await follow(force);
    },
    async takeIn() {
      await sources.takeIn(now());
      await follow(false);
    },
    close() {
      sources.close();
      identity?.close?.();
    },
  };
}

/**
 * Only the owner's own lines may be bad at start: then the guard lives, not ready, and answers policy_invalid. At a reload
 * the lines that were loaded before go on instead. A bad candidate stops nothing, since nothing is decided by it; a file
 * that is not there at all is a mistake in the configuration. What is elsewhere may come later, but a guard that serves is
 * not made to wait for it.
 */
function refuseBadFiles({ policy }: Settings, sources: Sources, when: 'start' | 'reload'): void {
  const mayBeBad = (what: string): boolean =>
    (what === POLICY && when === 'start' && existsSync(policy.source.file)) ||
    (what === CANDIDATE && existsSync(policy.candidate ?? ''));
  const bad = [...sources.fileProblems(), ...(when === 'reload' ? sources.missing() : [])];
  const problems = [...new Map(bad)].filter(([what]) => !mayBeBad(what));
  if (problems.length > 0)
    throw new StartError(
      2,
      problems.map(([, problem]) => problem),
    );
}

/** Files that are named must be usable; what the Workload API has not given yet may come later. */
async function refuseBadIdentity(identity: OwnIdentity | undefined, now: number): Promise<void> {
  await identity?.poll(now, true);
  const problem = identity?.problem();
  if (identity?.kind === 'file' && problem !== undefined) throw new StartError(2, [`${identity.from}: ${problem}`]);
}

function rootsOf({ trust }: Settings, sources: Sources): ReadonlyMap<TrustDomain, TrustedRoots> {
  const { findBundle } = sources.snapshot();
  return new Map(
    [...trust].flatMap(([domain, { bundle }]) => {
      const found = findBundle(domain);
      return typeof found === 'string' ? [] : [[domain, { anchors: found.anchors, from: fromText(bundle) }] as const];
    }),
  );
}

/** A reload must not leave the guard without keys that are one answer away. */
async function waitForOthers(sources: Sources, now: () => number): Promise<void> {
  await sources.settled();
  await sources.takeIn(now());
}
