/**
 * A few worker processes that take jobs until there are none. A job that takes too long ends its worker, and counts as
 * timed out: a mutant that makes the tests run for ever was noticed, and so was one that takes all memory.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Finding, Job, Passed } from './worker.js';

export type Outcome = Finding | { readonly id: number; readonly timedOut: true };

export interface CrewOptions {
  readonly workers: number;
  /** ms for one group of test files. */
  readonly timeout: (files: readonly string[]) => number;
  readonly makeSandbox: () => string;
  readonly onOutcome: (outcome: Outcome) => void;
}

/** A job is made when a worker is there for it, so that it can learn from those before. */
export async function runJobs(jobs: readonly (() => Job)[], options: CrewOptions): Promise<void> {
  const queue = [...jobs];
  const workers = Array.from({ length: Math.min(options.workers, jobs.length) }, () => work(queue, options));
  await Promise.all(workers);
}

async function work(queue: (() => Job)[], { timeout, makeSandbox, onOutcome }: CrewOptions): Promise<void> {
  let child: ChildProcess | undefined;
  try {
    let last: Job | undefined;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const job = next();
      child ??= await hire(makeSandbox());
      const finding = await ask(child, job, timeout);
      onOutcome(finding ?? { id: job.id, timedOut: true });
      last = job;
      // Its copy may still hold the mistake, so the next worker gets a new one.
      if (finding === undefined) child = dismiss(child);
    }
    if (child !== undefined && last?.mutation !== undefined) await proveHonest(child, last, timeout);
  } finally {
    if (child !== undefined) dismiss(child);
  }
}

/** A worker whose tests fail without a mistake has proven nothing about the mistakes before. */
async function proveHonest(child: ChildProcess, last: Job, timeout: CrewOptions['timeout']): Promise<void> {
  const finding = await ask(child, { ...last, mutation: undefined }, timeout);
  if (finding !== undefined && finding.noticed.length === 0) return;
  throw new Error(`a worker ends with tests that fail by themselves: ${finding?.what ?? 'no answer'}`);
}

function hire(sandbox: string): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('worker.ts', import.meta.url));
  const child = fork(file, [sandbox], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    cwd: sandbox,
    // A process group of its own: see dismiss.
    detached: true,
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)));
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`a worker ended with ${String(code)}: ${complaint}`)));
  });
}

function dismiss(child: ChildProcess): undefined {
  child.removeAllListeners();
  try {
    // With the processes in which its tests run.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself: a mutant that takes all memory ends its worker.
  }
}

/** Undefined where no answer came in time, or the worker broke. */
function ask(child: ChildProcess, job: Job, timeout: CrewOptions['timeout']): Promise<Finding | undefined> {
  return new Promise((resolve) => {
    let group = 0;
    const wait = (): NodeJS.Timeout => setTimeout(() => settle(undefined), timeout(job.groups[group] ?? []));
    let timer = wait();
    const onMessage = (message: Finding | Passed): void => {
      if (!('passed' in message)) return settle(message);
      clearTimeout(timer);
      group += 1;
      timer = wait();
    };
    const onExit = (): void => settle(undefined);
    const settle = (finding: Finding | undefined): void => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(finding);
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.send(job);
  });
}
