/**
 * What the configuration names, opened and followed: one source for each thing, issuers that name the same keys share one.
 * In: settings, readers of each kind of text, openers. Nothing is read here.
 */
import { hash } from 'node:crypto';
import type { KeysFrom } from '../model/from.js';
import type { TrustDomain } from '../model/ids.js';
import type { Policy } from '../model/policy.js';
import type { Settings } from '../model/settings.js';
import { openCandidate } from './candidate.js';
import type { ReadCandidate } from './candidate.js';
import { keysId } from './frozen.js';
import type { Keys } from './jwks.js';
import type { ContentReaders, Openers } from './openers.js';
import type { Parse, Source } from './source.js';
import { track } from './tracked.js';
import type { Tracked } from './tracked.js';
import type { BundleContents } from './trust-bundle.js';
import { watchFile } from './watched-file.js';

export type Ders = readonly Uint8Array[];

export interface Readers extends ContentReaders {
  readonly policy: Parse<Policy>;
  readonly candidate: ReadCandidate;
  readonly intermediates: Parse<Ders>;
}

export interface Opened {
  readonly policy: Tracked<Policy>;
  readonly candidate: Tracked<string> | undefined;
  readonly bundles: ReadonlyMap<TrustDomain, Tracked<BundleContents>>;
  readonly intermediates: ReadonlyMap<TrustDomain, Tracked<Ders>>;
  /** By `keysId`. */
  readonly keys: ReadonlyMap<string, Tracked<Keys>>;
}

const fingerprints = (ders: Ders): readonly string[] => ders.map((der) => hash('sha256', der, 'hex'));

export function openAll(settings: Settings, readers: Readers, openers: Openers): Opened {
  const { source, maxLastGood } = settings.policy;
  const opened = new Map([...settings.trust].map(([domain, { bundle }]) => [domain, openers.bundle(bundle, domain)]));
  return {
    policy: track('policy', ['policy'], watchFile(source.file, readers.policy, maxLastGood), ({ revision }) => [
      revision,
    ]),
    candidate: openCandidate(settings.policy, readers.candidate),
    bundles: new Map(
      [...opened].map(([domain, bundle]) => [
        domain,
        track('trust', [domain], bundle, ({ anchors }) => fingerprints(anchors)),
      ]),
    ),
    intermediates: new Map(
      [...settings.trust].flatMap(([domain, { intermediates: file }]) =>
        file === null
          ? []
          : [
              [
                domain,
                track('trust', [domain], watchFile(file, readers.intermediates, maxLastGood), fingerprints),
              ] as const,
            ],
      ),
    ),
    keys: openKeys(settings, (from) => openers.keys(from, opened)),
  };
}

/** Issuers that name the same keys share one source. */
function openKeys({ tokens }: Settings, open: (from: KeysFrom) => Source<Keys>): ReadonlyMap<string, Tracked<Keys>> {
  const issuers = new Map<string, { readonly from: KeysFrom; readonly names: Set<string> }>();
  for (const { keys: from, issuer } of tokens) {
    const shared = issuers.get(keysId(from)) ?? { from, names: new Set() };
    shared.names.add(issuer);
    issuers.set(keysId(from), shared);
  }
  return new Map(
    [...issuers].map(([id, { from, names }]) => [
      id,
      track('keys', [...names], open(from), (found) => [...found.keys()]),
    ]),
  );
}

/** Keys after bundles, since some are a part of one; without the candidate, for which nobody waits. */
export const neededOf = ({ policy, bundles, intermediates, keys }: Opened): readonly Tracked<unknown>[] => [
  policy,
  ...bundles.values(),
  ...intermediates.values(),
  ...keys.values(),
];
