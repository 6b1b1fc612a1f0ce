/**
 * One process of the load. In, by message: what to send, and how: a closed loop (each answer is followed by the next
 * request) or an open one (so many a second, whatever the server does). Out: how many answers came, how many were not the
 * right ones, and for the open loop how late they were, counted from when each request was due: a server that stalls is
 * charged for every request that had to wait.
 */
import { openConnection } from './connection.js';
import type { Connection } from './connection.js';
import { flooded } from './flood-source.js';
import { percentiles } from './percentiles.js';
import type { Percentiles } from './percentiles.js';
import { patternsOf, readPrepared } from './prepared.js';
import type { Prepared } from './prepared.js';

export interface Order {
  readonly socket: string;
  /** Of prepared requests, or a template for new tokens without end. */
  readonly file: string;
  readonly source: 'prepared' | 'flood';
  /** Of the requests in the file every `step`-th from `first`. */
  readonly first: number;
  readonly step: number;
  /** `once`: each request once. A number: round and round for so many ms. */
  readonly until: 'once' | number;
  readonly loop:
    { readonly kind: 'closed'; readonly concurrency: number } | { readonly kind: 'open'; readonly rate: number };
  /** False for a server that decides nothing. */
  readonly checkVerdicts: boolean;
}

export interface Tally {
  readonly answers: number;
  readonly wrong: number;
  /** Denied for want of time: what an overloaded guard says. Not wrong, but no verdict either. */
  readonly turnedAway: number;
  /** Sent, and without an answer until nobody waited any more. */
  readonly lost: number;
  /** One example of a wrong one. */
  readonly example: string | undefined;
  /** Of the open loop. */
  readonly latency: Percentiles | undefined;
  /** Requests that were due when the time was up, and never sent because too many were waiting. */
  readonly unsent: number;
}

/** The next request, or undefined where there is no more. */
type Next = () => Prepared | undefined;

const files = new Map<string, readonly Prepared[]>();
const connections = new Map<string, Promise<Connection>>();
const handlers = new Map<string, { answer: (slot: number, data: Buffer | undefined) => void; turn: () => void }>();

function nextOf({ source, file, first, step, until }: Order): Next {
  if (source === 'flood') return flooded(file, first);
  const requests = files.get(file) ?? readPrepared(file);
  files.set(file, requests);
  let at = first - step;
  return () => requests[until === 'once' ? (at += step) : (at = (at + step) % requests.length)];
}

/** A server that was started anew is another one, on the same path. */
async function connectionTo(socket: string): Promise<Connection> {
  const known = await connections.get(socket);
  if (known?.alive() === true) return known;
  const opened = openConnection(
    socket,
    (slot, data) => handlers.get(socket)?.answer(slot, data),
    () => handlers.get(socket)?.turn(),
  );
  connections.set(socket, opened);
  return opened;
}

/** More than that at once, and the server is far behind. */
const MOST_WAITING = 2048;

async function run(order: Order): Promise<Tally> {
  const connection = await connectionTo(order.socket);
  const next = nextOf(order);
  const patterns = patternsOf();
  const waiting: (Prepared | undefined)[] = [];
  const due = new Float64Array(MOST_WAITING);
  const free = Array.from({ length: MOST_WAITING }, (_, slot) => slot);
  const latencies: number[] = [];
  const { loop, until, checkVerdicts } = order;
  const tally = { answers: 0, wrong: 0, turnedAway: 0, example: undefined as string | undefined, unsent: 0 };
  const began = performance.now();
  const end = until === 'once' ? Infinity : began + until;
  const most = loop.kind === 'closed' ? loop.concurrency : MOST_WAITING;
  let left = false;
  let sent = 0;

  /** False where nothing more can be sent now. */
  const send = (when: number): boolean => {
    if (MOST_WAITING - free.length >= most) return false;
    const request = held ?? next();
    held = undefined;
    if (request === undefined) return !(left = true);
    const slot = free.pop() ?? 0;
    if (!connection.send(slot, request.bytes, request.idAt)) {
      free.push(slot);
      held = request;
      return false;
    }
    waiting[slot] = request;
    due[slot] = when;
    sent += 1;
    return true;
  };
  let held: Prepared | undefined;
  const pump = (): void => {
    const now = performance.now();
    if (now >= end) left = true;
    if (loop.kind === 'closed') while (!left && send(now));
    else
      for (;;) {
        const when = began + (sent / loop.rate) * 1000;
        if (left || when > now || !send(when)) return;
      }
  };
  const answer = (slot: number, data: Buffer | undefined): void => {
    const request = waiting[slot];
    if (request === undefined) return;
    waiting[slot] = undefined;
    free.push(slot);
    tally.answers += 1;
    if (loop.kind === 'open') latencies.push(performance.now() - (due[slot] ?? 0));
    const right = data !== undefined && (!checkVerdicts || data.includes(patterns(request.reason)));
    if (right) return;
    if (data?.includes(patterns('deadline_exceeded')) === true) {
      tally.turnedAway += 1;
      return;
    }
    tally.wrong += 1;
    tally.example ??= `${request.reason}: ${data === undefined ? 'no answer' : 'another one'}`;
  };
  await new Promise<void>((resolve, reject) => {
    handlers.set(order.socket, { answer, turn: loop.kind === 'closed' ? pump : () => undefined });
    /** Timers are too coarse for an open loop; this one looks at the clock and the socket without pause. */
    const spin = (): void => {
      try {
        pump();
        connection.flush();
      } catch (error) {
        return reject(error as Error);
      }
      const done = left && free.length === MOST_WAITING;
      if (done || performance.now() > end + GIVE_UP) resolve();
      else if (loop.kind === 'open') setImmediate(spin);
      else setTimeout(spin, 5);
    };
    spin();
  });
  const lost = MOST_WAITING - free.length;
  // What comes after all is not to be taken for an answer to the next order's requests.
  if (lost > 0) connection.close();
  if (loop.kind === 'open') tally.unsent = Math.max(0, Math.floor((Number(until) / 1000) * loop.rate) - sent);
  return { ...tally, lost, latency: loop.kind === 'open' ? percentiles(latencies) : undefined };
}

/** ms to wait for the last answers. */
const GIVE_UP = 5000;

process.on('message', (order: Order) => {
  run(order).then(
    (tally) => process.send?.({ ok: tally }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.('ready');
