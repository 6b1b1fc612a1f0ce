/** Guards' ends of a real store, as far as revocations go, and orders as an operator gives them. */
import type { AppliedOrder, RevocationOrder } from '../../src/model/revocation.js';
import type { RedisSettings } from '../../src/model/settings.js';
import { openSharedStore } from '../../src/state/redis/store.js';
import type { SharedRevocations } from '../../src/state/redis/revocations.js';
import { digestOf } from '../../src/state/revocation/digest.js';
import { until } from '../cli/until.js';

export const ISSUER = 'https://idp.prod.example';

export function subjectOrder(
  kind: RevocationOrder['kind'],
  value: string,
  end = Infinity,
  at = Date.now(),
): RevocationOrder {
  const revocation = { type: 'subject', value, issuer: ISSUER, until: end } as const;
  return { kind, at, revocation, reason: undefined, by: 'test' };
}

export interface RevocationEnd {
  readonly shared: SharedRevocations;
  readonly applied: readonly AppliedOrder[];
  readonly faults: readonly unknown[];
  isRevoked(subject: string): boolean;
  close(): Promise<void>;
}

/** More patient than the product, on machines that do other things too. */
export async function openRevocationEnd(settings: RedisSettings, now = Date.now): Promise<RevocationEnd> {
  const applied: AppliedOrder[] = [];
  const faults: unknown[] = [];
  const store = openSharedStore(
    settings,
    100,
    {
      ...{ now, onState: () => undefined, onWarning: () => undefined },
      onRevocation: (order) => void applied.push(order),
      onFault: (fault) => void faults.push(fault),
    },
    { settle: 0, patience: 2000 },
  );
  await until(() => store.problem() === undefined, 5000);
  await store.revocations.firstRead;
  return {
    ...{ shared: store.revocations, applied, faults, close: store.close },
    isRevoked: (subject) =>
      store.revocations.layer.isLive(digestOf({ type: 'subject', value: subject, issuer: ISSUER }), now()),
  };
}
