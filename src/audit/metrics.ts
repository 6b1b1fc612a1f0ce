/**
 * Numbers for Prometheus, under the names of contract section 7. In: what happened, and sources that are asked when
 * somebody scrapes. Out: the text. Labels come from our own tables and from the configuration, never from a request, so
 * that the number of series has a bound. What a check adds is a number in memory: label sets are built while scraping.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import { isAllow, REASONS } from '../model/reasons.js';
import type { Reason } from '../model/reasons.js';

type Named = Iterable<readonly [name: string, value: number]>;

/** Gauges. Seconds, as numbers; a name that has no value yet is left out. */
export interface MetricSources {
  readonly build: { readonly version: string; readonly node: string };
  readonly cacheEntries: () => Named;
  readonly keysAge: () => Named;
  readonly bundleAge: () => Named;
  /** The guard's own identity only. */
  readonly certificateExpiry: () => Named;
  readonly revocations: () => Named;
  readonly revocationLag: () => number;
  readonly pins: () => number;
}

export const INCIDENTS = ['pin_conflict', 'token_replayed', 'clock_stepped_back', 'audit_failed'] as const;
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
  render(): Promise<string>;
}

/** A hit takes well under a millisecond, a check that Envoy gave up on a quarter second or more. */
const BUCKETS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const count = counters(registry);
  gauges(registry, sources);
  const durations = spread(BUCKETS);
  registry.registerMetric(
    new Spread('firsthand_check_duration_seconds', 'Time from a CheckRequest to its answer', durations),
  );
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
    render: () => registry.metrics(),
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

/** A histogram that is only put together while somebody scrapes: of prom-client's metrics a gauge is asked for no more. */
class Spread extends Gauge {
  constructor(
    private readonly metric: string,
    private readonly about: string,
    private readonly spreading: Spreading,
  ) {
    super({ name: metric, help: about, registers: [] });
  }

  override get(): ReturnType<Gauge['get']> {
    const { metric, about, spreading } = this;
    const counts = spreading.counts();
    const value = (kind: string, number: number, labels = {}) => ({
      metricName: `${metric}_${kind}`,
      labels,
      value: number,
    });
    const all = counts.at(-1) ?? 0;
    const values = [
      ...spreading.bounds.map((le, place) => value('bucket', counts[place] ?? 0, { le })),
      value('bucket', all, { le: '+Inf' }),
      value('sum', spreading.sum()),
      value('count', all),
    ];
    return Promise.resolve({ name: metric, help: about, type: 'histogram', aggregator: 'sum', values } as never);
  }
}

function counters(registry: Registry) {
  const checks = tally(Object.keys(REASONS));
  const [hits, misses, shadows] = [tally([]), tally([]), tally([])];
  const [incidents, reloads, dropped] = [tally(INCIDENTS), tally(RELOADS), tally([''])];
  const counter = countersOf(registry);
  counter('checks_total', 'Checks answered', ['decision', 'reason'], (add) => {
    for (const [reason, n] of checks.entries())
      add({ decision: isAllow(reason as Reason) ? 'allow' : 'deny', reason }, n);
  });
  counter('cache_lookups_total', 'Lookups in the caches', ['cache', 'result'], (add) => {
    for (const [cache, n] of hits.entries()) add({ cache, result: 'hit' }, n);
    for (const [cache, n] of misses.entries()) add({ cache, result: 'miss' }, n);
  });
  counter('shadow_total', 'What would have been decided', ['source', 'decision', 'reason'], (add) => {
    for (const [name, n] of shadows.entries()) {
      const [source = '', reason = ''] = name.split(' ');
      add({ source, decision: isAllow(reason as Reason) ? 'allow' : 'deny', reason }, n);
    }
  });
  counter('policy_reloads_total', 'Policies loaded or refused', ['result'], (add) => {
    for (const [result, n] of reloads.entries()) add({ result }, n);
  });
  counter('incidents_total', 'Things that should not happen', ['type'], (add) => {
    for (const [type, n] of incidents.entries()) add({ type }, n);
  });
  counter('audit_dropped_total', 'Audit lines that could not be written', [], (add) => {
    for (const [, n] of dropped.entries()) add({}, n);
  });
  return { checks, hits, misses, shadows, incidents, reloads, dropped };
}

type Add = (labels: Record<string, string>, value: number) => void;

const countersOf =
  (registry: Registry) =>
  (name: string, help: string, labelNames: string[], read: (add: Add) => void): void => {
    new Counter({
      name: `firsthand_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        read((labels, value) => this.inc(labels, value));
      },
    });
  };

function gauges(registry: Registry, sources: MetricSources): void {
  const named = gaugesOf(registry);
  named('cache_entries', 'Entries in the caches', 'cache', sources.cacheEntries);
  named('keys_age_seconds', "Since an issuer's keys were last loaded", 'issuer', sources.keysAge);
  named('bundle_age_seconds', "Since a domain's bundle was last loaded", 'trust_domain', sources.bundleAge);
  named('certificate_expiry_seconds', 'Until our own certificate ends', 'identity', sources.certificateExpiry);
  named('revocations', 'Revocations in force', 'type', sources.revocations);
  const single = singleGaugesOf(registry);
  single('revocation_lag_seconds', 'Since the revocations were last read', sources.revocationLag);
  single('pins', 'Pins held', sources.pins);
  const info = new Gauge({
    name: 'firsthand_build_info',
    help: 'What runs here',
    labelNames: ['version', 'node'],
    registers: [registry],
  });
  info.set({ ...sources.build }, 1);
}

const gaugesOf =
  (registry: Registry) =>
  (name: string, help: string, label: string, read: () => Named): void => {
    new Gauge({
      name: `firsthand_${name}`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [key, value] of read()) this.set({ [label]: key }, value);
      },
    });
  };

const singleGaugesOf =
  (registry: Registry) =>
  (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `firsthand_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
