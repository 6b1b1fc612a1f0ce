/**
 * Everything that the guard loads from files, watched, and joined into one snapshot that is swapped whole.
 * In: settings and the readers of each kind of file. Out: the snapshot of this moment.
 */
import { hash } from 'node:crypto';
import type { TrustDomain } from '../model/ids.js';
import type { Policy } from '../model/policy.js';
import type { Bundle, VerificationKey } from '../model/ports.js';
import type { DataLabel, IssuerSettings, Settings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
import { watchFile } from './watched-file.js';
import type { Parsed, WatchedFile } from './watched-file.js';

type Keys = ReadonlyMap<string, VerificationKey>;
type Ders = readonly Uint8Array[];

export interface Readers {
  readonly policy: (text: string) => Parsed<Policy>;
  /** `data`: the label of lines that have none. */
  readonly candidate: (text: string, data: DataLabel | null) => Parsed<Policy>;
  readonly bundle: (text: string) => Parsed<Ders>;
  readonly intermediates: (text: string) => Parsed<Ders>;
  readonly keys: (text: string) => Promise<Parsed<Keys>>;
}

export type SourceEvent = 'policy_loaded' | 'policy_refused' | 'bundle_changed' | 'keys_changed' | 'source_refused';
export type OnSource = (event: SourceEvent, facts: SourceFacts) => void;

export interface SourceFacts {
  readonly file: string;
  /** The trust domain or the issuer. */
  readonly name: string;
  readonly problem?: string;
  /** What a load brought and took away: revisions of the policy, SHA-256 of anchors, kids of keys. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface Sources {
  snapshot(): Snapshot;
  /** Looks at every file once. `force` (SIGHUP) reads them all again. */
  poll(now: number, force?: boolean): Promise<void>;
  /** Problems by what they concern (`policy`, `trust prod.example`, …); empty where everything is fresh. */
  problems(): ReadonlyMap<string, string>;
  /** Whether everything has been loaded and is not too old. */
  complete(): boolean;
  /** ms since a trust domain's bundle and an issuer's keys were read. */
  ages(now: number): { readonly bundles: ReadonlyMap<string, number>; readonly keys: ReadonlyMap<string, number> };
}

/** The name of the owner's lines among the problems. */
export const POLICY = 'policy';
/** The name of the candidate among the problems. */
export const CANDIDATE = 'candidate';

type Kind = 'policy' | 'candidate' | 'trust' | 'keys';
const KINDS: readonly Kind[] = ['policy', 'candidate', 'trust', 'keys'];
interface Watched<T> {
  readonly kind: Kind;
  readonly name: string;
  readonly file: WatchedFile<T>;
  /** What came and went since it was asked last. */
  readonly difference: (now: number) => Pick<SourceFacts, 'added' | 'removed'>;
}

/** `namesOf` says what a value consists of. */
function watched<T>(
  kind: Kind,
  name: string,
  file: WatchedFile<T>,
  namesOf: (value: T) => readonly string[],
): Watched<T> {
  let before: readonly string[] = [];
  const difference: Watched<T>['difference'] = (now) => {
    const value = file.current(now);
    const after = value === undefined ? [] : namesOf(value);
    const added = after.filter((item) => !before.includes(item));
    const removed = before.filter((item) => !after.includes(item));
    before = after;
    return { added, removed };
  };
  return { kind, name, file, difference };
}

const fingerprints = (ders: Ders): readonly string[] => ders.map((der) => hash('sha256', der, 'hex'));

/** Loads everything once before it returns; the caller decides what a problem at start means. */
export async function openSources(
  settings: Settings,
  readers: Readers,
  now: number,
  onSource: OnSource,
): Promise<Sources> {
  const max = settings.policy.maxLastGood;
  const { file: lines } = settings.policy.source;
  const policy = watched('policy', POLICY, watchFile(lines, readers.policy, max), ({ revision }) => [revision]);
  const candidate = openCandidate(settings, readers);
  const bundles = new Map<TrustDomain, Watched<Ders>>();
  const intermediates = new Map<TrustDomain, Watched<Ders>>();
  for (const [domain, trust] of settings.trust) {
    bundles.set(domain, watched('trust', domain, watchFile(trust.bundle, readers.bundle, max), fingerprints));
    if (trust.intermediates === null) continue;
    const between = watchFile(trust.intermediates, readers.intermediates, max);
    intermediates.set(domain, watched('trust', domain, between, fingerprints));
  }
  const keys = new Map<string, Watched<Keys>>();
  for (const { keys: file, issuer } of settings.tokens) {
    if (keys.has(file)) continue;
    keys.set(
      file,
      watched('keys', issuer, watchFile(file, readers.keys, max), (found) => [...found.keys()]),
    );
  }
  const needed: readonly Watched<unknown>[] = [
    policy,
    ...bundles.values(),
    ...intermediates.values(),
    ...keys.values(),
  ];
  const all = candidate === undefined ? needed : [...needed, candidate];
  const versions = { policy: 0, candidate: 0, trust: 0, keys: 0 };
  let availability = '';

  const build = (at: number): Snapshot => ({
    policy: policy.file.current(at),
    candidate: candidateOf(candidate?.file.current(at), policy.file.current(at), readers),
    policyStale: policy.file.problem() !== undefined,
    findBundle: frozenBundles(settings, bundles, intermediates, at),
    findKeys: frozenKeys(keys, at),
    versions: {
      policy: String(versions.policy),
      candidate: String(versions.candidate),
      trust: String(versions.trust),
      keys: String(versions.keys),
    },
  });
  let snapshot: Snapshot;

  const look = async (at: number, force: boolean, first: boolean): Promise<void> => {
    let changed = false;
    for (const source of all) {
      if (!first && source.kind === 'policy' && settings.policy.reload === 'restart') continue;
      const seen = await source.file.poll(at, force);
      if (seen === 'same') continue;
      changed = true;
      versions[source.kind] += 1;
      const problem = source.file.problem();
      onSource(eventOf(source.kind, seen), {
        file: source.file.file,
        name: source.name,
        ...source.difference(at),
        ...(problem === undefined ? {} : { problem }),
      });
    }
    // A last good value that grew too old is a change as well.
    const available = all.map(({ file }) => (file.current(at) === undefined ? '-' : '+')).join('');
    if (!changed && available === availability) return;
    if (available !== availability) for (const kind of KINDS) versions[kind] += 1;
    availability = available;
    snapshot = build(at);
  };
  snapshot = build(now);
  await look(now, true, true);

  return {
    snapshot: () => snapshot,
    poll: (at, force = false) => look(at, force, false),
    problems: () =>
      new Map(
        all.flatMap(({ kind, name, file }) =>
          file.problem() === undefined
            ? []
            : [
                [
                  kind === 'policy' || kind === 'candidate' ? kind : `${kind} ${name}`,
                  `${file.file}: ${file.problem()}`,
                ],
              ],
        ),
      ),
    // Nothing is decided by a candidate, so that nobody waits for one.
    complete: () => !availability.slice(0, needed.length).includes('-'),
    ages: (at) => ({ bundles: agesOf(bundles.values(), at), keys: agesOf(keys.values(), at) }),
  };
}

/** The candidate is kept as text: the label of lines without one is the enforced policy's, and changes with it. */
function openCandidate({ policy }: Settings, readers: Readers): Watched<string> | undefined {
  if (policy.candidate === null) return undefined;
  const parse = (text: string): Parsed<string> => {
    const read = readers.candidate(text, null);
    return read.ok ? { ok: true, value: text } : read;
  };
  const revisionOf = (text: string): readonly string[] => {
    const read = readers.candidate(text, null);
    return read.ok ? [read.value.revision] : [];
  };
  return watched('candidate', CANDIDATE, watchFile(policy.candidate, parse, policy.maxLastGood), revisionOf);
}

function candidateOf(text: string | undefined, policy: Policy | undefined, readers: Readers): Policy | undefined {
  const read = text === undefined ? undefined : readers.candidate(text, policy?.data ?? null);
  return read?.ok === true ? read.value : undefined;
}

const eventOf = (kind: Kind, seen: 'loaded' | 'refused'): SourceEvent => {
  if (kind === 'policy' || kind === 'candidate') return seen === 'loaded' ? 'policy_loaded' : 'policy_refused';
  if (seen === 'refused') return 'source_refused';
  return kind === 'trust' ? 'bundle_changed' : 'keys_changed';
};

/** What was loaded at this moment, so that a later load cannot change it under a running check. */
function frozenBundles(
  settings: Settings,
  bundles: ReadonlyMap<TrustDomain, Watched<Ders>>,
  intermediates: ReadonlyMap<TrustDomain, Watched<Ders>>,
  now: number,
): Snapshot['findBundle'] {
  const frozen = new Map<TrustDomain, Bundle | 'unavailable'>();
  for (const domain of settings.trust.keys()) {
    const anchors = bundles.get(domain)?.file.current(now);
    const extra = intermediates.get(domain);
    const between = extra === undefined ? [] : extra.file.current(now);
    frozen.set(
      domain,
      anchors === undefined || between === undefined ? 'unavailable' : { anchors, intermediates: between },
    );
  }
  return (domain) => frozen.get(domain) ?? 'unknown';
}

function frozenKeys(keys: ReadonlyMap<string, Watched<Keys>>, now: number): Snapshot['findKeys'] {
  const frozen = new Map([...keys].map(([file, watched]) => [file, watched.file.current(now)]));
  return (issuer: IssuerSettings) => frozen.get(issuer.keys) ?? 'unavailable';
}

const agesOf = <T>(watched: Iterable<Watched<T>>, now: number): ReadonlyMap<string, number> =>
  new Map([...watched].map(({ name, file }) => [name, now - file.loadedAt()]));
