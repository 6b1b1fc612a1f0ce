/**
 * What is told of certificates: first seen, replaced, about to end, ended. In: peers' as they come, our own and the roots of
 * the bundles as they are now, again and again. Out: events, each once, and when ours end. Decides nothing.
 */
import type { EventFields } from './audit/events.js';
import type { TrustDomain } from './model/ids.js';
import { createRootLives } from './state/root-lives.js';
import { createSeenCertificates } from './state/seen-certificates.js';
import type { CertificateNews, KnownCertificate } from './state/seen-certificates.js';

export type TellCertificate = (event: CertificateNews['event'], fields: EventFields<'certificate_expiring'>) => void;

/** Our own certificates by what they are for. */
export type OwnCertificate = 'identity' | 'listen.tls';

export interface TrustedRoots {
  readonly anchors: readonly Uint8Array[];
  /** Where they are from. */
  readonly from: string;
}

export interface CertificateTeller {
  /** Of a peer or an origin. */
  peer(facts: KnownCertificate, now: number): void;
  /** Ours as it is now; undefined where there is none. */
  own(what: OwnCertificate, facts: KnownCertificate | undefined, from: string, now: number): void;
  /** Of all trust domains; only what is about to end is told of roots, since their coming and going is told of bundles. */
  roots(bundles: ReadonlyMap<TrustDomain, TrustedRoots>, now: number): void;
  /** When ours end, ms, and the first root of each trust domain, by name. */
  ends(): ReadonlyMap<string, number>;
}

export function createCertificateTeller(tell: TellCertificate): CertificateTeller {
  const [seenPeer, seenOwn, seenRoot] = [createSeenCertificates(), createSeenCertificates(), createSeenCertificates()];
  const lives = createRootLives();
  const own = new Map<OwnCertificate, KnownCertificate>();
  let roots: ReadonlyMap<TrustDomain, readonly KnownCertificate[]> = new Map();
  const each = (
    news: readonly CertificateNews[],
    { id, sha256, serial, notAfter }: KnownCertificate,
    source?: string,
  ): void => {
    for (const { event, detail } of news)
      tell(event, {
        identity: id,
        certificate: sha256,
        serial,
        not_after: notAfter,
        ...(source === undefined ? {} : { source }),
        ...(detail === undefined ? {} : { detail }),
      });
  };
  return {
    peer: (facts, now) => each(seenPeer(facts, now), facts),
    own(what, facts, from, now) {
      own.delete(what);
      if (facts === undefined) return;
      own.set(what, facts);
      each(seenOwn(facts, now), facts, from);
    },
    roots(bundles, now) {
      roots = lives.look(new Map([...bundles].map(([domain, { anchors }]) => [domain, anchors])));
      for (const [domain, certificates] of roots)
        for (const root of certificates)
          each(
            seenRoot(root, now).filter(({ event }) => event === 'certificate_expiring'),
            root,
            bundles.get(domain)?.from,
          );
    },
    ends: () =>
      new Map([
        ...[...own.values()].map(({ id, notAfter }) => [id, notAfter] as const),
        ...[...roots].flatMap(([domain, certificates]) =>
          certificates.length === 0
            ? []
            : [[`spiffe://${domain}`, Math.min(...certificates.map(({ notAfter }) => notAfter))] as const],
        ),
      ]),
  };
}
