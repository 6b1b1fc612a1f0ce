/**
 * What is told of revocations: each that comes, how late it came, and what it did: how many remembered decisions it had
 * ended, and which call was the first that it denied. In: orders as they were applied, outcomes. Decides nothing.
 */
import type { EventFields, EventName } from './audit/events.js';
import type { Metrics } from './audit/metrics.js';
import { reasonOf } from './audit/record.js';
import type { Outcome } from './model/decision.js';
import type { RevocableNames } from './model/ports.js';
import type { AppliedOrder, RevokedName } from './model/revocation.js';
import { digestOf } from './state/revocation/digest.js';
import type { Revocations } from './state/revocations.js';
import { revocableNames } from './steps.js';

export interface RevocationTeller {
  onRevocation(applied: AppliedOrder, now: number): void;
  onFallen(names: RevocableNames, now: number): void;
  onOutcome(outcome: Outcome): void;
}

type Tell = <E extends EventName>(name: E, fields: EventFields<E>) => void;

/** Revocations that have denied nobody yet; of older ones it is no longer told whom they denied first. */
const MAX_WAITING = 10_000;

/** What is read with the first look at a source is no news: it was told when it came, by whoever was there. */
export function createRevocationTeller(
  tell: Tell,
  metrics: Pick<Metrics, 'revocationCame' | 'decisionFell'>,
  index: () => Revocations | undefined,
): RevocationTeller {
  const waiting = new Map<string, { readonly at: number; fell: number }>();
  const await_ = ({ at, revocation }: AppliedOrder): void => {
    waiting.set(keyOf(revocation), { at, fell: 0 });
    const [oldest] = waiting.keys();
    if (waiting.size > MAX_WAITING && oldest !== undefined) waiting.delete(oldest);
  };
  return {
    onRevocation(applied, now) {
      if (!applied.live) return;
      const { kind, at, revocation, reason, by, source } = applied;
      const lag = Math.max(0, now - at);
      if (kind === 'revoke') await_(applied);
      else waiting.delete(keyOf(revocation));
      metrics.revocationCame(lag / 1000);
      const common = { ...nameFields(revocation), at, source, lag_ms: lag, ...present({ reason, by }) };
      if (kind === 'unrevoke') return tell('unrevoked', common);
      tell('revoked', { ...common, ...(revocation.until === Infinity ? {} : { until: revocation.until }) });
    },
    onFallen(names, now) {
      metrics.decisionFell();
      const cause = index()?.cause(names, now);
      const first = cause && waiting.get(keyOf(cause.name));
      if (first !== undefined) first.fell += 1;
    },
    onOutcome({ id, time, findings, guard, ...outcome }) {
      const { origin, token } = findings;
      if (waiting.size === 0 || origin === undefined || !isRevoked(reasonOf({ ...outcome, id, time, findings, guard })))
        return;
      const cause = index()?.cause(revocableNames(origin, token, guard), time);
      const key = cause && keyOf(cause.name);
      const first = key === undefined ? undefined : waiting.get(key);
      if (cause === undefined || key === undefined || first === undefined) return;
      waiting.delete(key);
      const { at, fell } = first;
      tell('revocation_effect', { ...nameFields(cause.name), at, id, fell, lag_ms: Math.max(0, time - at) });
    },
  };
}

const isRevoked = (reason: string): boolean => reason.endsWith('_revoked');

const keyOf = (name: RevokedName): string => digestOf(name).toString('latin1');

const nameFields = ({ type, value, issuer }: RevokedName) => ({ type, value, ...present({ issuer }) });

function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
