/**
 * The processes on the stage, each started and waited for. In: a program, its configuration. Out: the running child. Throws,
 * with what it said, when it does not get ready.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { AccessLog, AuditLog } from './audit-log.js';
import { configuration, ENVOY_ARGS } from './envoys.js';
import type { EnvoyFile } from './envoys.js';
import type { Materials } from './materials.js';
import { poll } from './poll.js';
import { start } from './processes.js';
import type { Child } from './processes.js';

export interface Programs {
  readonly root: string;
  readonly envoy: string;
  /** The guard's main.js: the build's, or a sabotaged one. */
  readonly main: string;
  /** redis-server; empty where the piece needs none. */
  readonly redis: string;
}

/** The command to its end; rejects with what it said where it does not end well. */
export const revokeBy =
  ({ main }: Programs, config: string) =>
  async (options: readonly string[]): Promise<void> =>
    void (await promisify(execFile)(process.execPath, [main, 'revoke', '--config', config, ...options]));

/** For a process to be ready, ms. Generous: a cold and busy machine is no failure. */
const START_LIMIT = 20_000;

/** `config` is a file; ready once /readyz on this port says so. */
export async function startGuard(programs: Programs, config: string, admin: number, audit: AuditLog): Promise<Child> {
  const guard = start({
    name: 'firsthand',
    file: process.execPath,
    args: [programs.main, 'serve', '--config', config],
    cwd: dirname(config),
    onStdout: audit.hear,
  });
  await ready(guard, async () => {
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  });
  return guard;
}

/** Keeps nothing on disk. */
export async function startRedis(programs: Programs, cwd: string, port: number): Promise<Child> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', cwd];
  const redis = start({ name: 'redis', file: programs.redis, args, cwd });
  await listening(redis, [port]);
  return redis;
}

/** Ready once it accepts connections on these ports. `name` is that of its configuration and of the child. */
export async function startEnvoy(
  programs: Programs,
  materials: Materials,
  file: EnvoyFile,
  ports: readonly number[],
  access: AccessLog,
  name = file.file.replace('.yaml', ''),
): Promise<Child> {
  const path = materials.file(`${name}.envoy.json`);
  await writeFile(path, configuration(programs.root, file));
  const envoy = start({
    name: `envoy ${name}`,
    file: programs.envoy,
    args: ['-c', path, ...ENVOY_ARGS],
    cwd: materials.folder,
    onStdout: access.hear,
  });
  await listening(envoy, ports);
  return envoy;
}

export async function listening(child: Child, ports: readonly number[]): Promise<void> {
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
