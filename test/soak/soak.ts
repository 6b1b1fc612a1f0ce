/**
 * The soak under rotation: a real guard process, a steady load of real bytes over its Unix socket, connections to its TLS
 * listener, and everything that can rotate rotating. Out: counts, and what was wrong.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { configWith, listenWith, tokensWith } from '../cli/folder.js';
import { decodeAnswer } from '../wire/answers.js';
import { connectTo } from '../wire/client.js';
import type { TestClient } from '../wire/client.js';
import { startSoakGuard } from './guard.js';
import type { SoakGuard } from './guard.js';
import { probesOf } from './probes.js';
import { createWorld, FILE_GRACE, MAX_AGE, turnsAfter } from './rotation.js';
import type { World } from './rotation.js';
import { createTeller } from './tally.js';
import type { Tally, Teller } from './tally.js';
import { trustedAt, fileLife } from './timeline.js';

export interface SoakOptions {
  /** The guard's main.js. */
  readonly main: string;
  readonly rotations: number;
  /** Between two rotations, ms. */
  readonly cycle: number;
  /** Checks a second. */
  readonly rate: number;
}

export interface SoakReport extends Tally {
  readonly rotations: { readonly keys: number; readonly roots: number; readonly leaves: number; readonly own: number };
  readonly connections: number;
  readonly fetches: number;
  /** Longest time between two fetches of keys, ms. */
  readonly longestRefresh: number;
  /** Events of the guard's own record by name. */
  readonly events: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/** max-age, one look of the guard's, and what a busy machine adds. */
export const REFRESH_BOUND = MAX_AGE * 1000 + 500 + 3000;

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-soak-'));
  const world = await createWorld(folder);
  try {
    return await soakIn(folder, world, options);
  } finally {
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function soakIn(folder: string, world: World, options: SoakOptions): Promise<SoakReport> {
  const guard = await startSoakGuard(options.main, writeConfig(folder, world));
  const clients = Array.from({ length: 4 }, () => connectTo({ kind: 'unix', path: join(folder, 'check.sock') }));
  const teller = createTeller();
  const begin = Date.now();
  try {
    await until(() => world.keys.every((key) => world.keyLife(key).from < Date.now()), 15_000);
    const load = startLoad(world, clients, options.rate, teller);
    const doors = startConnecting(world, guard, teller);
    for (let turn = 0; turn < options.rotations + turnsAfter(options.cycle); turn += 1) {
      await pause(options.cycle);
      await world.turn(turn < options.rotations);
    }
    await pause(options.cycle);
    await load.stop();
    const connections = await doors.stop();
    const longestRefresh = longestGap(world.fetches, Date.now());
    if (longestRefresh > REFRESH_BOUND) teller.failed(`keys were not fetched for ${longestRefresh} ms`);
    return {
      ...teller.tally(),
      ...countsOf(world, folder),
      connections,
      longestRefresh,
      seconds: (Date.now() - begin) / 1000,
    };
  } finally {
    clients.forEach((client) => client.close());
    const code = await guard.stop();
    if (code !== 0) teller.failed(`the guard ended with ${code}: ${guard.stderr().slice(-2000)}`);
  }
}

function writeConfig(folder: string, world: World): string {
  const file = join(folder, 'firsthand.yaml');
  writeFileSync(join(folder, 'scopes'), 'GET /orders/{id} orders.read\n');
  const tls = { certificate: 'server.crt', key: 'server.key' };
  const keys = { keys: `${world.server.origin}/keys`, keysCA: 'web.pem', identity: '{sub}', binding: 'window' };
  writeFileSync(
    file,
    configWith({
      listen: listenWith({ check: ['unix:check.sock', '127.0.0.1:0'], tls, admin: 'off' }),
      identity: { certificate: 'svid.pem', key: 'svid.key' },
      tokens: [tokensWith(keys)],
      audit: { to: 'file:audit.ndjson', allowed: 'none' },
    }),
  );
  return file;
}

interface Running<T> {
  stop(): Promise<T>;
}

/** `rate` a second, spread over ticks; a slow answer holds back none of the others. */
function startLoad(world: World, clients: readonly TestClient[], rate: number, teller: Teller): Running<void> {
  const next = probesOf(world);
  const flying = new Set<Promise<void>>();
  const begin = performance.now();
  let sent = 0;
  const ask = async (client: TestClient): Promise<void> => {
    const probe = await next();
    const at = Date.now();
    const { reason, cache } = decodeAnswer(await client.check(probe.bytes)).metadata;
    teller.answered(probe, String(reason), cache === 'hit', at, Date.now());
  };
  const timer = setInterval(() => {
    for (const due = ((performance.now() - begin) * rate) / 1000; sent < due; sent += 1) {
      const client = clients[sent % clients.length];
      if (client === undefined) return;
      const flight = ask(client)
        .catch((error: unknown) => teller.failed(`no answer: ${String(error)}`))
        .finally(() => flying.delete(flight));
      flying.add(flight);
    }
  }, 10);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(flying);
    },
  };
}

/** One new TLS connection after the other: each must come about, with a certificate that the schedule allows. */
function startConnecting(world: World, guard: SoakGuard, teller: Teller): Running<number> {
  const port = Number(
    guard.check
      .find((address) => !address.startsWith('unix:'))
      ?.split(':')
      .at(-1),
  );
  let [stopped, connections] = [false, 0];
  const run = async (): Promise<number> => {
    for (; !stopped; connections += 1) {
      const at = Date.now();
      const shown = await shownAt(port).catch((error: unknown) => String(error));
      const known = world.shown.find(({ svid }) => svid.sha256 === shown);
      const life = known && fileLife(known.put, known.taken, FILE_GRACE);
      if (life === undefined || trustedAt(life, at, Date.now()) === 'no')
        teller.failed(`a connection to the TLS listener got ${known === undefined ? shown : 'an old certificate'}`);
      await pause(100);
    }
    return connections;
  };
  const running = run();
  return {
    stop() {
      stopped = true;
      return running;
    },
  };
}

/** SHA-256 of the certificate that is shown now. */
const shownAt = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase());
      socket.destroy();
    });
    socket.once('error', reject);
  });

function countsOf(world: World, folder: string): Pick<SoakReport, 'rotations' | 'fetches' | 'events'> {
  const events = new Map<string, number>();
  for (const line of readFileSync(join(folder, 'audit.ndjson'), 'utf8').split('\n')) {
    const { event } = line === '' ? {} : (JSON.parse(line) as { event?: string });
    if (event !== undefined) events.set(event, (events.get(event) ?? 0) + 1);
  }
  return {
    rotations: {
      keys: world.keys.filter(({ taken }) => taken < Infinity).length,
      roots: world.roots.filter(({ taken }) => taken < Infinity).length,
      leaves: world.leaves.length - 1,
      own: world.shown.length - 1,
    },
    fetches: world.fetches.length,
    events,
  };
}

const longestGap = (fetches: readonly number[], end: number): number =>
  Math.max(...[...fetches, end].slice(1).map((fetch, index) => fetch - (fetches[index] ?? 0)));

/** The rhythm of the schedule; nothing waits for a condition here. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error('the guard has not fetched its keys');
    await pause(25);
  }
}
