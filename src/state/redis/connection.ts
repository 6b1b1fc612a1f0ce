/**
 * One connection to the store that guards share, kept alive. In: where it is. Out: replies, or a problem at once: nothing
 * waits for a lost store, and what is under way has a bound in number and in time.
 *
 *   lost ── connected and greeted ──▶ up ── closed, an error, silence ──▶ lost ── after a pause ──▶ connecting …
 *
 * Files with credentials and authorities are read anew for each attempt. It does not know what is stored.
 */
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { RedisSettings } from '../../model/settings.js';
import { askThrough, CONNECT_PATIENCE, createClient, destroy, LATE, PATIENCE, within, wordsOf } from './client.js';
import type { Ask, Client } from './client.js';

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

export const BEAT = 500;
/** Pauses between attempts, ms: short enough for a recovery within 3 s. */
const PAUSES = [50, 100, 200, 400] as const;

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
  const lose = (problem: string): void => {
    if (own.signal.aborted) return;
    own.abort(problem);
    // At once: nobody waits until the client has noticed too.
    if (!end.aborted) state.lost(problem);
  };
  const stop = (): void => lose('closed');
  end.addEventListener('abort', stop, { once: true });
  const over = own.signal;
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
  end.removeEventListener('abort', stop);
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

/** Shorter where the signal ends it. */
const pause = (ms: number, end: AbortSignal): Promise<void> =>
  setTimeoutPromise(ms, undefined, { signal: end }).catch(() => undefined);
