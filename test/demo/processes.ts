/**
 * Children that never outlive the demo: each is stopped by stopAll, and killed when this process ends in any way that
 * Node can notice. In: a command. Out: its lines, its exit, a way to stop it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Child {
  readonly name: string;
  /** What it said last, for a message when it fails. */
  tail(): string;
  /** The exit code once it has ended, else undefined. A signal counts as 128. */
  code(): number | undefined;
  stop(): Promise<number>;
}

export interface Command {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly onStdout?: (line: string) => void;
}

const TAIL_LINES = 40;
/** From SIGTERM to SIGKILL, ms: longer than a drain of Envoy and of Firsthand with drainDelay 0. */
const PATIENCE = 12_000;

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export function start(command: Command): Child {
  const child = spawn(command.file, [...command.args], { cwd: command.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  living.add(child);
  const said: string[] = [];
  const hear = (line: string): void => {
    said.push(line);
    if (said.length > TAIL_LINES) said.shift();
  };
  let code: number | undefined;
  const ended = new Promise<number>((resolve) => {
    const end = (status: number): void => {
      living.delete(child);
      code = status;
      resolve(status);
    };
    child.once('error', (error) => {
      hear(String(error));
      end(127);
    });
    child.once('close', (status) => end(status ?? 128));
  });
  createInterface(child.stdout).on('line', command.onStdout ?? hear);
  createInterface(child.stderr).on('line', hear);
  return { name: command.name, tail: () => said.join('\n'), code: () => code, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<number> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const code = await ended;
  clearTimeout(timer);
  return code;
}
