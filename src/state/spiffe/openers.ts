/**
 * What comes from the SPIFFE Workload API, opened. In: settings, the openers of everything else. Out: openers that know
 * these as well. A domain whose bundle comes from the Workload API has its JWT authorities from there too; they are a source
 * of their own, so that an agent without JWT-SVIDs takes nothing from its certificates.
 */
import type { BundleFrom } from '../../model/from.js';
import type { TrustDomain } from '../../model/ids.js';
import type { Settings } from '../../model/settings.js';
import type { Openers } from '../openers.js';
import type { WorkloadApi } from './workload-api.js';

export const workloadApiOpeners = (settings: Pick<Settings, 'trust'>, others: Openers, api: WorkloadApi): Openers => {
  const bundleOf = (domain: TrustDomain): BundleFrom | undefined => settings.trust.get(domain)?.bundle;
  return {
    bundle: (from, domain) =>
      from.kind === 'workload-api' ? api.bundle(domain, from.maxStale) : others.bundle(from, domain),
    keys(from, bundles) {
      const bundle = from.kind === 'spiffe' ? bundleOf(from.domain) : undefined;
      if (from.kind !== 'spiffe' || bundle?.kind !== 'workload-api') return others.keys(from, bundles);
      return api.keys(from.domain, bundle.maxStale);
    },
  };
};
