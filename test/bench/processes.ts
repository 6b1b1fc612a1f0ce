/**
 * Servers and helpers as processes of their own, each on cores of its own where `taskset` exists. CPU time and memory are
 * the kernel's own accounts in /proc, so this runs on Linux alone. Every child ends with this process.
 */
import { fork, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const living = new Set<ChildProcess>();
process.on('exit', () => living.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const keep = <T extends ChildProcess>(child: T): T => {
  living.add(child);
  child.once('close', () => living.delete(child));
  return child;
};

const CORES = availableParallelism();
export const PINS = CORES > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;
/** The server under test has the first core to itself. */
export const SERVER_CORE = '0';
export const LOAD_CORES = CORES > 1 ? Array.from({ length: Math.min(CORES - 1, 3) }, (_, n) => String(n + 1)) : ['0'];

/** A command, on one core where that is possible. */
export const pinned = (core: string, command: readonly string[]): readonly string[] =>
  PINS ? ['taskset', '-c', core, ...command] : command;

export interface Server {
  readonly name: string;
  readonly socket: string;
  /** User and system time since the start, µs. */
  cpu(): number;
  /** MiB. */
  rss(): number;
  stop(): Promise<void>;
}

const GUARD_LIKE = { core: SERVER_CORE, ready: '"msg":"serving"' };

/** Resolves once it says that it is ready. */
export async function startServer(
  name: string,
  socket: string,
  command: readonly string[],
  { core, ready } = GUARD_LIKE,
): Promise<Server> {
  const [file = '', ...args] = pinned(core, command);
  const child = keep(spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] }));
  let said = '';
  const ended = once(child, 'close');
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
      if (said.includes(ready)) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${name} did not start: ${said}`)));
  });
  // taskset becomes the command that it starts, so the process id is the server's.
  const pid = child.pid ?? 0;
  return {
    name,
    socket,
    cpu: () => cpuOf(pid),
    rss: () => rssOf(pid),
    async stop() {
      child.kill('SIGTERM');
      const killed = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(killed);
    },
  };
}

const TICK = 1e6 / Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout.trim() || '100');

/**
 * All threads; in ns from schedstat where the kernel keeps it, else in ticks: proc_pid_stat(5), fields 14 and 15, counted from
 * after the name in brackets, which may hold spaces.
 */
function cpuOf(pid: number): number {
  const threads = `/proc/${pid}/task`;
  if (existsSync(`${threads}/${pid}/schedstat`)) {
    const nanoseconds = (thread: string): number =>
      Number(readFileSync(`${threads}/${thread}/schedstat`, 'utf8').split(' ')[0]);
    return readdirSync(threads).reduce((sum, thread) => sum + nanoseconds(thread), 0) / 1000;
  }
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

function rssOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

export interface Worker<In, Out> {
  ask(order: In): Promise<Out>;
  stop(): void;
}

type Reply<Out> = 'ready' | { readonly ok: Out } | { readonly error: string };

/** A TypeScript file of ours that says `ready`, and then answers each message with one. */
export async function startWorker<In extends object, Out>(file: string, core: string, args: readonly string[] = []) {
  const options = { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] as 'inherit'[] };
  const child = keep(fork(file, args, options));
  if (PINS) spawnSync('taskset', ['-a', '-p', '-c', core, String(child.pid)]);
  let settle: { resolve: (answer: Out) => void; reject: (error: Error) => void } | undefined;
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: Reply<Out>) => {
      if (message === 'ready') resolve();
      else if ('ok' in message) settle?.resolve(message.ok);
      else settle?.reject(new Error(message.error));
    });
    child.once('close', () => {
      const early = new Error('a process of the benchmark ended early');
      reject(early);
      settle?.reject(early);
    });
  });
  await ready;
  const worker: Worker<In, Out> = {
    ask: (order) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        child.send(order);
      }),
    stop: () => void child.kill('SIGTERM'),
  };
  return worker;
}
