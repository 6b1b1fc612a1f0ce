/**
 * The guard's own SVID, followed. In: settings, and the Workload API where it is from there. Out: a source, undefined where
 * none is configured. Nothing is decided by it: it is told of, so that its end comes as no surprise.
 */
import { readSvid } from './evidence/certificate.js';
import type { CertificateFacts } from './model/evidence.js';
import type { Settings } from './model/settings.js';
import type { Source } from './state/source.js';
import { svidFromFiles } from './state/spiffe/svid-files.js';
import type { ReadLeaf } from './state/spiffe/svid-files.js';
import type { WorkloadApi } from './state/spiffe/workload-api.js';

export type OwnIdentity = Source<CertificateFacts>;

export function openIdentity(
  { identity: { svid }, policy }: Settings,
  workloadApi: WorkloadApi | undefined,
): OwnIdentity | undefined {
  switch (svid.kind) {
    case 'none':
      return undefined;
    case 'workload-api':
      return workloadApi?.svid(policy.maxLastGood);
    case 'files':
      return svidFromFiles(svid, readLeaf, policy.maxLastGood);
  }
}

const readLeaf: ReadLeaf = (der) => {
  const svid = readSvid(der);
  return svid.ok ? { ok: true, value: svid.facts } : svid;
};
