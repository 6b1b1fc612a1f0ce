/** What was loaded at one moment, so that a later load cannot change it under a running check. */
import type { KeysFrom } from '../model/from.js';
import type { TrustDomain } from '../model/ids.js';
import type { Bundle } from '../model/ports.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Keys } from './jwks.js';
import type { Tracked } from './tracked.js';
import type { BundleContents } from './trust-bundle.js';

/** Issuers with the same one share their keys. */
export const keysId = (from: KeysFrom): string => JSON.stringify(from);

export function frozenBundles(
  bundles: ReadonlyMap<TrustDomain, Tracked<BundleContents>>,
  intermediates: ReadonlyMap<TrustDomain, Tracked<readonly Uint8Array[]>>,
  now: number,
): Snapshot['findBundle'] {
  const frozen = new Map<TrustDomain, Bundle | 'unavailable'>();
  for (const [domain, { source }] of bundles) {
    const anchors = source.current(now)?.anchors;
    const extra = intermediates.get(domain);
    const between = extra === undefined ? [] : extra.source.current(now);
    frozen.set(
      domain,
      anchors === undefined || between === undefined ? 'unavailable' : { anchors, intermediates: between },
    );
  }
  return (domain) => frozen.get(domain) ?? 'unknown';
}

export function frozenKeys(keys: ReadonlyMap<string, Tracked<Keys>>, now: number): Snapshot['findKeys'] {
  const frozen = new Map([...keys].map(([id, { source }]) => [id, source.current(now)]));
  return ({ keys: from }) => frozen.get(keysId(from)) ?? 'unavailable';
}
