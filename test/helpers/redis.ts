/**
 * A real Redis on a free port of loopback, with a folder of its own: started, killed, stopped and continued as a test
 * needs it. What it wrote to its append-only file is there after `restart`, but where the test wipes it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import type { RedisSettings } from '../../src/model/settings.js';
import { poll } from '../demo/poll.js';
import { freePorts } from '../demo/ports.js';
import { ensure } from '../setup.mjs';

export interface TestRedis {
  readonly port: number;
  readonly folder: string;
  /** For a guard, in the clear. */
  readonly settings: RedisSettings;
  /** What any client would be told. */
  command(...words: string[]): Promise<unknown>;
  kill(): Promise<void>;
  /** `empty`: without its files. */
  start(empty?: boolean): Promise<void>;
  /** The process stands still: connections stay open and nothing is answered. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** More words of its configuration. */
  readonly config?: readonly string[];
  /** A second port with TLS, and nothing but TLS on it. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Of the user `default`. */
  readonly password?: string;
}

export const PLAIN: Omit<RedisSettings, 'port'> = {
  host: '127.0.0.1',
  database: 0,
  tls: false,
  ca: null,
  usernameFile: null,
  passwordFile: null,
  keyFile: null,
};

export async function startRedis({ config = [], tls, password }: RedisOptions = {}): Promise<TestRedis> {
  const { redis: program } = ensure({ redis: true });
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-redis-'));
  const [port = 0] = await freePorts(1);
  if (tls !== undefined) {
    writeFileSync(join(folder, 'server.crt'), tls.certificate);
    writeFileSync(join(folder, 'server.key'), tls.key, { mode: 0o600 });
  }
  const where =
    tls === undefined
      ? ['--port', String(port)]
      : ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'].concat(
          ...['--tls-cert-file', 'server.crt', '--tls-key-file', 'server.key'],
        );
  const words = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--loglevel', 'warning', ...where, ...config];
  if (password !== undefined) words.push('--requirepass', password);
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const start = async (empty = false): Promise<void> => {
    if (empty)
      for (const name of ['appendonlydir', 'dump.rdb']) rmSync(join(folder, name), { recursive: true, force: true });
    child = spawn(program, words, { cwd: folder, stdio: 'ignore' });
    await poll('Redis to listen', 10_000, () => isListening(port));
  };
  const last = (): void => void child?.kill('SIGKILL');
  process.once('exit', last);
  await start();
  return {
    port,
    folder,
    settings: { ...PLAIN, port },
    command: (...command) => tell(port, password, command),
    kill,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async stop() {
      child?.kill('SIGCONT');
      await kill();
      process.off('exit', last);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isListening(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(undefined));
    socket.once('connect', () => socket.destroy());
  });
}

async function tell(port: number, password: string | undefined, command: string[]): Promise<unknown> {
  const client = createClient({
    socket: { port, host: '127.0.0.1', reconnectStrategy: false },
    ...(password === undefined ? {} : { password }),
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}
