/**
 * What one kind of source says: the revocation file, or the store that guards share. Each has an order of its own, so
 * neither ends what the other one revoked. Beside the table there are the words of the last orders, for whoever is denied.
 */
import type { RevocationOrder, RevocationType } from '../../model/revocation.js';
import type { Digest } from './digest.js';
import { shapeOf } from './shapes.js';
import type { Shape } from './shapes.js';
import { createRevocationTable } from './table.js';
import type { RevocationTable, Standing } from './table.js';

export interface Layer {
  readonly table: RevocationTable;
  /** Of the patterns on identities that were ever revoked. */
  readonly shapes: Set<Shape>;
  /** How often something was refused that was not refused before. */
  readonly added: () => number;
  readonly holds: (type: RevocationType) => boolean;
  readonly isLive: (digest: Digest, now: number) => boolean;
  /** What was said, where that is still remembered. */
  readonly words: (digest: Digest) => RevocationOrder | undefined;
  /** Puts it, whatever stands there. `shape`: of a pattern whose text is not known here. */
  put(type: RevocationType, digest: Digest, standing: Standing, told: Told, now: number): void;
}

export interface Told {
  readonly order?: RevocationOrder | undefined;
  readonly shape?: Shape | undefined;
}

/** Orders whose words are remembered, the last ones; some hundred bytes each. */
const MAX_WORDS = 10_000;

export function createLayer(): Layer {
  const table = createRevocationTable();
  const words = createWords();
  const shapes = new Set<Shape>();
  let added = 0;
  return {
    table,
    shapes,
    added: () => added,
    holds: (type) => table.size(type) > 0,
    isLive: (digest, now) => table.untilOf(digest) > now,
    words: (digest) => words.get(digest.toString('latin1')),
    put(type, digest, standing, { order, shape = shapeIn(type, order) }, now) {
      const before = table.untilOf(digest);
      table.put(type, digest, standing, now);
      if (type === 'identity' && shape !== undefined) shapes.add(shape);
      if (standing.kind === 'revoke' && standing.until > before) added += 1;
      if (order !== undefined) words.set(digest.toString('latin1'), order);
    },
  };
}

const shapeIn = (type: RevocationType, order: RevocationOrder | undefined): Shape | undefined =>
  type === 'identity' && order !== undefined ? shapeOf(order.revocation.value) : undefined;

/** The oldest place is taken by each new one; a name that comes twice may lose its words with its older place. */
function createWords() {
  const words = new Map<string, RevocationOrder>();
  const places: string[] = [];
  let next = 0;
  return {
    get: (name: string): RevocationOrder | undefined => words.get(name),
    set(name: string, order: RevocationOrder): void {
      const oldest = places[next];
      if (oldest !== undefined) words.delete(oldest);
      places[next] = name;
      next = (next + 1) % MAX_WORDS;
      words.set(name, order);
    },
  };
}
