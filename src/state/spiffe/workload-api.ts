/**
 * The SPIFFE Workload API of this node as sources: the bundle and the JWT authorities of each trust domain that somebody
 * asks for, and our own SVID. Each of the three streams is opened when it is first needed, and closed with the last of its
 * sources; the sources of one stream are made together, before its first answer. What an answer does not name is taken
 * back: a domain that was withdrawn has an empty bundle from then on, and is untrusted rather than unavailable, since the
 * source has spoken; a guard that restarts meanwhile says the same. Where the agent gives us nothing at all
 * (PermissionDenied), nothing is loaded. Does NOT merge anything with what came before.
 */
import { hash } from 'node:crypto';
import type { CertificateFacts } from '../../model/evidence.js';
import type { TrustDomain } from '../../model/ids.js';
import type { Address } from '../../model/settings.js';
import { reading } from '../../x509/der.js';
import type { Reading } from '../../x509/der.js';
import type { Keys } from '../jwks.js';
import type { Source } from '../source.js';
import type { BundleContents } from '../trust-bundle.js';
import { createBrought } from './brought.js';
import type { News } from './brought.js';
import { JWT_BUNDLES, X509_BUNDLES, X509_SVIDS } from './messages.js';
import type { Method } from './messages.js';
import { ownSvidOf, readOwnSvid, svidId } from './own-svid.js';
import type { CheckSvid } from './own-svid.js';
import { openStream } from './stream.js';
import type { Ending, Pace, Stream } from './stream.js';
import { jwtBundlesOf, readJwtAuthorities, readX509Bundle, x509BundlesOf } from './updates.js';

export interface WorkloadApi {
  /** `maxStale`: how long the last good value goes on while the agent is away, ms. */
  bundle(domain: TrustDomain, maxStale: number): Source<BundleContents>;
  keys(domain: TrustDomain, maxStale: number): Source<Keys>;
  svid(maxStale: number): Source<CertificateFacts>;
}

export interface WorkloadApiOptions {
  readonly endpoint: Address;
  readonly checkSvid: CheckSvid;
  readonly pace?: Pace;
}

export function createWorkloadApi(options: WorkloadApiOptions): WorkloadApi {
  const x509 = createFeed(options, X509_BUNDLES, x509BundlesOf, bytesId);
  const jwt = createFeed(options, JWT_BUNDLES, jwtBundlesOf, bytesId);
  const own = createFeed(options, X509_SVIDS, (message) => new Map([[OWN, ownSvidOf(message)]]), svidId);
  return {
    bundle: (domain, maxStale) => x509.source(domain, maxStale, readContents, { anchors: [], keys: undefined }),
    keys: (domain, maxStale) => jwt.source(domain, maxStale, readJwtAuthorities, new Map()),
    svid: (maxStale) => own.source(OWN, maxStale, (svid) => readOwnSvid(svid, options.checkSvid), undefined),
  };
}

/** Of the one entry in the feed of our own SVID. */
const OWN = 'own';

const bytesId = (bytes: Buffer): string => hash('sha256', bytes);

function readContents(bytes: Buffer): Reading<BundleContents> {
  const anchors = readX509Bundle(bytes);
  return anchors.ok ? { ok: true, value: { anchors: anchors.value, keys: undefined } } : anchors;
}

type ReadPart<Part, T> = (part: Part) => Reading<T> | Promise<Reading<T>>;

interface Feed<Part> {
  /** `empty`: what the source is once an answer does not name it. */
  source<T>(name: string, maxStale: number, read: ReadPart<Part, T>, empty: T | undefined): Source<T>;
}

/** One stream, and who is told of its answers. */
function createFeed<M, Part>(
  { endpoint, pace }: WorkloadApiOptions,
  { path, read: readMessage }: Method<M>,
  split: (message: M) => ReadonlyMap<string, Part>,
  idOf: (part: Part) => string,
): Feed<Part> {
  const address = addressText(endpoint);
  const listeners = new Map<string, (heard: Heard<Part>) => void>();
  let stream: Stream | undefined;
  const tell = (heard: Heard<Part>): void => listeners.forEach((listener) => listener(heard));
  const onAnswer = (bytes: Buffer): void => {
    const parts = reading(() => split(readMessage(bytes)));
    tell(parts.ok ? { kind: 'state', parts: parts.value } : { kind: 'lost', problem: parts.problem });
  };
  const onEnd = (ending: Ending, problem: string): void => tell({ kind: kindOf(ending), problem });
  return {
    source<T>(name: string, maxStale: number, read: ReadPart<Part, T>, empty: T | undefined) {
      const brought = createBrought<T>({
        from: `workload-api ${address}`,
        maxStale,
        waiting: `the Workload API at ${address} has not answered yet`,
        again: () => stream?.wake(),
        close() {
          listeners.delete(name);
          if (listeners.size === 0) stream?.close();
        },
      });
      listeners.set(name, (heard) => brought.bring(newsFor(name, heard, { read, idOf, empty })));
      stream ??= openStream(endpoint, path, { onAnswer, onEnd }, pace);
      return brought.source;
    },
  };
}

type Heard<Part> =
  | { readonly kind: 'state'; readonly parts: ReadonlyMap<string, Part> }
  | { readonly kind: 'lost' | 'denied'; readonly problem: string };

/** Workload Endpoint §6: whom the agent denies has lost what it had; whatever else happens to a stream says nothing. */
const kindOf = (ending: Ending): 'lost' | 'denied' => (ending === 'denied' ? 'denied' : 'lost');

interface Ways<Part, T> {
  readonly read: ReadPart<Part, T>;
  readonly idOf: (part: Part) => string;
  readonly empty: T | undefined;
}

function newsFor<Part, T>(name: string, heard: Heard<Part>, { read, idOf, empty }: Ways<Part, T>): News<T> {
  switch (heard.kind) {
    case 'lost':
      return { kind: 'lost', problem: heard.problem };
    case 'denied':
      return { kind: 'gone', problem: heard.problem, instead: undefined };
    case 'state': {
      const part = heard.parts.get(name);
      if (part !== undefined) return { kind: 'new', id: idOf(part), read: () => read(part) };
      const problem = `the Workload API has no bundle of ${name}: nothing of it is trusted`;
      return { kind: 'gone', problem, instead: empty };
    }
  }
}

const addressText = (address: Address): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `tcp://${address.host}:${address.port}`;
