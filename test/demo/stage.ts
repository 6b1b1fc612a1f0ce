/**
 * Puts everything on the stage and takes it down again: gateway Envoy → sidecar Envoy + guard → workload, all on loopback.
 * In: which guard to run. Out: where it is, what it records. Throws, with what the process said, when one does not start.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAccessLog, makeAuditLog } from './audit-log.js';
import type { AccessLog, AuditLog } from './audit-log.js';
import { gateway, sidecar } from './envoys.js';
import type { EnvoyFile, SidecarPlaces } from './envoys.js';
import { makeFolder } from './folders.js';
import { startAgent } from './agent.js';
import { makeMaterials, socketOf, writeConfig } from './materials.js';
import type { Materials, TrustFrom } from './materials.js';
import { revokeBy, startEnvoy, startGuard } from './players.js';
import type { Programs } from './players.js';
import { freePorts } from './ports.js';
import { scaffold } from './scaffold.js';
import { startUpstream } from './upstream.js';
import type { Upstream } from './upstream.js';

export type { Programs } from './players.js';

export interface Ports {
  readonly sidecar: number;
  /** The sidecar of a second replica; 0 where there is none, like those below. */
  readonly second: number;
  readonly gateway: number;
  readonly public: number;
  readonly admin: number;
  readonly http: number;
  readonly grpc: number;
}

export interface Stage {
  readonly materials: Materials;
  readonly ports: Ports;
  readonly upstream: Upstream;
  readonly audit: AuditLog;
  /** What the sidecar's access log says of a request, for the message when a row differs. */
  readonly access: AccessLog;
  /** `firsthand revoke` with these options, as an operator beside the guard runs it; absent where no row needs it. */
  readonly revoke?: (options: readonly string[]) => Promise<void>;
  /** What the guard said last on its standard error. */
  guardSaid(): string;
  /** Ends everything; the guard's exit code. */
  stop(): Promise<number>;
}

export async function setStage(programs: Programs, trust: TrustFrom): Promise<Stage> {
  let guardCode = -1;
  const { built, strike } = await scaffold(async (later) => {
    const folder = await makeFolder(join(tmpdir(), 'firsthand-demo-'));
    later(() => folder.remove());
    const materials = await makeMaterials(folder.path, trust);
    if (trust === 'workload-api') {
      const agent = await startAgent(materials);
      later(() => agent.stop());
    }
    const ports = await findPorts();
    const upstream = await startUpstream(ports.http, ports.grpc);
    later(() => upstream.stop());
    const [audit, access] = [makeAuditLog(), makeAccessLog()];
    const config = await writeConfig(materials, { admin: ports.admin });
    const guard = await startGuard(programs, config, ports.admin, audit);
    later(async () => (guardCode = await guard.stop()));
    for (const [file, listens] of envoyFiles(materials, ports)) {
      const envoy = await startEnvoy(programs, materials, file, listens, access);
      later(() => envoy.stop());
    }
    const revoke = revokeBy(programs, config);
    return { materials, ports, upstream, audit, access, revoke, guardSaid: guard.tail };
  });
  return { ...built, stop: async () => (await strike(), guardCode) };
}

async function findPorts(): Promise<Ports> {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = await freePorts(6);
  return { sidecar: a, second: 0, gateway: b, public: c, admin: d, http: e, grpc: f };
}

/** `guard`: the name of the guard that it asks. */
export function sidecarOf(
  { file }: Materials,
  guard: string,
  { inbound, http, grpc }: Pick<SidecarPlaces, 'inbound' | 'http' | 'grpc'>,
): EnvoyFile {
  const files = { certificate: file('orders.pem'), key: file('orders.key'), bundle: file('bundle.pem') };
  return sidecar({ ...files, checkSocket: file(socketOf(guard)), inbound, http, grpc });
}

function envoyFiles(materials: Materials, ports: Ports): readonly (readonly [EnvoyFile, readonly number[]])[] {
  const { file } = materials;
  const bundle = file('bundle.pem');
  return [
    [sidecarOf(materials, 'firsthand', { ...ports, inbound: ports.sidecar }), [ports.sidecar]],
    [
      gateway({
        certificate: file('gateway.pem'),
        key: file('gateway.key'),
        bundle,
        mesh: ports.gateway,
        public: ports.public,
        orders: ports.sidecar,
      }),
      [ports.gateway, ports.public],
    ],
  ];
}
