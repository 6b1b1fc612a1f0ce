/**
 * Everything that the guard loads, followed, and joined into one snapshot that is swapped whole.
 * In: settings and the readers of each kind of text. Out: the snapshot of this moment, and what is wrong with it.
 */
import type { Settings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
import { candidateOf } from './candidate.js';
import { frozenBundles, frozenKeys } from './frozen.js';
import { neededOf, openAll } from './opened.js';
import type { Opened, Readers } from './opened.js';
import { openersWith } from './openers.js';
import type { Openers } from './openers.js';
import type { Kind, SourceEvent, SourceFacts, Tracked } from './tracked.js';

export type { Readers } from './opened.js';
export type { SourceEvent, SourceFacts } from './tracked.js';

export type OnSource = (event: SourceEvent, facts: SourceFacts) => void;

export interface Sources {
  snapshot(): Snapshot;
  /** Looks at every source once. `force` (SIGHUP) reads them all again. */
  poll(now: number, force?: boolean): Promise<void>;
  /** Takes in what sources elsewhere have brought; files are not looked at. */
  takeIn(now: number): Promise<void>;
  /** Calls back when `takeIn` would find something. */
  onChange(wake: () => void): void;
  /** Resolves when every source elsewhere has been asked once, and has answered or failed. */
  settled(): Promise<void>;
  /** Problems by what they concern (`policy`, `trust prod.example`, …); empty where everything is fresh. */
  problems(): ReadonlyMap<string, string>;
  /** Of files alone: what is elsewhere may come later. */
  fileProblems(): ReadonlyMap<string, string>;
  /** The problems of those that have no value at all. */
  missing(): ReadonlyMap<string, string>;
  /** Whether everything has been loaded and is not too old. */
  complete(): boolean;
  /** ms since a trust domain's bundle and an issuer's keys were vouched for by their source. */
  ages(now: number): { readonly bundles: ReadonlyMap<string, number>; readonly keys: ReadonlyMap<string, number> };
  close(): void;
}

/** The name of the owner's lines among the problems. */
export const POLICY = 'policy';
/** The name of the candidate among the problems. */
export const CANDIDATE = 'candidate';

/** One look at everything: what was found belongs together and is swapped together. */
interface Seen {
  readonly snapshot: Snapshot;
  readonly states: readonly State[];
}
interface State {
  readonly tracked: Tracked<unknown>;
  readonly problem: string | undefined;
  readonly loaded: boolean;
}

/** Looks at everything once before it returns; the caller decides what a problem at start means. */
export async function openSources(
  settings: Settings,
  readers: Readers,
  now: number,
  onSource: OnSource,
  openers: Openers = openersWith(readers, settings.policy.maxLastGood),
): Promise<Sources> {
  const opened = openAll(settings, readers, openers);
  const needed = neededOf(opened);
  const all = opened.candidate === undefined ? needed : [...needed, opened.candidate];
  const later = all.filter(({ kind }) => kind !== 'policy' || settings.policy.reload !== 'restart');
  const remote = all.filter(({ source }) => source.kind === 'remote');
  const versions: Versions = { policy: 0, candidate: 0, trust: 0, keys: 0 };
  const ending: (() => void)[] = [];

  const look = async (at: number, force: boolean, which: readonly Tracked<unknown>[]): Promise<Seen> => {
    let changed = false;
    for (const tracked of which) changed = (await follow(tracked, at, force, versions, onSource)) || changed;
    return (seen = {
      snapshot: changed ? build(opened, readers, versions, at) : seen.snapshot,
      states: statesOf(all, at),
    });
  };
  let seen: Seen = { snapshot: build(opened, readers, versions, now), states: [] };
  await look(now, true, all);

  return {
    snapshot: () => seen.snapshot,
    poll: async (at, force = false) => void (await look(at, force, later)),
    takeIn: async (at) => void (await look(at, false, remote)),
    onChange: (wake) => void ending.push(...remote.flatMap(({ source }) => source.onChange?.(wake) ?? [])),
    settled: async () => void (await Promise.all(remote.map(async ({ source }) => source.settled?.()))),
    problems: () => problemsOf(seen.states),
    fileProblems: () => problemsOf(seen.states.map(ofFiles)),
    missing: () => problemsOf(seen.states.filter(({ loaded }) => !loaded)),
    complete: () => seen.states.every(({ loaded, tracked }) => loaded || tracked === opened.candidate),
    ages: (at) => ({ bundles: agesOf(opened.bundles.values(), at), keys: agesOf(opened.keys.values(), at) }),
    close() {
      for (const end of ending) end();
      for (const { source } of all) source.close?.();
    },
  };
}

type Versions = Record<Kind, number>;

/** Whether the snapshot must be made anew. */
async function follow(
  tracked: Tracked<unknown>,
  now: number,
  force: boolean,
  versions: Versions,
  onSource: OnSource,
): Promise<boolean> {
  await tracked.source.poll(now, force);
  const noticed = tracked.notice(now);
  // Whether the policy is stale is part of the snapshot; of the others a problem alone changes no decision.
  const isPolicy = tracked.kind === 'policy' || tracked.kind === 'candidate';
  const changed = noticed.value || (isPolicy && noticed.problem);
  if (changed) versions[tracked.kind] += 1;
  for (const [event, facts] of noticed.told) onSource(event, facts);
  return changed;
}

function build(opened: Opened, readers: Readers, versions: Readonly<Versions>, now: number): Snapshot {
  const policy = opened.policy.source.current(now);
  return {
    policy,
    candidate: candidateOf(opened.candidate?.source.current(now), policy, readers.candidate),
    policyStale: opened.policy.source.problem() !== undefined,
    findBundle: frozenBundles(opened.bundles, opened.intermediates, now),
    findKeys: frozenKeys(opened.keys, now),
    versions: {
      policy: String(versions.policy),
      candidate: String(versions.candidate),
      trust: String(versions.trust),
      keys: String(versions.keys),
    },
  };
}

const statesOf = (all: readonly Tracked<unknown>[], now: number): readonly State[] =>
  all.map((tracked) => {
    const { source } = tracked;
    return { tracked, problem: source.problem(), loaded: source.current(now) !== undefined };
  });

const ofFiles = (state: State): State => {
  const { source } = state.tracked;
  return source.kind === 'file' ? state : { ...state, problem: source.startProblem?.() };
};

const problemsOf = (states: readonly State[]): ReadonlyMap<string, string> =>
  new Map(
    states.flatMap(({ tracked: { kind, names, source }, problem }) =>
      problem === undefined
        ? []
        : names.map((name) => [
            kind === 'policy' || kind === 'candidate' ? kind : `${kind} ${name}`,
            `${source.from}: ${problem}`,
          ]),
    ),
  );

const agesOf = <T>(tracked: Iterable<Tracked<T>>, now: number): ReadonlyMap<string, number> =>
  new Map([...tracked].flatMap(({ names, source }) => names.map((name) => [name, now - source.loadedAt()])));
