/**
 * Numbers for Prometheus, under the names of contract section 7. In: what happened, and sources that are asked when
 * somebody scrapes. Out: the text. Labels come from our own tables and from the configuration, never from a request, so
 * that the number of series has a bound. What a check adds is a number in memory: label sets are built while scraping.
 */
import { EVENT_NAMES } from './events.js';
import type { EventName } from './events.js';
import { isAllow, REASONS } from '../model/reasons.js';
import type { Reason } from '../model/reasons.js';
import { exposition } from './exposition.js';
import type { Family, Labels, Sample } from './exposition.js';

type Named = Iterable<readonly [name: string, value: number]>;

/** Gauges. Seconds, as numbers; a name that has no value yet is left out. */
export interface MetricSources {
  readonly build: { readonly version: string; readonly node: string };
  readonly cacheEntries: () => Named;
  readonly keysAge: () => Named;
  readonly bundleAge: () => Named;
  /** The guard's own certificates, and the first root of each trust domain to end. */
  readonly certificateExpiry: () => Named;
  readonly revocations: () => Named;
  /** Since the store of revocations was heard; left out where there is none. */
  readonly revocationSilence: () => Named;
  readonly pins: () => number;
  /** 1 or 0 for a store that guards share; left out where there is none. */
  readonly storeUp: () => Named;
}

export const INCIDENTS = [
  'pin_conflict',
  'token_replayed',
  'token_suspect',
  'store_lost',
  'clock_stepped_back',
  'audit_failed',
] as const;
export type Incident = (typeof INCIDENTS)[number];
export type ShadowSource = 'mode' | 'owner' | 'candidate';
export const RELOADS = ['loaded', 'refused'] as const;
export type Reload = (typeof RELOADS)[number];

export interface Metrics {
  checked(reason: Reason, seconds: number): void;
  /** `cache` is one of our own tables' names. */
  cacheLookup(cache: string, result: 'hit' | 'miss'): void;
  /** What would have been decided where refusals did not count, and what a candidate says. */
  shadowed(source: ShadowSource, reason: Reason): void;
  incident(type: Incident): void;
  policyReloaded(result: Reload): void;
  auditDropped(count: number): void;
  /** From when it was made to when it counted here. */
  revocationCame(lagSeconds: number): void;
  /** A remembered decision was ended by a revocation. */
  decisionFell(): void;
  /** A line of the audit log that is no decision. */
  happened(event: EventName): void;
  render(): Promise<string>;
}

/** A hit takes well under a millisecond, a check that Envoy gave up on a quarter second or more. */
/** A revocation should count everywhere within a second. */
const LAGS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
const BUCKETS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export function createMetrics(sources: MetricSources): Metrics {
  const count = counters();
  const durations = spread(BUCKETS);
  const lags = spread(LAGS);
  const families = [
    ...count.families,
    ...gauges(sources),
    histogram('check_duration_seconds', 'Time from a CheckRequest to its answer', durations),
    histogram('revocation_lag_seconds', 'From when a revocation was made to when it counted here', lags),
  ];
  return {
    checked(reason, seconds) {
      count.checks.add(reason);
      durations.add(seconds >= 0 ? seconds : 0);
    },
    cacheLookup: (cache, result) => (result === 'hit' ? count.hits : count.misses).add(cache),
    shadowed: (source, reason) => count.shadows.add(`${source} ${reason}`),
    incident: (type) => count.incidents.add(type),
    policyReloaded: (result) => count.reloads.add(result),
    auditDropped: (dropped) => count.dropped.add('', dropped),
    revocationCame: lags.add,
    decisionFell: () => count.fallen.add(''),
    happened: (event) => count.events.add(event),
    // A source that fails fails the scrape, as a rejection.
    render: () => new Promise((resolve) => resolve(exposition(families))),
  };
}

interface Tally {
  add(name: string, by?: number): void;
  entries(): Iterable<[string, number]>;
}

/** Named numbers that begin at 0, so that a rate has a beginning. A name that comes later begins when it comes. */
function tally(names: readonly string[]): Tally {
  const places = new Map(names.map((name, place) => [name, place]));
  const numbers: Float64Array[] = names.map(() => new Float64Array(1));
  const placeOf = (name: string): number => {
    const known = places.get(name);
    if (known !== undefined) return known;
    places.set(name, numbers.length);
    return numbers.push(new Float64Array(1)) - 1;
  };
  return {
    add(name, by = 1) {
      const number = numbers[placeOf(name)] as Float64Array;
      number[0] = (number[0] as number) + by;
    },
    entries: () => [...places].map(([name, place]) => [name, numbers[place]?.[0] ?? 0]),
  };
}

/** How many numbers were at most as large as each bound, as Prometheus wants them: each counts all smaller ones too. */
interface Spreading {
  readonly bounds: readonly number[];
  add(value: number): void;
  /** For each bound, and last for all. */
  counts(): readonly number[];
  sum(): number;
}

function spread(bounds: readonly number[]): Spreading {
  const counts = new Float64Array(bounds.length + 1);
  const sum = new Float64Array(1);
  return {
    bounds,
    add(value) {
      let place = 0;
      while (place < bounds.length && value > (bounds[place] as number)) place += 1;
      counts[place] = (counts[place] as number) + 1;
      sum[0] = (sum[0] as number) + value;
    },
    counts() {
      let all = 0;
      return Array.from(counts, (count) => (all += count));
    },
    sum: () => sum[0] as number,
  };
}

const histogram = (name: string, help: string, spreading: Spreading): Family => ({
  name: `firsthand_${name}`,
  help,
  type: 'histogram',
  read() {
    const counts = spreading.counts();
    const all = counts.at(-1) ?? 0;
    const bucket = (le: string, value: number): Sample => ({ suffix: '_bucket', labels: { le }, value });
    return [
      ...spreading.bounds.map((bound, place) => bucket(String(bound), counts[place] ?? 0)),
      bucket('+Inf', all),
      { suffix: '_sum', value: spreading.sum() },
      { suffix: '_count', value: all },
    ];
  },
});

function counters() {
  const checks = tally(Object.keys(REASONS));
  const [hits, misses, shadows] = [tally([]), tally([]), tally([])];
  const [incidents, reloads, dropped] = [tally(INCIDENTS), tally(RELOADS), tally([''])];
  const fallen = tally(['']);
  const events = tally(EVENT_NAMES);
  const lookups = (result: string, { entries }: Tally): Sample[] =>
    [...entries()].map(([cache, value]) => ({ labels: { cache, result }, value }));
  const families = [
    counter('checks_total', 'Checks answered', checks, (reason) => ({ decision: decisionOf(reason), reason })),
    {
      name: 'firsthand_cache_lookups_total',
      help: 'Lookups in the caches',
      type: 'counter' as const,
      read: () => [...lookups('hit', hits), ...lookups('miss', misses)],
    },
    counter('shadow_total', 'What would have been decided', shadows, (name) => {
      const [source = '', reason = ''] = name.split(' ');
      return { source, decision: decisionOf(reason), reason };
    }),
    counter('policy_reloads_total', 'Policies loaded or refused', reloads, (result) => ({ result })),
    counter('incidents_total', 'Things that should not happen', incidents, (type) => ({ type })),
    counter('audit_dropped_total', 'Audit lines that could not be written', dropped, () => ({})),
    counter('revocation_fallen_total', 'Remembered decisions that a revocation ended', fallen, () => ({})),
    counter('events_total', 'Changes of certificates, keys, bundles, policies, revocations', events, (event) => ({
      event,
    })),
  ];
  return { families, checks, hits, misses, shadows, incidents, reloads, dropped, fallen, events };
}

const decisionOf = (reason: string): string => (isAllow(reason as Reason) ? 'allow' : 'deny');

const counter = (name: string, help: string, counted: Tally, labelsOf: (name: string) => Labels): Family => ({
  name: `firsthand_${name}`,
  help,
  type: 'counter',
  read: () => [...counted.entries()].map(([each, value]) => ({ labels: labelsOf(each), value })),
});

const gauges = (sources: MetricSources): Family[] => [
  named('cache_entries', 'Entries in the caches', 'cache', sources.cacheEntries),
  named('keys_age_seconds', "Since an issuer's keys were last loaded", 'issuer', sources.keysAge),
  named('bundle_age_seconds', "Since a domain's bundle was last loaded", 'trust_domain', sources.bundleAge),
  named(
    'certificate_expiry_seconds',
    'Until our own certificates and the first root of each trust domain end',
    'identity',
    sources.certificateExpiry,
  ),
  named('store_up', 'Whether the shared store answers', 'store', sources.storeUp),
  named('revocations', 'Revocations in force', 'type', sources.revocations),
  named('revocation_silence_seconds', 'Since the store of revocations was heard', 'store', sources.revocationSilence),
  gauge('pins', 'Pins held', () => [{ value: sources.pins() }]),
  gauge('build_info', 'What runs here', () => [{ labels: { ...sources.build }, value: 1 }]),
];

const gauge = (name: string, help: string, read: Family['read']): Family => ({
  name: `firsthand_${name}`,
  help,
  type: 'gauge',
  read,
});

const named = (name: string, help: string, label: string, read: () => Named): Family =>
  gauge(name, help, () => [...read()].map(([each, value]) => ({ labels: { [label]: each }, value })));
