/**
 * Puts everything on the stage and takes it down again: gateway Envoy → sidecar Envoy + guard → workload, all on loopback.
 * In: which guard to run. Out: where it is, what it records. Throws, with what the process said, when one does not start.
 */
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAccessLog, makeAuditLog } from './audit-log.js';
import type { AccessLog, AuditLog } from './audit-log.js';
import { configuration, ENVOY_ARGS, gateway, sidecar } from './envoys.js';
import type { EnvoyFile } from './envoys.js';
import { makeFolder } from './folders.js';
import { makeMaterials, writeConfig } from './materials.js';
import type { Materials, TrustFrom } from './materials.js';
import { startAgent } from './agent.js';
import { poll } from './poll.js';
import { freePorts } from './ports.js';
import { start } from './processes.js';
import type { Child } from './processes.js';
import { startUpstream } from './upstream.js';
import type { Upstream } from './upstream.js';

export interface Programs {
  readonly root: string;
  readonly envoy: string;
  /** The guard's main.js: the build's, or a sabotaged one. */
  readonly main: string;
}

export interface Ports {
  readonly sidecar: number;
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
  /** What the guard said last on its standard error. */
  guardSaid(): string;
  /** Ends everything; the guard's exit code. */
  stop(): Promise<number>;
}

/** For a process to be ready, ms. Generous: a cold and busy machine is no failure. */
const START_LIMIT = 20_000;

export async function setStage(programs: Programs, trust: TrustFrom): Promise<Stage> {
  const folder = await makeFolder(join(tmpdir(), 'firsthand-demo-'));
  const stack: (() => Promise<unknown>)[] = [() => folder.remove()];
  const strike = async (): Promise<void> => {
    for (const undo of stack.reverse().splice(0)) await undo();
  };
  try {
    const materials = await makeMaterials(folder.path, trust);
    if (trust === 'workload-api') {
      const agent = await startAgent(materials);
      stack.push(() => agent.stop());
    }
    const ports = await findPorts();
    const upstream = await startUpstream(ports.http, ports.grpc);
    stack.push(() => upstream.stop());
    const audit = makeAuditLog();
    const access = makeAccessLog();
    const guard = await startGuard(programs, materials, ports, audit);
    let guardCode = -1;
    stack.push(async () => (guardCode = await guard.stop()));
    for (const file of envoyFiles(materials, ports)) {
      const envoy = await startEnvoy(programs, materials, file, access);
      stack.push(() => envoy.stop());
      await listening(envoy, file.file === 'sidecar.yaml' ? [ports.sidecar] : [ports.gateway, ports.public]);
    }
    return {
      materials,
      ports,
      upstream,
      audit,
      access,
      guardSaid: guard.tail,
      stop: async () => (await strike(), guardCode),
    };
  } catch (error) {
    await strike();
    throw error;
  }
}

async function findPorts(): Promise<Ports> {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = await freePorts(6);
  return { sidecar: a, gateway: b, public: c, admin: d, http: e, grpc: f };
}

async function startGuard(programs: Programs, materials: Materials, ports: Ports, audit: AuditLog): Promise<Child> {
  const config = await writeConfig(materials, ports.admin);
  const guard = start({
    name: 'firsthand',
    file: process.execPath,
    args: [programs.main, 'serve', '--config', config],
    cwd: materials.folder,
    onStdout: audit.hear,
  });
  await ready(guard, async () => {
    const answer = await fetch(`http://127.0.0.1:${ports.admin}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  });
  return guard;
}

function envoyFiles(materials: Materials, ports: Ports): readonly EnvoyFile[] {
  const { file } = materials;
  const bundle = file('bundle.pem');
  return [
    sidecar({
      certificate: file('orders.pem'),
      key: file('orders.key'),
      bundle,
      checkSocket: file('check.sock'),
      inbound: ports.sidecar,
      http: ports.http,
      grpc: ports.grpc,
    }),
    gateway({
      certificate: file('gateway.pem'),
      key: file('gateway.key'),
      bundle,
      mesh: ports.gateway,
      public: ports.public,
      orders: ports.sidecar,
    }),
  ];
}

async function startEnvoy(
  programs: Programs,
  materials: Materials,
  file: EnvoyFile,
  access: AccessLog,
): Promise<Child> {
  const path = materials.file(file.file.replace('.yaml', '.envoy.json'));
  await writeFile(path, configuration(programs.root, file));
  return start({
    name: `envoy ${file.file}`,
    file: programs.envoy,
    args: ['-c', path, ...ENVOY_ARGS],
    cwd: materials.folder,
    onStdout: access.hear,
  });
}

async function listening(child: Child, ports: readonly number[]): Promise<void> {
  for (const port of ports) await ready(child, () => accepts(port));
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function ready(child: Child, ask: () => Promise<boolean>): Promise<void> {
  try {
    await poll(`${child.name} to be ready`, START_LIMIT, async () => {
      if (child.code() !== undefined) throw new Error(`${child.name} ended with ${child.code()}`);
      return (await ask()) ? true : undefined;
    });
  } catch (error) {
    const said = child.tail();
    await child.stop();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error });
  }
}
