/**
 * The real process, from the sources: `firsthand …` to its end, or a running guard. In: arguments, or a folder and a
 * configuration. Out: exit code, both outputs, and ways to ask and to signal it. Every child ends with the test file.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { afterAll } from 'vitest';
import type { Address } from '../../src/model/settings.js';
import { decodeAnswer } from '../wire/answers.js';
import type { DecodedAnswer } from '../wire/answers.js';
import { connectTo } from '../wire/client.js';
import type { TestClient } from '../wire/client.js';
import { buildCommand } from './build.js';
import type { Folder } from './folder.js';
import { until } from './until.js';

const MAIN = await buildCommand();

const living = new Set<ChildProcess>();
afterAll(() => living.forEach((child) => child.kill('SIGKILL')));

export type Env = Readonly<Record<string, string>>;

export interface Ended {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly stderr: () => string;
}

function start(args: readonly string[], env: Env): Started {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  living.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => {
    living.delete(child);
    return { code: code as number | null, stdout, stderr };
  });
  return { child, ended, stderr: () => stderr };
}

/** Runs a command to its end. */
export const run = (args: readonly string[], env: Env = {}): Promise<Ended> => start(args, env).ended;

/** `firsthand serve` that is expected to end by itself. */
export const refusedStart = (folder: Folder, config: string, env: Env = {}): Promise<Ended> =>
  run(['serve', '--config', folder.config(config)], env);

export interface Page {
  readonly status: number;
  readonly body: string;
}

export interface Guard {
  /** Its configuration file. */
  readonly config: string;
  readonly addresses: readonly Address[];
  /** A new client of one of the listeners; closed with the guard. */
  client(listener?: number, credentials?: ChannelCredentials): TestClient;
  /** Asks the first listener. */
  ask(bytes: Buffer): Promise<DecodedAnswer>;
  reasonFor(bytes: Buffer): Promise<unknown>;
  /** The admin listener on its Unix socket, `admin.sock` unless said otherwise. */
  page(path: string, headers?: Record<string, string>): Promise<Page>;
  pageAt(socket: string, path: string): Promise<Page>;
  readonly stderr: () => string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** SIGTERM; resolves with the exit. */
  stop(): Promise<Ended>;
}

/** Resolves once it serves; rejects with what it said where it ends before. */
export async function startGuard(
  folder: Folder,
  config: string,
  env: Env = {},
  options: readonly string[] = [],
): Promise<Guard> {
  const file = folder.config(config);
  const { child, ended, stderr } = start(['serve', '--config', file, ...options], env);
  let over = false;
  void ended.then(() => (over = true));
  await until(() => over || stderr().includes('"msg":"serving"'), 20_000);
  if (over) throw new Error(`the guard did not start: ${stderr()}`);
  const addresses = servedAddresses(stderr());
  const clients: TestClient[] = [];
  const client: Guard['client'] = (listener = 0, credentials) => {
    const address = addresses[listener];
    if (address === undefined) throw new Error(`there is no listener ${listener}`);
    const made = connectTo(address, credentials);
    clients.push(made);
    return made;
  };
  let first: TestClient | undefined;
  const ask: Guard['ask'] = async (bytes) => decodeAnswer(await (first ??= client()).check(bytes));
  return {
    config: file,
    addresses,
    client,
    ask,
    reasonFor: async (bytes) => (await ask(bytes)).metadata['reason'],
    page: (path, headers) => get({ kind: 'unix', path: folder.file('admin.sock') }, path, headers),
    pageAt: (socket, path) => get({ kind: 'unix', path: folder.file(socket) }, path),
    stderr,
    signal: (name) => void child.kill(name),
    ended,
    stop: () => {
      child.kill('SIGTERM');
      clients.forEach((each) => each.close());
      return ended;
    },
  };
}

/** As the log line `serving` tells them. */
function servedAddresses(stderr: string): Address[] {
  const line = stderr.split('\n').find((each) => each.includes('"msg":"serving"')) ?? '{}';
  const { check = [] } = JSON.parse(line) as { check?: string[] };
  return check.map((text) => {
    if (text.startsWith('unix:')) return { kind: 'unix', path: text.slice('unix:'.length) };
    const colon = text.lastIndexOf(':');
    return { kind: 'tcp', host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
  });
}

export function get(address: Address, path: string, headers: Record<string, string> = {}): Promise<Page> {
  const where = address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve, reject) => {
    const asked = request({ ...where, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    asked.on('error', reject);
    asked.end();
  });
}
