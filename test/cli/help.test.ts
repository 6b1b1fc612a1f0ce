import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareFolder } from './prepared.js';
import type { Prepared } from './prepared.js';

const SLOW = 240_000;

let prepared: Prepared;
let port: number;
beforeAll(async () => {
  port = await freePort();
  prepared = await prepareFolder(port);
}, SLOW);
afterAll(() => rmSync(prepared.folder, { recursive: true, force: true }));

function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => found(free));
    });
  });
}

interface Ran {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** As in a shell of somebody who stands in the prepared folder. */
function shell(line: string): Promise<Ran> {
  return new Promise((settle) => {
    const child = spawn('sh', ['-c', line], {
      cwd: prepared.folder,
      env: prepared.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => (texts.out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (texts.err += data.toString()));
    child.on('close', (exit) => settle({ exit, ...texts }));
  });
}

interface Help {
  readonly command: string;
  readonly text: string;
  readonly examples: readonly string[];
}

async function helpOf(command: string): Promise<Help> {
  const { out } = await shell(`${command} --help`);
  const [, block = ''] = /^Examples?:\n((?: {2}.*\n?)+)/m.exec(out) ?? [];
  return { command, text: out, examples: block.split('\n').flatMap((line) => line.trim() || []) };
}

/** The command and everything below it. */
async function helpTree(command: string): Promise<Help[]> {
  const help = await helpOf(command);
  const [, block = ''] = /^Commands:\n((?: {2}.*\n?)+)/m.exec(help.text) ?? [];
  const names = [...block.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  const below = await Promise.all(names.map((name) => helpTree(`${command} ${name}`)));
  return [help, ...below.flat()];
}

/** Examples that show a refusal; every other one ends with 0. */
const EXITS = new Map([
  ['firsthand explain --config firsthand.yaml denied.bin', 1],
  ['firsthand explain --config firsthand.yaml --id 7c1f --audit audit.ndjson', 1],
]);

/** The examples name where things usually are. */
const here = (example: string): string =>
  example.replaceAll('/etc/firsthand/', '').replaceAll('127.0.0.1:9192', `127.0.0.1:${port}`);

/** Asks again until the guard is up. */
async function untilServing(): Promise<void> {
  for (let tries = 0; tries < 40; tries += 1) {
    if ((await shell(`firsthand health --address 127.0.0.1:${port}`)).exit === 0) return;
  }
  throw new Error('the guard did not come up');
}

describe('help', () => {
  it(
    'has an example for every command, and each one works',
    async () => {
      const tree = await helpTree('firsthand');
      expect(tree.map(({ command }) => command)).toContain('firsthand config print');
      for (const { command, examples } of tree) expect(examples, `${command} --help has no example`).not.toEqual([]);

      const examples = [...new Set(tree.flatMap((each) => each.examples))];
      const serving = examples.filter((example) => / serve( |$)/.test(example));
      const once = examples.filter((example) => !serving.includes(example));
      expect(serving.length).toBeGreaterThan(0);
      for (const example of serving) await servesWell(here(example), once);
    },
    SLOW,
  );
});

describe('whoever stops reading', () => {
  it('gets no stack trace, and the exit code of what was found', async () => {
    const wrong = Array.from({ length: 900 }, (_, index) => `GET /a${index} tokn x`).join('\n');
    writeFileSync(join(prepared.folder, 'wrong.txt'), wrong);
    const piped = (command: string): string => `{ ${command}; echo "exit $?" >&2; } | head -1`;
    for (const [command, exit] of [
      ['firsthand lint wrong.txt', 1],
      ['firsthand explain --help', 0],
      ['firsthand explain --config firsthand.yaml --json denied.bin', 1],
    ] as const) {
      const { err, out } = await shell(piped(command));
      expect({ command, err, lines: out.split('\n').length }).toEqual({ command, err: `exit ${exit}\n`, lines: 2 });
    }
  });
});

/** Starts a guard as the example says, runs the others beside it, and ends it as a pod ends. */
async function servesWell(example: string, others: readonly string[]): Promise<void> {
  const guard = spawn('sh', ['-c', `exec ${example}`], { cwd: prepared.folder, env: prepared.env, stdio: 'ignore' });
  const ended = new Promise<number | null>((settle) => guard.on('close', settle));
  try {
    await untilServing();
    await Promise.all(others.map(worksAsShown));
  } finally {
    guard.kill('SIGTERM');
  }
  expect(await ended, example).toBe(0);
}

/** A clean lint says nothing; everything else has a result. */
async function worksAsShown(example: string): Promise<void> {
  const { exit, out, err } = await shell(here(example));
  expect({ example, exit, err }).toEqual({ example, exit: EXITS.get(example) ?? 0, err: '' });
  if (!/ lint /.test(example)) expect(out, example).not.toBe('');
}
