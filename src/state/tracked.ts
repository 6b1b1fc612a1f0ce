/**
 * A source that is followed: what changed about it since it was looked at last, as events for the record. In: a source, what
 * it is about, and what its values consist of. Out: whether a snapshot must be made anew, and what is to be told.
 */
import type { Source } from './source.js';

export type Kind = 'policy' | 'candidate' | 'trust' | 'keys';

/** Refused: the source turned bad. Recovered: it is good again, with the value that it had before. */
export type SourceEvent = (typeof EVENTS)[Kind]['loaded' | 'refused'] | 'source_recovered';

const POLICY_EVENTS = { loaded: 'policy_loaded', refused: 'policy_refused' } as const;
const EVENTS = {
  policy: POLICY_EVENTS,
  candidate: POLICY_EVENTS,
  trust: { loaded: 'bundle_changed', refused: 'bundle_refused' },
  keys: { loaded: 'keys_changed', refused: 'keys_refused' },
} as const satisfies Record<Kind, { readonly loaded: string; readonly refused: string }>;

export interface SourceFacts {
  /** Path or URL. */
  readonly from: string;
  /** The trust domain or the issuer. */
  readonly name: string;
  readonly problem?: string;
  /** Whether there is a value, be it the last good one. */
  readonly loaded: boolean;
  /** What a load brought and took away: revisions of the policy, SHA-256 of anchors, kids of keys. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface Noticed {
  /** The value is another one, or there is none any more. */
  readonly value: boolean;
  /** What is wrong is something else now, or nothing. */
  readonly problem: boolean;
  readonly told: readonly (readonly [SourceEvent, SourceFacts])[];
}

export interface Tracked<T> {
  readonly kind: Kind;
  /** Whose it is: a trust domain, or each issuer that has these keys. */
  readonly names: readonly string[];
  readonly source: Source<T>;
  /** What came and went since it was asked last. */
  notice(now: number): Noticed;
}

/** `partsOf` names what a value consists of. */
export function track<T>(
  kind: Kind,
  names: readonly string[],
  source: Source<T>,
  partsOf: (value: T) => readonly string[],
): Tracked<T> {
  let value: T | undefined;
  let problem: string | undefined;
  let parts: readonly string[] = [];
  // What is elsewhere has not even been asked at the first look.
  let waiting = source.kind === 'remote';
  let refused = false;
  return {
    kind,
    names,
    source,
    notice(now) {
      const [nextValue, nextProblem] = [source.current(now), source.problem()];
      const changed = { value: nextValue !== value, problem: nextProblem !== problem };
      if (!changed.value && !changed.problem) return { ...changed, told: [] };
      const before = parts;
      [value, problem] = [nextValue, nextProblem];
      parts = value === undefined ? [] : partsOf(value);
      // Each bad file is news; a source that is down has many words for it, and the first will do.
      const bad = problem !== undefined && !waiting && changed.problem && (source.kind === 'file' || !refused);
      const recovered = problem === undefined && refused && !changed.value;
      const events = eventsOf(kind, changed.value, value !== undefined, bad);
      [waiting, refused] = [false, problem !== undefined && (refused || bad)];
      const facts = {
        from: source.from,
        loaded: value !== undefined,
        added: parts.filter((part) => !before.includes(part)),
        removed: before.filter((part) => !parts.includes(part)),
        ...(problem === undefined ? {} : { problem }),
      };
      return {
        ...changed,
        told: [...events, ...(recovered ? ['source_recovered' as const] : [])].flatMap((event) =>
          names.map((name) => [event, { ...facts, name }] as const),
        ),
      };
    },
  };
}

function eventsOf(kind: Kind, changed: boolean, loaded: boolean, bad: boolean): readonly SourceEvent[] {
  const { loaded: load, refused: refusal } = EVENTS[kind];
  // Keys and bundles that grew too old are gone like removed ones; a policy that did is told as the refusal it is.
  const isPolicy = kind === 'policy' || kind === 'candidate';
  const told = changed && (loaded || !isPolicy);
  return [...(told ? [load] : []), ...(bad || (changed && !told) ? [refusal] : [])];
}
