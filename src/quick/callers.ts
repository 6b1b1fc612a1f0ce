/**
 * Who calls, by the exact bytes of everything that says so: principal, certificate, own identity, forwarded elements and
 * tokens. In: a glance. Out: a key of small numbers, of which each stands for one text and no other. A text gets a number
 * only when a decision about it was found again on the whole way, so that a flood of new ones displaces nothing here.
 */
import { createInterned } from '../state/interned.js';
import type { Interned, InternedOptions } from '../state/interned.js';
import type { Seen } from '../wire/seen.js';
import { knownNumberOf, numberOf } from './texts.js';

export type CallerPart = 'principal' | 'certificate' | 'destination' | 'forwarded' | 'credentials';

export interface Callers {
  /** How many numbers a key has, the last of which is left to the route. */
  readonly width: number;
  /** Writes the key; false where a text is not known, or a token can not be read in one way. */
  find(bytes: Buffer, seen: Seen, blind: boolean, key: Int32Array): boolean;
  /** The same, and gives numbers to what has none. */
  add(bytes: Buffer, seen: Seen, blind: boolean, key: Int32Array): boolean;
  clear(): void;
}

const MIB = 1024 * 1024;
/** Of both halves together twice as much. Tokens of a KiB: some 6,000 in each half. */
const IDENTITIES = { places: 2048, maxBytes: MIB / 4 };
const CERTIFICATES = { places: 2048, maxBytes: 2 * MIB };
const FORWARDED = { places: 4096, maxBytes: MIB };
const CREDENTIALS = { places: 16_384, maxBytes: 6 * MIB };

const COMMA = 0x2c;

export function createCallers(
  places: number,
  common: Pick<InternedOptions, 'seed' | 'next'>,
  without: readonly CallerPart[],
): Callers {
  const identities = createInterned({ ...IDENTITIES, ...common });
  const certificates = createInterned({ ...CERTIFICATES, ...common });
  const forwarded = createInterned({ ...FORWARDED, ...common });
  const credentials = createInterned({ ...CREDENTIALS, ...common });
  const FIXED = 4;

  const keyOf =
    (number: (texts: Interned, bytes: Buffer, from: number, to: number) => number): Callers['find'] =>
    (bytes, seen, blind, key) => {
      key[0] = number(identities, bytes, seen.principal, seen.principalEnd);
      key[1] = number(certificates, bytes, seen.certificate, seen.certificateEnd);
      key[2] = number(identities, bytes, seen.destination, seen.destinationEnd);
      key[3] = number(forwarded, bytes, seen.forwarded, seen.forwardedEnd);
      if (key[0] === 0 || key[1] === 0 || key[2] === 0 || key[3] === 0) return false;
      for (let place = 0; place < places; place += 1) {
        const from = seen.credentials[place * 2] as number;
        const to = seen.credentials[place * 2 + 1] as number;
        if (blind && !isSingle(bytes, from, to)) return false;
        // Any number: the decision was made without looking at it.
        const given = blind ? 1 : number(credentials, bytes, from, to);
        if (given === 0) return false;
        key[FIXED + place] = given;
      }
      return true;
    };
  const [find, add] = [keyOf(knownNumberOf), keyOf(numberOf)];
  const omitted = omissions(places, without);
  /** For the tests that prove that each part is needed. */
  const omitting =
    (read: Callers['find']): Callers['find'] =>
    (...given) => {
      const known = read(...given);
      for (const index of omitted) given[3][index] = 0;
      return known;
    };

  return {
    width: FIXED + places + 1,
    find: omitted.length === 0 ? find : omitting(find),
    add: omitted.length === 0 ? add : omitting(add),
    clear() {
      for (const texts of [identities, certificates, forwarded, credentials]) texts.clear();
    },
  };
}

const FIXED_PARTS: readonly CallerPart[] = ['principal', 'certificate', 'destination', 'forwarded'];

function omissions(places: number, without: readonly CallerPart[]): readonly number[] {
  const fixed = FIXED_PARTS.flatMap((part, index) => (without.includes(part) ? [index] : []));
  if (!without.includes('credentials')) return fixed;
  return [...fixed, ...Array.from({ length: places }, (_, place) => FIXED_PARTS.length + place)];
}

/** Nobody looks at it, but that it is one text in ASCII without a comma: two would be ambiguous on every line. */
function isSingle(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte < 0x20 || byte > 0x7e || byte === COMMA) return false;
  }
  return true;
}
