/**
 * Texts that came before, by their exact bytes: a small number for each, so that kilobytes need not be hashed to find what
 * belongs to them. A few bytes of a text choose where it may lie, all of its bytes decide whether it is there. Bounded in
 * bytes: when half of them are used, the older half is forgotten at once and its memory is used again; whatever is asked
 * for meanwhile moves over. Each place holds four texts: who chooses texts that fall on one place displaces those, and
 * makes nobody wait.
 */
export interface Interned {
  /** The number of exactly these bytes; 0: they are not known. */
  find(bytes: Buffer, from: number, to: number): number;
  /** Their number, also where they were not known before; 0: too long to be kept. */
  add(bytes: Buffer, from: number, to: number): number;
  clear(): void;
  size(): number;
}

/** Gives each number once. */
export type NextNumber = () => number;

export interface InternedOptions {
  /** Places for texts, of each half; a power of two. */
  readonly places: number;
  /** Of texts, of each half. */
  readonly maxBytes: number;
  readonly next: NextNumber;
  /** Any number that strangers do not know: it takes part in choosing places. */
  readonly seed: number;
}

/** Memory is taken as it is needed. A text lies in one piece. */
const CHUNK = 64 * 1024;
const LONGEST = 32 * 1024;
const WAYS = 4;
/** Of a place: number, hash, chunk, offset, length. */
const WIDTH = 5;
/** Up to here all bytes of a text choose its place; of a longer one three times `LAST`. */
const SAMPLED = 56;
const LAST = 8;
/** Up to here a loop is quicker than a call. */
const SHORT = 48;

export function createInterned({ places, maxBytes, next, seed }: InternedOptions): Interned {
  const chunks = Math.max(1, Math.floor(maxBytes / CHUNK));
  let young = half(places, chunks);
  let old = half(places, chunks);

  const put = (number: number, hash: number, bytes: Buffer, from: number, to: number): number => {
    if (young.keep(number, hash, bytes, from, to)) return number;
    [young, old] = [old, young];
    young.clear();
    young.keep(number, hash, bytes, from, to);
    return number;
  };
  const find: Interned['find'] = (bytes, from, to) => {
    const hash = hashOf(bytes, from, to, seed);
    const known = young.find(hash, bytes, from, to);
    if (known !== 0) return known;
    const older = old.find(hash, bytes, from, to);
    return older === 0 ? 0 : put(older, hash, bytes, from, to);
  };
  return {
    find,
    add(bytes, from, to) {
      if (to - from > LONGEST) return 0;
      const known = find(bytes, from, to);
      return known === 0 ? put(next(), hashOf(bytes, from, to, seed), bytes, from, to) : known;
    },
    clear() {
      young.clear();
      old.clear();
    },
    size: () => young.size() + old.size(),
  };
}

interface Half {
  find(hash: number, bytes: Buffer, from: number, to: number): number;
  /** False where there is no room. */
  keep(number: number, hash: number, bytes: Buffer, from: number, to: number): boolean;
  clear(): void;
  size(): number;
}

function half(places: number, maxChunks: number): Half {
  const slots = new Int32Array(places * WIDTH);
  const mask = places / WAYS - 1;
  const chunks: Buffer[] = [];
  let chunk = 0;
  let used = 0;
  let count = 0;
  const firstOf = (hash: number): number => (hash & mask) * WAYS * WIDTH;

  return {
    find(hash, bytes, from, to) {
      const first = firstOf(hash);
      for (let slot = first; slot < first + WAYS * WIDTH; slot += WIDTH) {
        if (slots[slot + 1] !== hash || slots[slot] === 0 || slots[slot + 4] !== to - from) continue;
        const kept = chunks[slots[slot + 2] as number] as Buffer;
        if (isSame(kept, slots[slot + 3] as number, bytes, from, to)) return slots[slot] as number;
      }
      return 0;
    },
    keep(number, hash, bytes, from, to) {
      if (used + to - from > CHUNK) {
        if (chunk + 1 === maxChunks) return false;
        chunk += 1;
        used = 0;
      }
      bytes.copy((chunks[chunk] ??= Buffer.allocUnsafeSlow(CHUNK)), used, from, to);
      const first = firstOf(hash);
      let slot = first;
      while (slot < first + WAYS * WIDTH && slots[slot] !== 0) slot += WIDTH;
      if (slot === first + WAYS * WIDTH) slot = first + (number % WAYS) * WIDTH;
      else count += 1;
      slots.set([number, hash, chunk, used, to - from], slot);
      used += to - from;
      return true;
    },
    clear() {
      slots.fill(0);
      chunk = used = count = 0;
    },
    size: () => count,
  };
}

/**
 * FNV-1a over the length and some of the bytes: the last ones, where a token has its signature, some before them, where a
 * certificate has its own (its last line is like every other's), and a few of all the rest.
 */
function hashOf(bytes: Buffer, from: number, to: number, seed: number): number {
  const length = to - from;
  let hash = Math.imul(length ^ seed, 0x01000193);
  if (length <= SAMPLED) {
    for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    return hash ^ (hash >>> 15);
  }
  for (let at = to - LAST; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  for (let at = to - SAMPLED; at < to - SAMPLED + LAST; at += 1)
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  const step = Math.floor(length / LAST);
  for (let at = from; at < to; at += step) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

function isSame(kept: Buffer, at: number, bytes: Buffer, from: number, to: number): boolean {
  if (to - from > SHORT) return bytes.compare(kept, at, at + to - from, from, to) === 0;
  for (let index = from, other = at; index < to; index += 1, other += 1) if (bytes[index] !== kept[other]) return false;
  return true;
}
