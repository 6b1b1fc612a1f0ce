/**
 * A few known names of headers, found by their bytes without making a text. In: names in lower case, each with a number
 * above 0. Out: a lookup. `_` and `-` are one character here, since some applications cannot tell them apart: a name that is
 * known only but for that gives `ALIKE`. Does NOT check what a name may consist of, except that capitals are no names.
 */
export interface NameTable {
  /** FNV-1a of a name with `-` for each `_`; 0 where it holds a capital or what is not visible ASCII, or is empty. */
  hashOf(bytes: Uint8Array, from: number, to: number): number;
  /** The number of the name that has this hash; 0: unknown. */
  find(hash: number, bytes: Uint8Array, from: number, to: number): number;
}

/** No number of a name: it differs from a known one in `_` and `-` alone. */
export const ALIKE = -1;

const UNDERSCORE = 0x5f;
const HYPHEN = 0x2d;
/** Far more than there are names, so that most unknown ones meet an empty place. */
const PLACES = 512;

export function createNameTable(numbers: ReadonlyMap<string, number>): NameTable {
  const hashes = new Int32Array(PLACES);
  const names: (Buffer | undefined)[] = new Array<Buffer | undefined>(PLACES).fill(undefined);
  const values = new Int32Array(PLACES);
  for (const [name, number] of numbers) {
    const bytes = Buffer.from(name, 'latin1');
    const hash = hashOf(bytes, 0, bytes.length);
    if (hash === 0) throw new Error(`${JSON.stringify(name)} is no header name in lower case`);
    let place = hash & (PLACES - 1);
    while (names[place] !== undefined) place = (place + 1) & (PLACES - 1);
    hashes[place] = hash;
    names[place] = bytes;
    values[place] = number;
  }
  return {
    hashOf,
    find(hash, bytes, from, to) {
      for (let place = hash & (PLACES - 1); names[place] !== undefined; place = (place + 1) & (PLACES - 1)) {
        if (hashes[place] !== hash) continue;
        return isSame(names[place] as Buffer, bytes, from, to) ? (values[place] as number) : ALIKE;
      }
      return 0;
    },
  };
}

/** What each byte of a name counts as; 0: it belongs to none. */
const COUNTS_AS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === UNDERSCORE) return HYPHEN;
  return byte < 0x21 || byte > 0x7e || (byte >= 0x41 && byte <= 0x5a) ? 0 : byte;
});

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) {
    const counts = COUNTS_AS[bytes[at] as number] as number;
    if (counts === 0) return 0;
    hash = Math.imul(hash ^ counts, 0x01000193);
  }
  return from < to ? hash : 0;
}

function isSame(name: Buffer, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let index = 0; index < name.length; index += 1) if (bytes[from + index] !== name[index]) return false;
  return true;
}
