/**
 * A source that is followed: what changed about it since it was looked at last, as events for the record. In: a source, what
 * it is about, and what its values consist of. Out: whether a snapshot must be made anew, and what is to be told.
 */
import type { Source } from './source.js';

export type Kind = 'policy' | 'candidate' | 'trust' | 'keys';

export type SourceEvent = 'policy_loaded' | 'policy_refused' | 'bundle_changed' | 'keys_changed' | 'source_refused';

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
      const events = eventsOf(kind, changed, value !== undefined, waiting ? undefined : problem);
      waiting = false;
      const facts = {
        from: source.from,
        loaded: value !== undefined,
        added: parts.filter((part) => !before.includes(part)),
        removed: before.filter((part) => !parts.includes(part)),
        ...(problem === undefined ? {} : { problem }),
      };
      return { ...changed, told: events.flatMap((event) => names.map((name) => [event, { ...facts, name }] as const)) };
    },
  };
}

function eventsOf(
  kind: Kind,
  changed: { readonly value: boolean; readonly problem: boolean },
  loaded: boolean,
  problem: string | undefined,
): readonly SourceEvent[] {
  const isPolicy = kind === 'policy' || kind === 'candidate';
  const refused = problem !== undefined && (changed.problem || (isPolicy && !loaded));
  const refusal: SourceEvent = isPolicy ? 'policy_refused' : 'source_refused';
  const load: SourceEvent = isPolicy ? 'policy_loaded' : kind === 'trust' ? 'bundle_changed' : 'keys_changed';
  // Keys and bundles that grew too old are gone like removed ones; a policy that did is told as the refusal it is.
  const told = changed.value && (loaded || !isPolicy);
  return [...(told ? [load] : []), ...(refused ? [refusal] : [])];
}
