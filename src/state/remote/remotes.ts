/**
 * Everything that is fetched over https, shared by all who name the same, for as long as the guard lives. In: where from and
 * how it is read. Out: a source. What a test may want to be otherwise (pace, limits, the resolver, chance) is said once, here.
 */
import { randomInt } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { HttpsFrom, HttpsSpiffeFrom, OidcFrom } from '../../model/from.js';
import { fromText } from '../../model/from.js';
import type { TrustDomain } from '../../model/ids.js';
import type { Keys } from '../jwks.js';
import type { Parse, Source } from '../source.js';
import { inOrder } from '../spiffe/sequence.js';
import type { BundleContents } from '../trust-bundle.js';
import { mayConnect } from './addresses.js';
import { openAuthorities } from './authorities.js';
import { PACE } from './freshness.js';
import type { Pace } from './freshness.js';
import { LIMITS } from './https.js';
import type { Limits, Lookup } from './https.js';
import { loadDiscovered, loadDocument } from './loaders.js';
import type { Load } from './loaders.js';
import { openEndpoint } from './endpoint-source.js';
import type { EndpointJudges } from './endpoint-source.js';
import { createPool } from './pool.js';
import type { Pool } from './pool.js';
import { followRemote } from './remote-source.js';

export interface Remotes {
  keys(from: HttpsFrom | OidcFrom, parse: Parse<Keys>): Source<Keys>;
  bundle(from: HttpsFrom, parse: Parse<BundleContents>): Source<BundleContents>;
  /** From an endpoint that shows an SVID. */
  endpoint(from: HttpsSpiffeFrom, domain: TrustDomain, judges: EndpointJudges): Source<BundleContents>;
}

export interface Conditions {
  readonly pace: Pace;
  readonly limits: Limits;
  readonly chance: () => number;
  /** undefined: the system's resolver. */
  readonly lookup: Lookup | undefined;
}

/** Three decimals are enough to keep a fleet apart. */
const usual: Conditions = { pace: PACE, limits: LIMITS, chance: () => randomInt(1000) / 1000, lookup: undefined };

export function createRemotes(changes: Partial<Conditions> = {}): Remotes {
  const conditions = { ...usual, ...changes };
  const keys = createPool<Keys>();
  const bundles = createPool<BundleContents>();
  const authorities = createPool<SecureContext>();
  return {
    keys: (from, parse) =>
      open(from, keys, authorities, conditions, () =>
        from.kind === 'oidc' ? loadDiscovered(from.issuer, parse) : loadDocument(from.url, parse),
      ),
    bundle: (from, parse) => open(from, bundles, authorities, conditions, () => loadDocument(from.url, inOrder(parse))),
    endpoint: (from, domain, judges) =>
      bundles(JSON.stringify([from, domain]), () => openEndpoint(from, domain, judges, conditions)),
  };
}

function open<T>(
  from: HttpsFrom | OidcFrom,
  pool: Pool<T>,
  authorities: Pool<SecureContext>,
  { pace, limits, chance, lookup }: Conditions,
  loader: () => Load<T>,
): Source<T> {
  return pool(JSON.stringify(from), () => {
    const load = loader();
    const transport = { mayConnect: mayConnect(from.allow), limits, ...(lookup && { lookup }) };
    return followRemote({
      from: fromText(from),
      load: (secureContext, ended) => load({ ...transport, secureContext }, ended),
      authorities: sharedAuthorities(from.ca, authorities),
      maxStale: from.maxStale,
      pace,
      chance,
    });
  });
}

function sharedAuthorities(ca: string | null, pool: Pool<SecureContext>): Source<SecureContext> | undefined {
  const source = openAuthorities(ca);
  return source && pool(source.from, () => source);
}
