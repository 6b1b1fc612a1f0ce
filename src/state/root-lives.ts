/**
 * The roots of each trust domain, read once for each bundle, so that their end comes as no surprise. In: what the bundles
 * hold now. Out: the roots by domain. Decides nothing; a root that does not read is left out.
 */
import { hash } from 'node:crypto';
import type { TrustDomain } from '../model/ids.js';
import { readX509 } from '../x509/x509.js';
import type { KnownCertificate } from './seen-certificates.js';

type Ders = readonly Uint8Array[];

export interface RootLives {
  look(bundles: ReadonlyMap<TrustDomain, Ders>): ReadonlyMap<TrustDomain, readonly KnownCertificate[]>;
}

export function createRootLives(): RootLives {
  let known: ReadonlyMap<TrustDomain, { readonly ders: Ders; readonly roots: readonly KnownCertificate[] }> = new Map();
  return {
    look(bundles) {
      known = new Map(
        [...bundles].map(([domain, ders]) => {
          const before = known.get(domain);
          return [domain, before?.ders === ders ? before : { ders, roots: ders.flatMap((der) => rootOf(domain, der)) }];
        }),
      );
      return new Map([...known].map(([domain, { roots }]) => [domain, roots]));
    },
  };
}

function rootOf(domain: TrustDomain, der: Uint8Array): KnownCertificate[] {
  const read = readX509(der);
  if (!read.ok) return [];
  const { serial, notBefore, notAfter } = read.value;
  return [{ id: `spiffe://${domain}`, sha256: hash('sha256', der, 'hex'), serial, notBefore, notAfter }];
}
