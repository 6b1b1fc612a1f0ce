/**
 * The client library, and the one way to ask through it. In: where the store is, and its files, read anew each time. Out:
 * a reply, or a problem within a bounded time, with a bounded number under way.
 */
import { readFile } from 'node:fs/promises';
import type { RedisSettings } from '../../model/settings.js';

export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };
export type Ask = (...command: readonly string[]) => Promise<Reply>;

/** The part of the client that is used. */
export interface Client {
  connect(): Promise<unknown>;
  sendCommand(command: string[]): Promise<unknown>;
  on(event: 'error' | 'end', listener: (error?: unknown) => void): unknown;
  destroy(): void;
}

/** A check asks up to three times, and must be done within the 0.5 s that envoy/ gives it (Envoy's `timeout`). ms */
export const PATIENCE = 150;
/** A store that does not take a connection within this is tried again. ms */
export const CONNECT_PATIENCE = 1000;
/** Commands under way at once: some ms of work for a store, and a bound for our memory. */
const MAX_PENDING = 1000;
/** Commands in a row without an answer in time: the store is silent, and nobody waits for it any more. */
const MAX_LATE = 5;

/** Loaded here, so that a guard that remembers by itself never loads it. */
export async function createClient(settings: RedisSettings): Promise<Client> {
  const redis = await import('@redis/client');
  const { host, port, tls, database } = settings;
  const [ca, username, password] = await Promise.all([
    textOf(settings.ca),
    lineOf(settings.usernameFile),
    lineOf(settings.passwordFile),
  ]);
  const own = { host, port, reconnectStrategy: false, connectTimeout: CONNECT_PATIENCE } as const;
  // A server's name is compared with its certificate by node:tls, an address likewise.
  const socket = tls ? { ...own, tls: true as const, ...(ca === undefined ? {} : { ca }) } : own;
  return redis.createClient({
    socket,
    database,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandsQueueMaxLength: MAX_PENDING + PIPELINE,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }) as unknown as Client;
}

/** Room for what the client itself says when it connects. */
const PIPELINE = 16;

const textOf = async (file: string | null): Promise<string | undefined> =>
  file === null ? undefined : readFile(file, 'utf8');

/** Editors end a file with a line break; anything else belongs to the secret. */
const lineOf = async (file: string | null): Promise<string | undefined> => (await textOf(file))?.replace(/\r?\n$/, '');

export function destroy(client: Client | undefined): void {
  try {
    client?.destroy();
  } catch {
    // It was never open, or is closed already.
  }
}

/** Error replies after which this connection is of no use: the server starts, is a replica now, or knows us no more. */
const USELESS = /^(LOADING|READONLY|MASTERDOWN|NOAUTH|WRONGPASS)/;

export function askThrough(client: Client, patience: number, lose: (problem: string) => void): Ask {
  let pending = 0;
  let late = 0;
  return async (...command) => {
    if (pending >= MAX_PENDING) return { ok: false, problem: `${MAX_PENDING} commands are under way` };
    pending += 1;
    const sent = client.sendCommand([...command]).finally(() => (pending -= 1));
    try {
      const value = await within(patience, sent);
      late = value === LATE ? late + 1 : 0;
      if (late >= MAX_LATE) lose('the store does not answer');
      return value === LATE ? { ok: false, problem: `no answer within ${patience} ms` } : { ok: true, value };
    } catch (error) {
      const problem = wordsOf(error);
      if (USELESS.test(problem)) lose(problem);
      return { ok: false, problem };
    }
  };
}

export const LATE: unique symbol = Symbol('late');

/** The result, or LATE. A reply that arrived while this process was busy is read before the time counts as over. */
export function within<T>(ms: number, work: Promise<T>): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(LATE)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The client's own words, which hold no credentials. */
export const wordsOf = (error: unknown): string =>
  error instanceof AggregateError
    ? error.errors.map(wordsOf).join('; ')
    : error instanceof Error
      ? error.message || error.name
      : String(error);
