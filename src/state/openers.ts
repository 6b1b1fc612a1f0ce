/**
 * From what the configuration names to the source that it means. Nothing is read here: a source reads when it is polled.
 */
import type { BundleFrom, KeysFrom } from '../model/from.js';
import type { TrustDomain } from '../model/ids.js';
import type { Keys } from './jwks.js';
import { createRemotes } from './remote/remotes.js';
import type { Remotes } from './remote/remotes.js';
import { partOf } from './source.js';
import type { Parse, Source } from './source.js';
import type { BundleContents } from './trust-bundle.js';
import { watchFile } from './watched-file.js';

export interface Openers {
  bundle(from: BundleFrom, domain: TrustDomain): Source<BundleContents>;
  keys(from: KeysFrom, bundles: ReadonlyMap<TrustDomain, Source<BundleContents>>): Source<Keys>;
}

export interface ContentReaders {
  readonly bundle: Parse<BundleContents>;
  readonly keys: Parse<Keys>;
}

/** `maxLastGood`: of files, ms. */
export const openersWith = (
  readers: ContentReaders,
  maxLastGood: number,
  remotes: Remotes = createRemotes(),
): Openers => ({
  bundle(from) {
    switch (from.kind) {
      case 'file':
        return watchFile(from.file, readers.bundle, maxLastGood);
      case 'https':
        return remotes.bundle(from, readers.bundle);
      case 'https-spiffe':
      case 'workload-api':
        throw new Error(`a bundle from ${from.kind} can not be opened`);
    }
  },
  keys(from, bundles) {
    switch (from.kind) {
      case 'file':
        return watchFile(from.file, readers.keys, maxLastGood);
      case 'https':
      case 'oidc':
        return remotes.keys(from, readers.keys);
      case 'spiffe':
        return keysOfDomain(from.domain, bundles);
    }
  },
});

function keysOfDomain(domain: TrustDomain, bundles: ReadonlyMap<TrustDomain, Source<BundleContents>>): Source<Keys> {
  const bundle = bundles.get(domain);
  if (bundle === undefined) throw new Error(`the trust domain ${domain} is not configured`);
  return partOf(bundle, ({ keys }) => keys, 'a PEM bundle holds no keys for tokens; use a SPIFFE bundle (JSON)');
}
