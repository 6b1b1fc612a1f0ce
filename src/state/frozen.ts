/** What was loaded at one moment, so that a later load cannot change it under a running check. */
import type { KeysFrom } from '../model/from.js';
import type { TrustDomain } from '../model/ids.js';
import type { Bundle, VerificationKey } from '../model/ports.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Keys } from './jwks.js';
import type { Source } from './source.js';
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

/** Tells a source elsewhere that a kid was looked for that it does not have: there may be a newer set. */
class MissingKeys extends Map<string, VerificationKey> {
  constructor(
    keys: Keys,
    private readonly missed: () => void,
  ) {
    super(keys);
  }

  override get(kid: string): VerificationKey | undefined {
    const key = super.get(kid);
    if (key === undefined) this.missed();
    return key;
  }
}

const frozenSet = ({ missed }: Source<Keys>, keys: Keys | undefined): Keys | undefined =>
  missed === undefined || keys === undefined ? keys : new MissingKeys(keys, missed);

export function frozenKeys(keys: ReadonlyMap<string, Tracked<Keys>>, now: number): Snapshot['findKeys'] {
  const frozen = new Map([...keys].map(([id, { source }]) => [id, frozenSet(source, source.current(now))]));
  return ({ keys: from }) => frozen.get(keysId(from)) ?? 'unavailable';
}
