/** A guard process whose trust comes from a Workload API on a real socket, and who calls it. */
import { expect } from 'vitest';
import { makeCa } from '../helpers/pki.js';
import type { TestCa } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import { startWorkloadApi } from '../helpers/workload-api.js';
import type { WorkloadApiServer } from '../helpers/workload-api.js';
import { configWith, makeFolder } from './folder.js';
import type { Folder } from './folder.js';
import { startGuard } from './guard.js';
import type { Guard } from './guard.js';
import { until } from './until.js';

export const PROD = 'prod.example';
export const PARTNER = 'partner.example';
export const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
export const SOON = 5000;

export interface Scene {
  readonly folder: Folder;
  readonly guard: Guard;
  readonly partner: TestCa;
  readonly authority: TestIssuer;
  /** Starts one on the guard's socket. */
  agent(): Promise<WorkloadApiServer>;
  /** By this authority's workload, with an SVID that the authority of `by` has signed. */
  call(ca?: TestCa, by?: TestIssuer, claims?: Record<string, unknown>): Promise<Buffer>;
  turns(call: Buffer, reason: string): Promise<void>;
  readiness(): Promise<{ readonly status: number; readonly problems: Readonly<Record<string, string>> }>;
  end(): Promise<void>;
}

export async function sceneWith(
  changes: Record<string, unknown> = {},
  prepare: (folder: Folder, authority: TestIssuer) => void = () => undefined,
): Promise<Scene> {
  const folder = await makeFolder();
  const [partner, authority] = [await makeCa({ trustDomain: PARTNER }), await makeIssuer({ kid: 'authority-1' })];
  prepare(folder, authority);
  const config = configWith({
    trust: { [PROD]: { bundle: 'workload-api' }, [PARTNER]: { bundle: 'workload-api' } },
    tokens: [
      { issuer: 'https://spire.prod.example', keys: `spiffe:${PROD}`, audiences: ['orders'], identity: '{sub}' },
    ],
    ...changes,
  });
  const socket = `unix:${folder.file('agent.sock')}`;
  const guard = await startGuard(folder, config, { SPIFFE_ENDPOINT_SOCKET: socket });
  const agents: WorkloadApiServer[] = [];
  return {
    folder,
    guard,
    partner,
    authority,
    async agent() {
      const agent = await startWorkloadApi(socket);
      agents.push(agent);
      return agent;
    },
    async call(ca = folder.ca, by = authority, claims = {}) {
      const peer = await ca.issue();
      const token = await by.sign({ iss: undefined, sub: FRONTEND, scope: 'orders.read', ...claims });
      return folder.call({ peer, token });
    },
    turns: (call, reason) => until(async () => (await guard.reasonFor(call)) === reason, SOON),
    async readiness() {
      const page = await guard.page('/readyz');
      return {
        status: page.status,
        problems: (JSON.parse(page.body) as { problems: Record<string, string> }).problems,
      };
    },
    async end() {
      expect((await guard.stop()).code).toBe(0);
      for (const agent of agents) await agent.stop();
      folder.remove();
    },
  };
}
