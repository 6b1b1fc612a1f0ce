/** Cold start: from the command to the first right answer, beside Node with nothing to do, by turns. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { Prepared } from './prepared.js';
import { reasonBytes } from './prepared.js';
import { openConnection } from './connection.js';
import { median } from './measure.js';
import { pinned, SERVER_CORE } from './processes.js';
import type { Name, Subject } from './subjects.js';

export interface Starts {
  readonly name: Name;
  /** ms, medians. */
  readonly first: number;
  readonly node: number;
}

const LIMIT = 20_000;

export async function startsOf(subject: Subject, request: Prepared, times: number): Promise<Starts> {
  const [first, node]: [number[], number[]] = [[], []];
  for (let n = 0; n < times; n += 1) {
    node.push(bareNode());
    first.push(await firstAnswer(subject, request));
  }
  return { name: subject.name, first: median(first), node: median(node) };
}

function bareNode(): number {
  const [file = '', ...args] = pinned(SERVER_CORE, [process.execPath, '-e', '0']);
  const began = performance.now();
  spawnSync(file, args);
  return performance.now() - began;
}

async function firstAnswer({ command, socket, decides }: Subject, request: Prepared): Promise<number> {
  rmSync(socket, { force: true });
  const [file = '', ...args] = pinned(SERVER_CORE, command);
  const began = performance.now();
  const child = spawn(file, args, { stdio: 'ignore' });
  const ended = once(child, 'close');
  try {
    while (!(await accepts(socket))) if (performance.now() - began > LIMIT) throw new Error('it does not start');
    const answer = await askOnce(socket, request);
    const ms = performance.now() - began;
    if (answer === undefined || (decides && !answer.includes(reasonBytes(request.reason))))
      throw new Error('the first answer is not the right one');
    return ms;
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** Asks again every half millisecond or so. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => setTimeout(() => resolve(false), 0.5));
  });
}

async function askOnce(path: string, { bytes, idAt }: Prepared): Promise<Buffer | undefined> {
  let tell: (data: Buffer | undefined) => void = () => undefined;
  const answered = new Promise<Buffer | undefined>((resolve) => (tell = resolve));
  const onAnswer = (_slot: number, data: Buffer | undefined): void => tell(data && Buffer.from(data));
  const connection = await openConnection(path, onAnswer, () => undefined);
  connection.send(0, bytes, idAt);
  connection.flush();
  try {
    return await answered;
  } finally {
    connection.close();
  }
}

/** For the table: what machine this is. */
export const cpuModel = (): string =>
  /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
