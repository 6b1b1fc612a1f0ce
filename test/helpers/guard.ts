/**
 * A real guard on a real socket: settings by the product's own loader, every file on disk, bytes in and bytes out as
 * Envoy would exchange them. `stop` proves on the way out that each check left exactly one record (design invariant 9).
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { startApp } from '../../src/app.js';
import type { App } from '../../src/app.js';
import type { Log } from '../../src/audit/log.js';
import type { AuditRecord } from '../../src/audit/record.js';
import { formatConfigIssue, loadConfig } from '../../src/config/load.js';
import { checkGuardrails } from '../../src/engine.js';
import type { Settings } from '../../src/model/settings.js';
import { decodeAnswer } from '../wire/answers.js';
import type { DecodedAnswer } from '../wire/answers.js';
import { connectTo } from '../wire/client.js';

/** Sections of the configuration as YAML would give them; `listen` and `audit` are filled in. */
export type ConfigTree = Readonly<Record<string, unknown>>;

export interface GuardOptions {
  readonly config: ConfigTree;
  /** Content by name, relative to the configuration. */
  readonly files: Readonly<Record<string, string>>;
  readonly now?: () => number;
}

export interface CheckOptions {
  /** ms since 1970; ten seconds from now, by both clocks, when left out. */
  readonly deadline?: number;
}

export interface Guard {
  /** Rejects where the call fails, which Envoy would take for an outage. */
  check(bytes: Uint8Array, options?: CheckOptions): Promise<DecodedAnswer>;
  send(bytes: Uint8Array, options?: CheckOptions): Promise<Buffer>;
  /** Decision records, as far as they are written. */
  records(): readonly AuditRecord[];
  /** The record of one decision, once it is written; rejects where there are two, or none for five seconds. */
  record(id: unknown): Promise<AuditRecord>;
  /** All lines of the audit file with this `event`. */
  events(name: string): readonly Readonly<Record<string, unknown>>[];
  /** Messages of the operational log. */
  readonly logged: readonly string[];
  write(file: string, text: string): void;
  /** SIGHUP: what was written counts at once. */
  reload(): Promise<void>;
  /** Rejects where the records are not one for each check. */
  stop(): Promise<void>;
}

/** What answers on the socket: the product's app, or parts of it that a test has broken on purpose. */
export type Serve = (
  settings: Settings,
  log: Log,
  now: () => number,
) => Promise<Pick<App, 'addresses' | 'reload' | 'stop'>>;

export async function startGuard({ config, files, now = Date.now }: GuardOptions, serve: Serve = startApp) {
  const folder = mkdtempSync(join(tmpdir(), 'fh-'));
  try {
    for (const [name, text] of Object.entries(files)) writeInto(folder, name, text);
    return await started(folder, loadTree(folder, config), now, serve);
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

function writeInto(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function loadTree(folder: string, config: ConfigTree): Settings {
  const file = join(folder, 'firsthand.yaml');
  const listen = { check: 'unix:check.sock', admin: 'off', drainDelay: '0s', ...(config['listen'] as object) };
  const audit = { to: 'file:audit.ndjson', ...(config['audit'] as object) };
  writeFileSync(file, stringify({ ...config, listen, audit }));
  const loaded = loadConfig(file, {}, checkGuardrails);
  if (loaded.ok) return loaded.settings;
  throw new Error(loaded.issues.map(formatConfigIssue).join('\n'));
}

async function started(folder: string, settings: Settings, now: () => number, serve: Serve): Promise<Guard> {
  const logged: string[] = [];
  const say = (message: string, facts?: object): void => void logged.push(`${message} ${JSON.stringify(facts ?? {})}`);
  const log: Log = { debug: say, info: say, warn: say, error: say, fatal: say };
  const app = await serve(settings, log, now);
  const [address] = app.addresses.check;
  if (address === undefined) throw new Error('the guard listens nowhere');
  const client = connectTo(address);
  const lines = readerOf(join(folder, 'audit.ndjson'));
  const records = (): AuditRecord[] => lines().filter(isDecision);
  let sent = 0;

  const send: Guard['send'] = (bytes, { deadline = Math.max(Date.now(), now()) + 10_000 } = {}) => {
    sent += 1;
    return client.check(Buffer.from(bytes), { deadline });
  };
  return {
    send,
    check: async (bytes, options) => decodeAnswer(await send(bytes, options)),
    records,
    record: (id) => theOnly(() => records().filter((record) => record.id === id), `the decision ${String(id)}`),
    events: (name) => lines().filter(({ event }) => event === name),
    logged,
    write: (file, text) => writeInto(folder, file, text),
    reload: () => app.reload(),
    async stop() {
      client.close();
      await app.stop();
      const ids = records().map(({ id }) => id);
      rmSync(folder, { recursive: true });
      if (new Set(ids).size !== ids.length) throw new Error('a decision has two records');
      if (ids.length !== sent) throw new Error(`${sent} checks left ${ids.length} records`);
    },
  };
}

type AuditLine = Readonly<Record<string, unknown>>;

const isDecision = (line: AuditLine): line is AuditLine & AuditRecord => line['event'] === 'decision';

function readerOf(file: string): () => AuditLine[] {
  return () => {
    const text = readFileSync(file, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditLine);
  };
}

const PATIENCE = 5000;

/** Polls until there is one; a second one is never right. */
export async function theOnly<T>(look: () => readonly T[], what: string): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = look();
    if (found.length > 1) throw new Error(`${found.length} records of ${what}`);
    if (found[0] !== undefined) return found[0];
    if (Date.now() > end) throw new Error(`no record of ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
