/**
 * Digests of names, with what is said about each: open addressing in typed arrays, 34 bytes a place, so that a million of
 * them are some 60 MB. In: digests. Out: until when each is refused. It grows with what is in force, and forgets what ended
 * an hour ago whenever a part of it grows; what is in force is never pushed out. It knows no name.
 */
import { REVOCATION_TYPES } from '../../model/revocation.js';
import type { RevocationType } from '../../model/revocation.js';
import { DIGEST_BYTES } from './digest.js';
import type { Digest } from './digest.js';

/** What is said about one name. */
export interface Standing {
  readonly kind: 'revoke' | 'unrevoke';
  /** Of a revocation: its end. Of an unrevoke: until when it must be remembered. ms */
  readonly until: number;
  /** Of two standings of one name the one with the higher number counts. */
  readonly order: number;
}

export interface Row extends Standing {
  readonly type: RevocationType;
  readonly digest: Digest;
  /** Whether it was put or touched since `beginMarking`. */
  readonly marked: boolean;
}

export interface RevocationTable {
  /** ms; -Infinity where it is not revoked. */
  untilOf(digest: Digest): number;
  find(digest: Digest): Standing | undefined;
  put(type: RevocationType, digest: Digest, standing: Standing, now: number): void;
  /** From now on no row is marked. */
  beginMarking(): void;
  touch(digest: Digest): void;
  rows(): Generator<Row>;
  /** Rows of one type: revocations, and what has not been forgotten yet. */
  size(type: RevocationType): number;
  /** In force at a moment, by type. Looks at every row. */
  inForce(now: number): ReadonlyMap<RevocationType, number>;
}

/** A digest as numbers of 32 bits. */
const WORDS = DIGEST_BYTES / 4;
/** Each part grows by itself, so that no check waits for a million rows to be moved. */
const PARTS = 256;
const FIRST_PLACES = 8;
const MAX_LOAD = 0.8;
/** ms: a clock that was corrected finds what it needs. */
const REMEMBERED = 3_600_000;
const UNREVOKED = 0x80;

/** Places of one part; a place with the kind 0 is free. */
class Part {
  words: Int32Array;
  untils: Float64Array;
  orders: Float64Array;
  kinds: Uint8Array;
  marks: Uint8Array;
  used = 0;

  constructor(readonly places: number) {
    this.words = new Int32Array(places * WORDS);
    this.untils = new Float64Array(places);
    this.orders = new Float64Array(places);
    this.kinds = new Uint8Array(places);
    this.marks = new Uint8Array(places);
  }

  /** Where the digest is, or where it would be put. */
  placeOf(digest: Digest): number {
    let place = digest.readUInt32LE(1) % this.places;
    while (this.kinds[place] !== 0 && !this.#holds(place, digest)) place = (place + 1) % this.places;
    return place;
  }

  #holds(place: number, digest: Digest): boolean {
    for (let word = 0; word < WORDS; word += 1)
      if (this.words[place * WORDS + word] !== digest.readInt32LE(word * 4)) return false;
    return true;
  }

  digestAt(place: number): Digest {
    const digest = Buffer.alloc(DIGEST_BYTES);
    for (let word = 0; word < WORDS; word += 1) digest.writeInt32LE(this.words[place * WORDS + word] ?? 0, word * 4);
    return digest;
  }

  /** Overwrites what is there. */
  set(place: number, digest: Digest, kind: number, until: number, order: number, mark: number): void {
    if (this.kinds[place] === 0) this.used += 1;
    for (let word = 0; word < WORDS; word += 1) this.words[place * WORDS + word] = digest.readInt32LE(word * 4);
    this.kinds[place] = kind;
    this.untils[place] = until;
    this.orders[place] = order;
    this.marks[place] = mark;
  }
}

const kindOf = (type: RevocationType, kind: Standing['kind']): number =>
  (REVOCATION_TYPES.indexOf(type) + 1) | (kind === 'revoke' ? 0 : UNREVOKED);
const isRevoke = (kind: number): boolean => (kind & UNREVOKED) === 0;
const typeAt = (kind: number): number => (kind & ~UNREVOKED) - 1;

export function createRevocationTable(): RevocationTable {
  const parts: (Part | undefined)[] = Array.from({ length: PARTS });
  const sizes = new Float64Array(REVOCATION_TYPES.length);
  const partOf = (digest: Digest): Part | undefined => parts[digest[0] ?? 0];
  let mark = 1;

  /** A larger part with what is still needed, or one of the same size. */
  const grown = (old: Part, now: number): Part => {
    const isNeeded = (place: number): boolean => old.kinds[place] !== 0 && (old.untils[place] ?? 0) > now - REMEMBERED;
    let needed = 0;
    for (let place = 0; place < old.places; place += 1) if (isNeeded(place)) needed += 1;
    const next = new Part(Math.max(FIRST_PLACES, Math.ceil((needed + 1) * 1.6)));
    for (let place = 0; place < old.places; place += 1) {
      const kind = old.kinds[place] ?? 0;
      if (!isNeeded(place)) {
        if (kind !== 0) sizes[typeAt(kind)]! -= 1;
        continue;
      }
      const digest = old.digestAt(place);
      const [until, order, marked] = [old.untils[place] ?? 0, old.orders[place] ?? 0, old.marks[place] ?? 0];
      next.set(next.placeOf(digest), digest, kind, until, order, marked);
    }
    return next;
  };

  return {
    untilOf(digest) {
      const part = partOf(digest);
      if (part === undefined) return -Infinity;
      const place = part.placeOf(digest);
      const kind = part.kinds[place] ?? 0;
      return kind !== 0 && isRevoke(kind) ? (part.untils[place] ?? 0) : -Infinity;
    },
    find(digest) {
      const part = partOf(digest);
      const place = part?.placeOf(digest) ?? 0;
      const kind = part?.kinds[place] ?? 0;
      if (part === undefined || kind === 0) return undefined;
      const [until, order] = [part.untils[place] ?? 0, part.orders[place] ?? 0];
      return { kind: isRevoke(kind) ? 'revoke' : 'unrevoke', until, order };
    },
    put(type, digest, { kind, until, order }, now) {
      const index = digest[0] ?? 0;
      let part = (parts[index] ??= new Part(FIRST_PLACES));
      if (part.used + 1 > part.places * MAX_LOAD) part = parts[index] = grown(part, now);
      const place = part.placeOf(digest);
      if (part.kinds[place] === 0) sizes[REVOCATION_TYPES.indexOf(type)]! += 1;
      part.set(place, digest, kindOf(type, kind), until, order, mark);
    },
    beginMarking() {
      mark = (mark % 255) + 1;
      for (const part of parts) if (part !== undefined && mark === 1) part.marks.fill(0);
    },
    touch(digest) {
      const part = partOf(digest);
      const place = part?.placeOf(digest) ?? 0;
      if (part !== undefined && part.kinds[place] !== 0) part.marks[place] = mark;
    },
    *rows() {
      for (const part of parts)
        for (let place = 0; part !== undefined && place < part.places; place += 1) {
          const kind = part.kinds[place] ?? 0;
          const type = REVOCATION_TYPES[typeAt(kind)];
          if (type === undefined) continue;
          const [until, order] = [part.untils[place] ?? 0, part.orders[place] ?? 0];
          const standing: Standing = { kind: isRevoke(kind) ? 'revoke' : 'unrevoke', until, order };
          yield { type, digest: part.digestAt(place), ...standing, marked: part.marks[place] === mark };
        }
    },
    size: (type) => sizes[REVOCATION_TYPES.indexOf(type)] ?? 0,
    inForce(now) {
      const counts = new Float64Array(REVOCATION_TYPES.length);
      for (const part of parts)
        for (let place = 0; part !== undefined && place < part.places; place += 1) {
          const kind = part.kinds[place] ?? 0;
          if (kind !== 0 && isRevoke(kind) && (part.untils[place] ?? 0) > now) counts[typeAt(kind)]! += 1;
        }
      return new Map(REVOCATION_TYPES.map((type, index) => [type, counts[index] ?? 0]));
    },
  };
}
