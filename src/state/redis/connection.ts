/**
 * One connection to the store that guards share, kept alive. In: where it is. Out: replies, or a problem at once: nothing
 * waits for a lost store, and what is under way has a bound in number and in time.
 *
 *   lost ── connected and greeted ──▶ up ── closed, an error, silence ──▶ lost ── after a pause ──▶ connecting …
 *
 * Files with credentials and authorities are read anew for each attempt. It does not know what is stored.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { RedisSettings } from '../../model/settings.js';

export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };
export type Ask = (...command: readonly string[]) => Promise<Reply>;

export interface Connection {
  /** Never rejects. */
  readonly ask: Ask;
  /** Undefined while the store answers. */
  readonly problem: () => string | undefined;
  readonly close: () => Promise<void>;
}

export interface ConnectionHooks {
  /** The first words on each new connection; a problem ends it again. Nothing else is sent before. */
  readonly greet: (ask: Ask) => Promise<string | undefined>;
  /** Asked every BEAT; a problem ends the connection. */
  readonly beat: (ask: Ask) => Promise<string | undefined>;
  /** Told at each change: undefined where the store answers again. */
  readonly onState: (problem: string | undefined) => void;
  readonly onFault: (fault: unknown) => void;
}

/** A check asks up to three times, and must be done within the 0.5 s that envoy/ gives it (Envoy's `timeout`). ms */
export const PATIENCE = 150;
/** A store that does not take a connection within this is tried again. ms */
const CONNECT_PATIENCE = 1000;
/** Commands under way at once: some ms of work for a store, and a bound for our memory. */
const MAX_PENDING = 1000;
/** Commands in a row without an answer in time: the store is silent, and nobody waits for it any more. */
const MAX_LATE = 5;
export const BEAT = 500;
/** Pauses between attempts, ms: short enough for a recovery within 3 s. */
const PAUSES = [50, 100, 200, 400] as const;

/** The part of the client that is used. */
interface Client {
  connect(): Promise<unknown>;
  sendCommand(command: string[]): Promise<unknown>;
  on(event: 'error' | 'end', listener: (error?: unknown) => void): unknown;
  destroy(): void;
}

/** `patience`: ms for each answer. */
export function openConnection(
  settings: RedisSettings,
  hooks: ConnectionHooks,
  patience: number = PATIENCE,
): Connection {
  const state = stateOf(hooks.onState);
  const end = new AbortController();
  const running = keepUp(() => session(settings, hooks, patience, state, end.signal), end.signal).catch(hooks.onFault);
  return {
    ask: (...command) => state.ask(...command),
    problem: state.problem,
    async close() {
      end.abort('closed');
      await running;
    },
  };
}

/** One session after the other; the pauses grow while none of them comes up. */
async function keepUp(session: () => Promise<boolean>, end: AbortSignal): Promise<void> {
  for (let failures = 0; !end.aborted; failures += 1) {
    if (await session()) failures = 0;
    await pause(PAUSES[Math.min(failures, PAUSES.length - 1)] ?? 0, end);
  }
}

interface State {
  readonly ask: Ask;
  readonly problem: () => string | undefined;
  readonly up: (ask: Ask) => void;
  readonly lost: (problem: string) => void;
}

/** Tells changes, and not each further attempt that fails. */
function stateOf(onState: ConnectionHooks['onState']): State {
  let told: 'connecting' | 'up' | 'lost' = 'connecting';
  let problem: string | undefined = 'not connected yet';
  let ask = refusing(problem);
  const become = (next: 'up' | 'lost'): void => {
    if (told !== next) onState(problem);
    told = next;
  };
  return {
    ask: (...command) => ask(...command),
    problem: () => problem,
    up(own) {
      [ask, problem] = [own, undefined];
      become('up');
    },
    lost(why) {
      [ask, problem] = [refusing(why), why];
      become('lost');
    },
  };
}

/** From connecting to the end of the connection; whether it ever came up. */
async function session(
  settings: RedisSettings,
  hooks: ConnectionHooks,
  patience: number,
  state: State,
  end: AbortSignal,
): Promise<boolean> {
  const own = new AbortController();
  const lose = (problem: string): void => own.abort(problem);
  const over = AbortSignal.any([own.signal, end]);
  let client: Client | undefined;
  let cameUp = false;
  try {
    client = await createClient(settings);
    client.on('error', (error) => lose(wordsOf(error)));
    client.on('end', () => lose('the connection ended'));
    const ask = askThrough(client, patience, lose);
    const failed = await Promise.race([firstWords(client, ask, hooks), endOf(over)]);
    if (failed !== undefined) lose(failed);
    else {
      cameUp = true;
      state.up(ask);
      await beatUntil(over, ask, lose, hooks);
    }
  } catch (error) {
    lose(wordsOf(error));
  }
  if (!end.aborted) state.lost(String(over.reason));
  destroy(client);
  return cameUp;
}

const endOf = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(String(signal.reason));
    signal.addEventListener('abort', () => resolve(String(signal.reason)), { once: true });
  });

async function firstWords(client: Client, ask: Ask, { greet }: ConnectionHooks): Promise<string | undefined> {
  const connected = await within(CONNECT_PATIENCE, client.connect());
  return connected === LATE ? 'the store takes no connection' : greet(ask);
}

async function beatUntil(
  over: AbortSignal,
  ask: Ask,
  lose: (problem: string) => void,
  { beat, onFault }: ConnectionHooks,
): Promise<void> {
  while (!over.aborted) {
    const failed = await beat(ask).catch((fault: unknown) => {
      onFault(fault);
      return 'a fault, see the operational log';
    });
    if (failed !== undefined) lose(failed);
    await pause(BEAT, over);
  }
}

const refusing =
  (problem: string): Ask =>
  () =>
    Promise.resolve({ ok: false, problem });

/** Error replies after which this connection is of no use: the server starts, is a replica now, or knows us no more. */
const USELESS = /^(LOADING|READONLY|MASTERDOWN|NOAUTH|WRONGPASS)/;

function askThrough(client: Client, patience: number, lose: (problem: string) => void): Ask {
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

const LATE = Symbol('late');

/** The result, or LATE. A reply that arrived while this process was busy is read before the time counts as over. */
function within<T>(ms: number, work: Promise<T>): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(LATE)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Shorter where the signal ends it. */
const pause = (ms: number, end: AbortSignal): Promise<void> =>
  setTimeoutPromise(ms, undefined, { signal: end }).catch(() => undefined);

/** Loaded here, so that a guard that remembers by itself never loads it. */
async function createClient(settings: RedisSettings): Promise<Client> {
  const redis = await import('@redis/client');
  const { host, port, tls, database } = settings;
  const [ca, username, password] = await Promise.all([
    textOf(settings.ca),
    textOf(settings.usernameFile),
    textOf(settings.passwordFile),
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
    ...(username === undefined ? {} : { username: username.trim() }),
    ...(password === undefined ? {} : { password: password.trim() }),
  }) as unknown as Client;
}

/** Room for what the client itself says when it connects. */
const PIPELINE = 16;

const textOf = async (file: string | null): Promise<string | undefined> =>
  file === null ? undefined : readFile(file, 'utf8');

function destroy(client: Client | undefined): void {
  try {
    client?.destroy();
  } catch {
    // It was never open, or is closed already.
  }
}

/** The client's own words, which hold no credentials. */
const wordsOf = (error: unknown): string =>
  error instanceof AggregateError
    ? error.errors.map(wordsOf).join('; ')
    : error instanceof Error
      ? error.message || error.name
      : String(error);
