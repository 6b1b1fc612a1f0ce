/**
 * Who is measured: servers that do nothing, on three stacks, and Firsthand, on two. In: a folder with the corpus's files. Out:
 * how each is started; grpc-go only where Go is there, to build it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { configFor } from './corpus.js';
import type { GuardOptions } from './corpus.js';
import { startServer } from './processes.js';
import type { Server } from './processes.js';

export type Name =
  | 'no-op grpc-js'
  | 'no-op grpc-go'
  | 'no-op grpc-go, raw bytes'
  | 'no-op lean'
  | 'grpc-js, all records'
  | 'grpc-js, denials only'
  | 'lean, all records'
  | 'lean, denials only'
  | 'lean, 1000 lines';

export interface Subject {
  readonly name: Name;
  /** False: it answers everything alike. */
  readonly decides: boolean;
  readonly command: readonly string[];
  readonly socket: string;
  start(): Promise<Server>;
}

export interface Places {
  readonly root: string;
  readonly main: string;
  /** Of this run. */
  readonly folder: string;
}

const GUARDS: readonly (readonly [Name, GuardOptions])[] = [
  ['grpc-js, all records', { transport: 'grpc-js', allowed: 'all', lines: 10 }],
  ['grpc-js, denials only', { transport: 'grpc-js', allowed: 'none', lines: 10 }],
  ['lean, all records', { transport: 'lean', allowed: 'all', lines: 10 }],
  ['lean, denials only', { transport: 'lean', allowed: 'none', lines: 10 }],
  ['lean, 1000 lines', { transport: 'lean', allowed: 'none', lines: 1000 }],
];

export function subjectsIn(places: Places, say: (text: string) => void): Subject[] {
  const node = process.execPath;
  const go = buildGo(places, say);
  const noops: readonly (readonly [Name, readonly string[] | undefined])[] = [
    ['no-op grpc-js', [node, fileURLToPath(new URL('noop.mjs', import.meta.url))]],
    ['no-op grpc-go', go && [...go, 'typed']],
    ['no-op grpc-go, raw bytes', go && [...go, 'raw']],
    ['no-op lean', [node, buildLean(places)]],
  ];
  const plain = noops.flatMap(([name, command]) => {
    const socket = join(places.folder, `${fileName(name)}.sock`);
    return command === undefined ? [] : [subject(name, false, [...command, socket], socket)];
  });
  return [...plain, ...GUARDS.map(([name, options]) => guard(name, options, places))];
}

const fileName = (name: Name): string => name.replaceAll(/[^a-z0-9]+/g, '-');

function guard(name: Name, options: GuardOptions, { folder, main }: Places): Subject {
  const file = fileName(name);
  writeFileSync(join(folder, `${file}.yaml`), configFor(file, options));
  const command = [process.execPath, main, 'serve', '--config', join(folder, `${file}.yaml`)];
  return subject(name, true, command, join(folder, `${file}.sock`));
}

const subject = (name: Name, decides: boolean, command: readonly string[], socket: string): Subject => ({
  name,
  decides,
  command,
  socket,
  start: () => startServer(name, socket, command),
});

const cacheOf = ({ root }: Places): string => join(root, 'node_modules', '.cache', 'firsthand-bench');

/** undefined, with a sentence, where there is no Go or it cannot build. */
function buildGo(places: Places, say: (text: string) => void): readonly string[] | undefined {
  const binary = join(cacheOf(places), 'grpc-go');
  const cwd = fileURLToPath(new URL('grpc-go', import.meta.url));
  mkdirSync(cacheOf(places), { recursive: true });
  const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd, encoding: 'utf8', timeout: 300_000 });
  if (built.status === 0) return [binary];
  say(`no grpc-go beside it: ${built.error?.message ?? built.stderr.trim().split('\n').at(-1)}`);
  return undefined;
}

function buildLean(places: Places): string {
  const outfile = join(cacheOf(places), 'noop-lean.mjs');
  const entry = fileURLToPath(new URL('noop-lean.ts', import.meta.url));
  buildSync({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' });
  return outfile;
}
