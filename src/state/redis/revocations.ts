/**
 * The layer of revocations that guards share. In: a connection of its own, which waits for changes, and one to write with.
 * Out: what is revoked, how long ago the store was heard, a way to write. On each connection, and where the store turns out
 * to be another one or something was missed, everything is read, and what this guard knows and the store does not is
 * written back: nothing ends because the store forgot it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { OnRevocation, RevocationOrder, RevocationSource } from '../../model/revocation.js';
import type { RedisSettings } from '../../model/settings.js';
import { digestOf } from '../revocation/digest.js';
import { createLayer } from '../revocation/layer.js';
import type { SharedLayer } from '../revocations.js';
import type { Ask } from './client.js';
import { openConnection } from './connection.js';
import { createReading } from './read-revocations.js';
import type { Seal } from './seal.js';
import { nextStanding, writeOrder } from './write-revocation.js';

export interface SharedRevocations extends SharedLayer {
  /** Counts here at once; undefined where it is in the store as well, or why it will only be there later. */
  write(order: RevocationOrder, source: RevocationSource): Promise<string | undefined>;
  /** Resolves when everything was read once, or that failed the first time. */
  readonly firstRead: Promise<void>;
  /** Why the store is not heard; undefined while it is. */
  readonly problem: () => string | undefined;
  readonly close: () => Promise<void>;
}

export interface RevocationHooks {
  readonly now: () => number;
  readonly onRevocation: OnRevocation;
  readonly onFault: (fault: unknown) => void;
}

/** The store answers as soon as there is a change, and at least this often, ms. */
const BLOCK = 500;
/** ms: it is asked to wait, and may be slow besides. */
const PATIENCE = BLOCK + 1500;
/** Between attempts while it is away, ms. */
const AWAY = 50;

export function openSharedRevocations(
  settings: RedisSettings,
  seal: Seal,
  ask: Ask,
  { now, onRevocation, onFault }: RevocationHooks,
): SharedRevocations {
  const layer = createLayer();
  const reading = createReading({ layer, seal, now, onRevocation });
  let heardAt = -Infinity;
  let done: () => void = () => undefined;
  const firstRead = new Promise<void>((resolve) => (done = resolve));
  const connection = openConnection(
    settings,
    {
      async greet(own) {
        const problem = await reading.readAll(own);
        if (problem === undefined) {
          heardAt = now();
          done();
        }
        return problem;
      },
      beat: () => Promise.resolve(undefined),
      onState: () => done(),
      onFault,
    },
    PATIENCE,
  );
  const end = new AbortController();
  const followed = follow(connection.ask, end.signal).catch(onFault);

  async function follow(own: Ask, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const problem = await reading.readChanges(own, BLOCK);
      if (problem === undefined) heardAt = now();
      else await pause(AWAY);
    }
  }

  return {
    layer,
    firstRead,
    problem: connection.problem,
    // A clock that stepped back says nothing about how long it was: until the next word it counts as long.
    silence: (at) => Math.abs(at - heardAt),
    async write(order, source) {
      const digest = digestOf(order.revocation);
      const known = layer.table.find(digest);
      const name = digest.toString('latin1');
      reading.own.set(name, source);
      const written = await writeOrder(ask, seal, order, known);
      // µs, as the store's clock has it: what it does not have yet is written back later.
      const standing = written.ok ? written.standing : nextStanding(order, digest, known, at(order) * 1000);
      reading.adopt(standing, source, written.ok);
      reading.own.delete(name);
      return written.ok ? undefined : written.problem;
    },
    async close() {
      end.abort();
      await connection.close();
      await followed;
    },
  };
}

const at = ({ at: time }: RevocationOrder): number => time;
