/**
 * Decisions that were made before, the reference engine. A key holds every input that the decision was made on; an entry
 * says for which moments it holds (model/instant.ts) and by which names a revocation or a pin may still overrule it.
 * Kept true by test/properties/cache.test.ts: taking any one part out of the key makes it fail.
 */
import { hash } from 'node:crypto';
import type { CandidateVerdict, Decision, Findings } from '../model/decision.js';
import type { Horizon } from '../model/instant.js';
import type { RevocableNames } from '../model/ports.js';
import { createLru } from './lru.js';

export interface CachedDecision {
  readonly decision: Decision;
  readonly horizon: Horizon;
  /** When it was made, ms: `cache.maxAge` counts from here. */
  readonly madeAt: number;
  /** Asked of the revocations on each hit; undefined where the decision was made before step 6. */
  readonly names: RevocableNames | undefined;
  /** What the candidate policy said; undefined where there was none. */
  readonly beside: Beside | undefined;
  /** When the revocations had nothing against it; absent: they are asked on each hit. */
  readonly cleared?: Clearance;
}

/** The only part of an entry that changes, with each asking. */
export interface Clearance {
  /** As the revocations said it (model/ports.ts); NaN: they were not asked. */
  standing: number;
  /** ms: what was clear then is clear from then on. */
  from: number;
  /** Whether it was told that a revocation ended it. */
  fallen?: boolean;
}

export const notYet = (): Clearance => ({ standing: NaN, from: Infinity });

export interface Beside {
  readonly verdict: CandidateVerdict;
  readonly findings: Findings;
  readonly names: RevocableNames | undefined;
  /** False where it was made on something that a cached copy would not notice changing. */
  readonly cacheable: boolean;
}

/** All that a decision may have been made on, as text; a part that a decision never reads may be left empty. */
export interface KeyInputs {
  /** Versions of the snapshots. */
  readonly policy: string;
  readonly trust: string;
  readonly keys: string;
  readonly candidate: string;
  /** The owner's line and the guardrails that the method and path select; likewise the candidate's. */
  readonly line: string;
  readonly guardrails: string;
  readonly candidateLine: string;
  readonly principal: string;
  readonly certificate: string;
  readonly destination: string;
  readonly forwarded: string;
  readonly credentials: string;
  readonly host: string;
  readonly upgrade: string;
}

export type KeyPart = keyof KeyInputs;
export const KEY_PARTS: readonly KeyPart[] = [
  'policy',
  'candidate',
  'trust',
  'keys',
  'line',
  'guardrails',
  'candidateLine',
  'principal',
  'certificate',
  'destination',
  'forwarded',
  'credentials',
  'host',
  'upgrade',
];

/** SHA-256 over the parts, each after its length: no text in one part can look like another part. */
export function decisionKey(inputs: KeyInputs, parts: readonly KeyPart[] = KEY_PARTS): string {
  let text = '';
  for (const part of parts) text += `${inputs[part].length}:${inputs[part]}`;
  return hash('sha256', text, 'base64');
}

export interface DecisionCache {
  /** Undefined where there is none, or `now` is outside its moments. */
  find(key: string, now: number): CachedDecision | undefined;
  store(key: string, entry: CachedDecision): void;
  clear(): void;
  size(): number;
}

/** Share of the entries that a flood of new ones can not push out: those that were found before. */
const KNOWN_SHARE = 0.8;

/** `maxAge` in ms. */
export function createDecisionCache(entries: number, maxAge: number): DecisionCache {
  const known = createLru<string, CachedDecision>(Math.floor(entries * KNOWN_SHARE));
  const fresh = createLru<string, CachedDecision>(entries);
  const get = (key: string): CachedDecision | undefined => {
    const entry = known.get(key);
    if (entry !== undefined) return entry;
    const first = fresh.get(key);
    if (first === undefined) return undefined;
    fresh.delete(key);
    known.set(key, first);
    return first;
  };
  return {
    find(key, now) {
      const entry = get(key);
      if (entry === undefined) return undefined;
      const young = now >= entry.madeAt - CLOCK_STEP && now < entry.madeAt + maxAge;
      return young && now >= entry.horizon.from && now < entry.horizon.until ? entry : undefined;
    },
    store(key, entry) {
      if (known.has(key)) return void known.set(key, entry);
      if (known.size + fresh.size >= entries && !fresh.has(key)) (fresh.size > 0 ? fresh : known).pop();
      fresh.set(key, entry);
    },
    clear() {
      known.clear();
      fresh.clear();
    },
    size: () => known.size + fresh.size,
  };
}

/** A clock that steps back by more than this (ms) empties the caches (contract section 9). */
export const CLOCK_STEP = 5000;
