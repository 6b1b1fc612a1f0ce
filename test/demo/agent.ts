/** The Workload API that the guard asks with --spiffe: the bundles and authorities that are files without. */
import { startWorkloadApi } from '../helpers/workload-api.js';
import type { WorkloadApiServer } from '../helpers/workload-api.js';
import type { Authority, Materials } from './materials.js';

export async function startAgent({ authorities, orders, file }: Materials): Promise<WorkloadApiServer> {
  const agent = await startWorkloadApi(`unix:${file('agent.sock')}`);
  const byDomain = <T>(of: (authority: Authority) => T): Record<string, T> =>
    Object.fromEntries(authorities.map((authority) => [authority.domain, of(authority)]));
  agent.x509(byDomain(({ ca }) => [ca]));
  agent.jwt(byDomain(({ issuers }) => issuers));
  const own = authorities.find(({ domain }) => domain === 'prod.example');
  if (own !== undefined) agent.svid(orders, own.ca);
  return agent;
}
