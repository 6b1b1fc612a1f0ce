/**
 * h2spec (github.com/summerwind/h2spec) against the lean listener. h2spec knows TCP only, so a bridge stands between.
 * In: the program. Out: each group of cases with what came of it. Nothing is left out: all of generic, http2 and hpack.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLeanListener } from '../../../src/wire/lean/listener.js';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/h2spec/', import.meta.url));
const MODULE = 'github.com/summerwind/h2spec/cmd/h2spec@latest';
export const HOW = `h2spec is not here: install Go, or put h2spec into the PATH (go install ${MODULE})`;

export interface Group {
  readonly name: string;
  readonly passed: number;
  readonly skipped: readonly string[];
  readonly failed: readonly string[];
}

/** In the PATH, where Go installs, in our cache; else built into our cache. undefined: neither h2spec nor Go. */
export function findH2spec(): string | undefined {
  const goPath = spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' });
  const places = [
    'h2spec',
    join(CACHE, 'h2spec'),
    ...(goPath.status === 0 ? [join(goPath.stdout.trim(), 'bin', 'h2spec')] : []),
  ];
  const found = places.find((place) => spawnSync(place, ['--version']).status === 0);
  if (found !== undefined || goPath.status !== 0) return found;
  spawnSync('go', ['install', MODULE], { env: { ...process.env, GOBIN: CACHE }, timeout: 240_000 });
  return existsSync(join(CACHE, 'h2spec')) ? join(CACHE, 'h2spec') : undefined;
}

export async function runH2spec(program: string): Promise<readonly Group[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fh-'));
  const path = join(folder, 'check.sock');
  const listener = await startLeanListener({
    address: { kind: 'unix', path },
    socketMode: 0o600,
    reflection: false,
    handle: () => Buffer.of(0x0a, 0),
    log: (message, facts) => console.error(message, facts),
  });
  const bridge = await openBridge(path);
  try {
    const report = join(folder, 'report.xml');
    const args = ['-h', '127.0.0.1', '-p', `${(bridge.address() as AddressInfo).port}`, '-o', '3', '-j', report];
    await once(spawn(program, args, { stdio: 'ignore' }), 'exit');
    return groupsIn(readFileSync(report, 'utf8'));
  } finally {
    bridge.close();
    await listener.close(100);
    rmSync(folder, { recursive: true });
  }
}

async function openBridge(path: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path, allowHalfOpen: true });
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** JUnit's format, as h2spec writes it. */
function groupsIn(xml: string): Group[] {
  return [...xml.matchAll(/<testsuite name="([^"]*)" package="([^"]*)"[^>]*>(.*?)<\/testsuite>/gs)].flatMap(
    ([, name = '', where = '', body = '']) => {
      const cases = [...body.matchAll(/<testcase[^>]*classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs)];
      const named = (word: string): string[] =>
        cases.flatMap(([, title = '', outcome = '']) => (outcome.includes(word) ? [title] : []));
      const [skipped, failed] = [named('<skipped'), [...named('<failure'), ...named('<error')]];
      const group = {
        name: `${where}: ${name}`,
        passed: cases.length - skipped.length - failed.length,
        skipped,
        failed,
      };
      return cases.length === 0 ? [] : [group];
    },
  );
}
