/**
 * What comes from the SPIFFE Workload API, opened. In: settings, the openers of everything else. Out: openers that know
 * these as well. A domain whose bundle comes from the Workload API has its JWT authorities from there too; they are a source
 * of their own, so that an agent without JWT-SVIDs takes nothing from its certificates.
 */
import type { TrustDomain } from '../../model/ids.js';
import type { Settings } from '../../model/settings.js';
import type { Openers } from '../openers.js';
import type { WorkloadApi } from './workload-api.js';

export const workloadApiOpeners = (settings: Pick<Settings, 'trust'>, others: Openers, api: WorkloadApi): Openers => {
  const isThere = (domain: TrustDomain): boolean => settings.trust.get(domain)?.bundle.kind === 'workload-api';
  return {
    bundle: (from, domain) => (from.kind === 'workload-api' ? api.bundle(domain) : others.bundle(from, domain)),
    keys: (from, bundles) =>
      from.kind === 'spiffe' && isThere(from.domain) ? api.keys(from.domain) : others.keys(from, bundles),
  };
};
