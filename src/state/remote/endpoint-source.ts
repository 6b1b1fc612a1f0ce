/**
 * A bundle from an endpoint that shows an X.509-SVID (SPIFFE Federation §5.2.2, `https_spiffe`), as a source. In: where and
 * who, and the judges of what comes. The rules of the server's certificate are in spiffe/endpoint.ts.
 */
import type { HttpsSpiffeFrom } from '../../model/from.js';
import { trustDomainOf } from '../../model/ids.js';
import type { TrustDomain } from '../../model/ids.js';
import type { Parse, Source } from '../source.js';
import { endpointProblem } from '../spiffe/endpoint.js';
import type { CheckSvid } from '../spiffe/own-svid.js';
import { inOrder } from '../spiffe/sequence.js';
import type { BundleContents } from '../trust-bundle.js';
import { watchFile } from '../watched-file.js';
import { mayConnect } from './addresses.js';
import { loadDocument } from './loaders.js';
import { followRemote } from './remote-source.js';
import type { Conditions } from './remotes.js';

export interface EndpointJudges {
  readonly parse: Parse<BundleContents>;
  readonly checkSvid: CheckSvid;
}

/**
 * The first answer is verified with the bootstrap file. Where the endpoint is of the very domain whose bundle it gives, what
 * came last is trusted from then on (Federation §5.2.2.4): a domain that rotates all of its authorities stays reachable, and
 * the file need not follow.
 */
export function openEndpoint(
  from: HttpsSpiffeFrom,
  domain: TrustDomain,
  { parse, checkSvid }: EndpointJudges,
  { pace, limits, chance, lookup }: Conditions,
): Source<BundleContents> {
  const load = loadDocument(from.url, inOrder(parse));
  const isOwn = trustDomainOf(from.endpoint) === domain;
  let [latest, first]: (BundleContents | undefined)[] = [];
  return followRemote({
    from: from.url,
    async load(bootstrap: BundleContents | undefined, ended, now) {
      // Another file is the operator's word, and newer than ours.
      if (!sameAnchors(bootstrap, first)) [latest, first] = [undefined, bootstrap];
      const { anchors } = latest ?? bootstrap ?? { anchors: [] };
      const serverProblem = (chain: readonly Uint8Array[]) =>
        endpointProblem({ id: from.endpoint, anchors, checkSvid }, chain, now);
      const transport = { mayConnect: mayConnect(from.allow), limits, secureContext: undefined, serverProblem };
      const loaded = await load({ ...transport, ...(lookup && { lookup }) }, ended);
      if (isOwn && loaded.kind === 'value') latest = loaded.value;
      return loaded;
    },
    authorities: watchFile(from.bootstrap, parse, Infinity),
    maxStale: from.maxStale,
    pace,
    chance,
  });
}

/** SIGHUP reads the file again, and makes another object of the same. */
const sameAnchors = (a: BundleContents | undefined, b: BundleContents | undefined): boolean =>
  a?.anchors.length === b?.anchors.length &&
  (a?.anchors ?? []).every((anchor, index) => Buffer.compare(anchor, b?.anchors[index] ?? new Uint8Array()) === 0);
