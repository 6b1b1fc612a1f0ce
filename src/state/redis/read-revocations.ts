/**
 * What the store says about revocations, taken into this guard's layer: everything once, then change by change. Of two
 * standings of one name the later one counts, whichever came first here, so that nothing is undone by what arrives twice or
 * too late. What the store lost is written back.
 */
import type { OnRevocation, RevocationSource } from '../../model/revocation.js';
import type { Layer } from '../revocation/layer.js';
import type { Row, Standing } from '../revocation/table.js';
import type { Ask } from './client.js';
import { awaitChanges, beginReading, putStanding, readSome, restore } from './revocation-scripts.js';
import { standingText } from './revocation-text.js';
import type { SharedStanding } from './revocation-text.js';
import { EPOCH } from './scripts.js';
import type { Seal } from './seal.js';
import { fieldOf, listOf, openStanding, unreadable } from './write-revocation.js';

export interface Reading {
  /** Reads and restores everything; a problem where that was not possible. */
  readAll(ask: Ask): Promise<string | undefined>;
  /** Waits at most `block` ms for changes. */
  readChanges(ask: Ask, block: number): Promise<string | undefined>;
  /** Takes in one standing. `stored`: whether the store has it. */
  adopt(standing: SharedStanding, source: RevocationSource, stored: boolean): void;
  /** What this guard writes itself, until it has: it may come back before the answer does. */
  readonly own: Map<string, RevocationSource>;
}

export interface ReadingParts {
  readonly layer: Layer;
  readonly seal: Seal;
  readonly now: () => number;
  readonly onRevocation: OnRevocation;
}

/** No epoch of any store. */
const NONE = 'none';
/** Standings that are written back at once. */
const BATCH = 200;

/** A standing of the store that must be replaced by what this guard knows. */
interface Repair {
  readonly field: string;
  readonly expected: string;
  readonly standing: SharedStanding;
}

export function createReading({ layer, seal, now, onRevocation }: ReadingParts): Reading {
  const { table } = layer;
  let position = '0-0';
  let count = NaN;
  let epoch = '';
  let live = false;
  let repairs: Repair[] = [];
  const ours = new Map<string, RevocationSource>();

  const knownOf = (row: Pick<Row, 'type' | 'digest'>, standing: Standing, previous: number): SharedStanding => {
    const words = layer.words(row.digest);
    // The words of an order that was ended are those of another standing.
    const own = words?.kind === standing.kind ? words : undefined;
    const shapes = row.type === 'identity' && own === undefined ? [...layer.shapes].join(' ') : undefined;
    return { ...standing, type: row.type, digest: row.digest, previous, words: own, shape: shapes };
  };

  const adopt: Reading['adopt'] = (standing, source, stored) => {
    const { type, digest, kind, until, order, words } = standing;
    const own = table.find(digest);
    for (const shape of standing.shape?.split(' ') ?? []) if (shape !== '') layer.shapes.add(shape);
    if (own === undefined || order > own.order) {
      const before = table.untilOf(digest);
      layer.put(type, digest, { kind, until, order }, { order: words }, now());
      const isNews = kind === 'revoke' ? until > before : before > now();
      const from = ours.get(digest.toString('latin1')) ?? source;
      if (words !== undefined && isNews) onRevocation({ ...words, source: from, live });
    }
    if (stored) table.touch(digest);
  };

  /** Takes in what the store has; remembers where this guard knows better. */
  const take = (field: string, sealed: string): boolean => {
    const standing = openStanding(seal, field, sealed);
    if (standing === undefined) return false;
    const own = table.find(standing.digest);
    const better = own === undefined ? undefined : betterOf(own, standing);
    adopt(standing, 'store', true);
    if (better === undefined) return true;
    layer.put(standing.type, standing.digest, better, {}, now());
    repairs.push({ field, expected: sealed, standing: knownOf(standing, better, standing.order) });
    return true;
  };

  const repair = async (ask: Ask): Promise<string | undefined> => {
    const due = repairs;
    repairs = [];
    for (const { field, expected, standing } of due) {
      const value = seal.seal(field, standingText(standing));
      const reply = await ask(...putStanding({ field, expected, value, ends: standing.until }));
      if (!reply.ok) return reply.problem;
      // Somebody else did the same, or something newer is there: it is in the stream.
    }
    return undefined;
  };

  const restoreAll = async (ask: Ask): Promise<string | undefined> => {
    let batch: { field: string; value: string; ends: number }[] = [];
    const flush = async (): Promise<string | undefined> => {
      if (batch.length === 0) return undefined;
      const reply = await ask(...restore(batch));
      batch = [];
      return reply.ok ? undefined : reply.problem;
    };
    for (const row of table.rows()) {
      if (row.marked || row.until <= now()) continue;
      const { kind, until, order } = row;
      const field = fieldOf(seal, row.digest);
      const value = seal.seal(field, standingText(knownOf(row, { kind, until, order }, 0)));
      batch.push({ field, value, ends: until });
      const problem = batch.length < BATCH ? undefined : await flush();
      if (problem !== undefined) return problem;
    }
    return flush();
  };

  const readAll: Reading['readAll'] = async (ask) => {
    const begun = await ask(...beginReading());
    if (!begun.ok) return begun.problem;
    const [is = '', changes = '0', last = '0-0'] = listOf(begun.value);
    table.beginMarking();
    let all = true;
    let cursor = '0';
    do {
      const reply = await ask(...readSome(cursor));
      if (!reply.ok) return reply.problem;
      const [next, entries] = reply.value as readonly [unknown, unknown];
      for (const [field, sealed] of pairsOf(entries)) all = take(field, sealed) && all;
      cursor = String(next);
    } while (cursor !== '0');
    const problem = (await repair(ask)) ?? (await restoreAll(ask));
    if (problem !== undefined) return problem;
    // What can not be read is looked at again and again: nobody can say that nothing is missing.
    [epoch, count, position] = [all ? is : NONE, Number(changes), last];
    live = true;
    return all ? undefined : unreadable.problem;
  };

  return {
    adopt,
    readAll,
    own: ours,
    async readChanges(ask, block) {
      const reply = await ask(...awaitChanges(position, block));
      if (!reply.ok) return reply.problem;
      let [all, missed] = [true, false];
      for (const { id, n, field, sealed } of entriesOf(reply.value)) {
        missed ||= n !== count + 1;
        [position, count] = [id, n];
        all = take(field, sealed) && all;
      }
      const repaired = await repair(ask);
      if (repaired !== undefined) return repaired;
      const is = await ask('GET', EPOCH);
      if (!is.ok) return is.problem;
      return missed || !all || String(is.value ?? '') !== epoch ? readAll(ask) : undefined;
    },
  };
}

/**
 * What must stand in the store instead: what this guard knows to be later; or, where both revoke and the store's was made
 * without knowing ours, the longer of both. Undefined where the store is right.
 */
function betterOf(own: Standing, there: SharedStanding): Standing | undefined {
  if (there.order < own.order) return own;
  const bothRevoke = own.kind === 'revoke' && there.kind === 'revoke';
  const unaware = there.previous < own.order && there.order !== own.order;
  if (!bothRevoke || !unaware || own.until <= there.until) return undefined;
  return { kind: 'revoke', until: own.until, order: there.order + 1 };
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** `[a, 1, b, 2]`, as RESP2 has a map. */
function pairsOf(value: unknown): readonly (readonly [string, string])[] {
  if (!isList(value)) return [];
  return Array.from(
    { length: value.length / 2 },
    (_, at) => [String(value[at * 2]), String(value[at * 2 + 1])] as const,
  );
}

interface Change {
  readonly id: string;
  readonly n: number;
  readonly field: string;
  readonly sealed: string;
}

/** The reply of XREAD: null, or for our one stream its entries with their fields; in RESP3 by the name of the stream. */
function entriesOf(value: unknown): readonly Change[] {
  const [stream] = isList(value) ? value : Object.entries(value ?? {});
  const entries = isList(stream) ? stream[1] : [];
  return (isList(entries) ? entries : []).filter(isList).map(([id, fields]) => {
    const facts = new Map(pairsOf(fields));
    return { id: String(id), n: Number(facts.get('n')), field: facts.get('f') ?? '', sealed: facts.get('v') ?? '' };
  });
}
