/**
 * What keeps a guard and the store of one mind. On each new connection, and where the store turns out to be another one
 * (restarted, emptied), everything that this guard knows is written again: an entry that vanished there is not lost. Twice
 * a second the pins that other guards changed are looked at.
 */
import type { Ask } from './client.js';
import type { ConnectionHooks } from './connection.js';
import { assertKnown, pinEntry, useEntry } from './assert-known.js';
import type { KnownEntry } from './assert-known.js';
import { takeOver } from './change-pin.js';
import type { Known } from './known.js';
import { greet, look } from './scripts.js';
import type { Shared } from './shared.js';

export interface Upkeep extends Pick<ConnectionHooks, 'greet' | 'beat'> {
  readonly epoch: () => string;
  /** How old the epoch was when this guard last greeted the store, ms. */
  readonly age: () => number;
}

/** Entries that are written again by one script: about a millisecond of the store's time. */
const BATCH = 100;
/** A busy store is late now and then. */
const MAX_TURNS = 3;
const LEAST_VERSION = 6;

export function createUpkeep(shared: () => Shared, now: () => number, onWarning: (warning: string) => void): Upkeep {
  let epoch = '';
  let run = '';
  let seen = 0;
  let missed = 0;
  let age = 0;
  const begin = async (ask: Ask): Promise<string | undefined> => {
    const reply = await ask(...greet(run));
    if (!reply.ok) return reply.problem;
    const [is, changes, old] = listOf(reply.value).map(String);
    if (is === undefined) return 'an answer that no guard understands';
    epoch = is;
    seen = Number(changes);
    age = Number(old);
    return assertAll(shared(), ask, now());
  };
  return {
    epoch: () => epoch,
    age: () => age,
    async greet(ask) {
      const facts = await ask('INFO');
      if (!facts.ok) return facts.problem;
      const server = readInfo(String(facts.value));
      if (server.version < LEAST_VERSION) return `expected Redis ${LEAST_VERSION} or newer, got ${server.version}`;
      if (server.mayEvict) onWarning('the store may push out live entries: set its maxmemory-policy to noeviction');
      run = server.run;
      return begin(ask);
    },
    async beat(ask) {
      const reply = await ask(...look(seen));
      missed = reply.ok ? 0 : missed + 1;
      if (!reply.ok) return missed < MAX_TURNS ? undefined : reply.problem;
      const [is, changes, changed] = listOf(reply.value);
      if (is !== epoch) return begin(ask);
      const keys = new Set(listOf(changed).map(String));
      const tooMany = Number(changes) - seen > keys.size;
      seen = Number(changes);
      if (tooMany) return assertAll(shared(), ask, now());
      if (keys.size > 0) await lookAgain(shared(), ask, keys, now());
      return undefined;
    },
  };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A problem ends the connection, and the next one begins anew. */
async function assertAll(shared: Shared, ask: Ask, now: number): Promise<string | undefined> {
  const here: Shared = { ...shared, ask };
  let batch: KnownEntry[] = [];
  for (const entry of allKnown(here, now)) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    if (!(await isAsserted(here, batch, now))) return LEFT_OUT;
    batch = [];
  }
  return batch.length === 0 || (await isAsserted(here, batch, now)) ? undefined : LEFT_OUT;
}

const LEFT_OUT = 'what this guard knows could not be written again';

/** One after the other: the values are sealed when they are needed. What is added meanwhile was written as it was added. */
function* allKnown(shared: Shared, now: number): Generator<KnownEntry> {
  for (const [name, own, until] of shared.known.pins.entries(now)) yield pinEntry(shared, name, own, until, now);
  for (const [key, , until] of shared.known.uses.entries(now)) yield useEntry(key, until, now);
}

async function isAsserted(shared: Shared, batch: readonly KnownEntry[], now: number): Promise<boolean> {
  for (let turn = 0; turn < MAX_TURNS; turn += 1) if ((await assertKnown(shared, batch, now)).ok) return true;
  return false;
}

async function lookAgain(shared: Shared, ask: Ask, keys: ReadonlySet<string>, now: number): Promise<void> {
  const known: [string, Known, number][] = [];
  for (const [name, own, until] of shared.known.pins.entries(now))
    if (keys.has(own.key)) known.push([name, own, until]);
  for (const [name, own, until] of known) {
    const reply = await ask('GET', own.key);
    if (reply.ok && typeof reply.value === 'string')
      await takeOver({ ...shared, ask }, name, own, reply.value, until, now);
  }
}

/** Lines of INFO, `name:value` (Redis documentation, INFO). Where a server hides them, nothing is concluded. */
function readInfo(text: string): { readonly run: string; readonly version: number; readonly mayEvict: boolean } {
  const facts = new Map(
    text.split(/\r?\n/).map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  const policy = facts.get('maxmemory_policy') ?? 'noeviction';
  return {
    run: (facts.get('run_id') ?? '').replace(/\W/g, ''),
    version: Number.parseInt(facts.get('redis_version') ?? String(LEAST_VERSION), 10),
    mayEvict: policy !== 'noeviction' && facts.get('maxmemory') !== '0',
  };
}
