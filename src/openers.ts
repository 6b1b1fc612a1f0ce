/**
 * What opens the sources that the settings name. Whatever belongs to SPIFFE's Workload API is loaded only where something
 * comes from there: a guard without it has none of it in memory. Nothing is connected before a source is opened.
 */
import { checkSvid } from './check-svid.js';
import type { Settings } from './model/settings.js';
import { openersWith } from './state/openers.js';
import type { ContentReaders, Openers } from './state/openers.js';
import { createRemotes } from './state/remote/remotes.js';
import type { Remotes } from './state/remote/remotes.js';
import type { WorkloadApi } from './state/spiffe/workload-api.js';

export interface Opening {
  readonly openers: Openers;
  /** Undefined where nothing comes from there. */
  readonly workloadApi: WorkloadApi | undefined;
}

/** `remotes`: what was fetched before outlives a reload. */
export async function openingFor(
  settings: Settings,
  readers: ContentReaders,
  remotes = createRemotes(),
): Promise<Opening> {
  const others = withEndpoints(readers, remotes, openersWith(readers, settings.policy.maxLastGood, remotes));
  const workloadApi = await workloadApiOf(settings);
  if (workloadApi === undefined) return { openers: others, workloadApi };
  const { workloadApiOpeners } = await import('./state/spiffe/openers.js');
  return { openers: workloadApiOpeners(settings, others, workloadApi), workloadApi };
}

export const openersFor = async (settings: Settings, readers: ContentReaders, remotes?: Remotes): Promise<Openers> =>
  (await openingFor(settings, readers, remotes)).openers;

/** Endpoints that show an SVID are judged by more than state/ may know. */
const withEndpoints = ({ bundle: parse }: ContentReaders, remotes: Remotes, others: Openers): Openers => ({
  ...others,
  bundle: (from, domain) =>
    from.kind === 'https-spiffe' ? remotes.endpoint(from, domain, { parse, checkSvid }) : others.bundle(from, domain),
});

async function workloadApiOf({ identity, trust }: Settings): Promise<WorkloadApi | undefined> {
  const needed =
    identity.svid.kind === 'workload-api' || [...trust.values()].some(({ bundle }) => bundle.kind === 'workload-api');
  if (!needed) return undefined;
  // config/rules/identity.ts refuses settings that need it and do not say where it is.
  if (identity.workloadApi === null) throw new Error('nobody said where the Workload API is');
  const { createWorkloadApi } = await import('./state/spiffe/workload-api.js');
  return createWorkloadApi({ endpoint: identity.workloadApi, checkSvid });
}
