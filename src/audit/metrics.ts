/**
 * Numbers for Prometheus, under the names of contract section 7. In: what happened, and sources that are asked when
 * somebody scrapes. Out: the text. Labels come from our own tables and from the configuration, never from a request, so
 * that the number of series has a bound. What a check adds is a number in memory: label sets are built while scraping.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { EVENT_NAMES } from './events.js';
import type { EventName } from './events.js';
import { isAllow, REASONS } from '../model/reasons.js';
import type { Reason } from '../model/reasons.js';

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
  /** A line of the audit log that is no decision. */
  happened(event: EventName): void;
  render(): Promise<string>;
}

/** A hit takes well under a millisecond, a check that Envoy gave up on a quarter second or more. */
const BUCKETS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const count = counters(registry);
  gauges(registry, sources);
  const duration = new Histogram({
    name: 'firsthand_check_duration_seconds',
    help: 'Time from a CheckRequest to its answer',
    buckets: BUCKETS,
    registers: [registry],
  });
  return {
    checked(reason, seconds) {
      count.checks.add(reason);
      // prom-client throws at NaN; a number must not end a check.
      duration.observe(seconds >= 0 ? seconds : 0);
    },
    cacheLookup: (cache, result) => (result === 'hit' ? count.hits : count.misses).add(cache),
    shadowed: (source, reason) => count.shadows.add(`${source} ${reason}`),
    incident: (type) => count.incidents.add(type),
    policyReloaded: (result) => count.reloads.add(result),
    auditDropped: (dropped) => count.dropped.add('', dropped),
    happened: (event) => count.events.add(event),
    render: () => registry.metrics(),
  };
}

interface Tally {
  add(name: string, by?: number): void;
  entries(): Iterable<[string, number]>;
}

/** Named numbers that begin at 0, so that a rate has a beginning. */
function tally(names: readonly string[]): Tally {
  const numbers = new Map(names.map((name) => [name, 0]));
  return {
    add: (name, by = 1) => void numbers.set(name, (numbers.get(name) ?? 0) + by),
    entries: () => numbers.entries(),
  };
}

function counters(registry: Registry) {
  const checks = tally(Object.keys(REASONS));
  const [hits, misses, shadows] = [tally([]), tally([]), tally([])];
  const [incidents, reloads, dropped] = [tally(INCIDENTS), tally(RELOADS), tally([''])];
  const events = tally(EVENT_NAMES);
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
  counter('events_total', 'Changes of certificates, keys, bundles, policies, revocations', ['event'], (add) => {
    for (const [event, n] of events.entries()) add({ event }, n);
  });
  return { checks, hits, misses, shadows, incidents, reloads, dropped, events };
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
  named(
    'certificate_expiry_seconds',
    'Until our own certificates and the first root of each trust domain end',
    'identity',
    sources.certificateExpiry,
  );
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
