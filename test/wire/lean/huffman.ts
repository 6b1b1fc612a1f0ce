/**
 * Texts → Huffman-coded octets, by the lengths of RFC 7541, Appendix B, and any padding that a test wants to see
 * refused.
 */
import { SYMBOLS_BY_LENGTH } from '../../../src/wire/lean/hpack/huffman-code.js';

export const CODES: ReadonlyMap<number, string> = codes();

function codes(): Map<number, string> {
  const found = new Map<number, string>();
  let code = 0n;
  let length = 0;
  for (const [bits, symbols] of SYMBOLS_BY_LENGTH) {
    code <<= BigInt(bits - length);
    length = bits;
    for (const symbol of symbols) found.set(symbol, (code++).toString(2).padStart(bits, '0'));
  }
  return found;
}

export const bitsOf = (octets: Iterable<number>): string => [...octets].map((octet) => CODES.get(octet) ?? '').join('');

export const fromBits = (bits: string): Buffer =>
  Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));

/** With the right padding: ones up to a whole octet. */
export function huffman(octets: Iterable<number>): Buffer {
  const bits = bitsOf(octets);
  return fromBits(bits.padEnd(Math.ceil(bits.length / 8) * 8, '1'));
}
