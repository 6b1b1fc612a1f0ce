/** Pins and uses as a check would ask for them, and guards' ends of a real store. */
import { createHash } from 'node:crypto';
import type { Sha256Hex, SpiffeId, TokenName } from '../../src/model/ids.js';
import type { Claims, PinClaim, Use } from '../../src/model/pin.js';
import type { RedisSettings } from '../../src/model/settings.js';
import { openSharedStore } from '../../src/state/redis/store.js';
import type { SharedStore, Timing } from '../../src/state/redis/store.js';
import { until } from '../cli/until.js';

export const NOW = Date.UTC(2026, 5, 1, 12);
export const LIFE = 300_000;

export const id = (name: string): SpiffeId => `spiffe://prod.example/ns/shop/sa/${name}` as SpiffeId;
const hex = (text: string): Sha256Hex => createHash('sha256').update(text).digest('hex') as Sha256Hex;
export const tokenName = (text: string): TokenName => hex(text) as string as TokenName;

/** `shares`: names of workloads that were listed literally beside the presenter. */
export interface PinFacts {
  readonly onConflict?: PinClaim['onConflict'];
  readonly key?: string;
  readonly shares?: readonly string[];
}

export const pinOf = (token: string, presenter: string, facts: PinFacts = {}): PinClaim => ({
  name: `${tokenName(token)} spiffe://prod.example/ns/shop/sa/orders`,
  presenter: { id: id(presenter), key: facts.key === undefined ? undefined : hex(facts.key) },
  sharedWith: (other) => (facts.shares ?? []).some((name) => id(name) === other),
  until: NOW + LIFE,
  onConflict: facts.onConflict ?? 'later',
});

export const useOf = (token: string, line = 'POST /orders'): Use => ({
  name: `${tokenName(token)} orders ${line}`,
  until: NOW + LIFE,
});

export const claimsOf = (claim: PinClaim | undefined, ...uses: Use[]): Claims => ({
  pin: claim && {
    claim,
    presentation: { presenter: claim.presenter, environment: 'prod', chain: hex('chain'), at: NOW },
  },
  uses,
});

export interface End extends SharedStore {
  readonly faults: readonly unknown[];
  readonly states: readonly (string | undefined)[];
}

export interface EndOptions extends Partial<Timing> {
  readonly max?: number;
}

/** A guard's end of the store, connected: more patient than the product, on machines that do other things too. */
export async function openEnd(
  settings: RedisSettings,
  { settle = 0, patience = 2000, max = 1000 }: EndOptions = {},
): Promise<End> {
  const faults: unknown[] = [];
  const states: (string | undefined)[] = [];
  const hooks = {
    now: () => NOW,
    onState: (problem: string | undefined) => void states.push(problem),
    onWarning: (warning: string) => void states.push(warning),
    onFault: (fault: unknown) => void faults.push(fault),
  };
  const store = openSharedStore(settings, max, hooks, { settle, patience });
  await until(() => store.problem() === undefined, 10_000);
  return { ...store, faults, states };
}

/** The reason of a refusal, or what was said. */
export const said = (result: { ok: true; value: unknown } | { ok: false; reason: string }): unknown =>
  result.ok ? (result.value ?? 'ok') : result.reason;
