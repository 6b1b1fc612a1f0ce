/** Settings, keys and bundles of a guard without listeners, and a call through a gateway that it allows. */
import { loadConfig } from '../../src/config/load.js';
import { readersFor } from '../../src/engine.js';
import type { Settings } from '../../src/model/settings.js';
import type { RevocableNames } from '../../src/model/ports.js';
import type { Snapshot } from '../../src/model/snapshot.js';
import { createEngine } from '../../src/engine.js';
import { ok } from '../../src/model/result.js';
import { checkGuardrails } from '../../src/policy/compile.js';
import { openSources } from '../../src/state/sources.js';
import { revocableNames } from '../../src/steps.js';
import { readRequest } from '../../src/wire/read-request.js';
import { configWith, makeFolder } from '../cli/folder.js';

export interface OfflineGuard {
  readonly settings: Settings;
  readonly snapshot: () => Snapshot;
  readonly bytes: Buffer;
  /** Everything of that call that a revocation can name. */
  readonly names: RevocableNames;
}

const broken = (fault: unknown): never => {
  throw fault;
};

export async function offlineGuard(): Promise<OfflineGuard> {
  const folder = await makeFolder();
  try {
    const loaded = loadConfig(folder.config(configWith({ cache: { maxAge: '1d' } })), {}, checkGuardrails);
    if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join('; '));
    const { settings } = loaded;
    const sources = await openSources(settings, readersFor(settings), Date.now(), () => undefined);
    const { snapshot } = sources;
    const bytes = await folder.call({ token: await folder.token({ jti: 'one', sub: 'user:alice', txn: 'order-1' }) });
    const request = readRequest(bytes);
    if (!request.ok) throw new Error(request.detail);
    const engine = createEngine({ settings, snapshot, now: Date.now, onFault: broken });
    const { findings, guard } = await engine.check(ok(request.value), undefined);
    if (findings.origin === undefined) throw new Error('the call has no origin');
    sources.close();
    return { settings, snapshot, bytes, names: revocableNames(findings.origin, findings.token, guard) };
  } finally {
    folder.remove();
  }
}
