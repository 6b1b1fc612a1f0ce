/** Header blocks as a peer writes them, and fields as a test wants to see them. */
import { Decoder } from '../../../src/wire/lean/hpack/decoder.js';

export type Pair = readonly [name: string, value: string];

export function decode(block: Buffer, decoder = new Decoder()): Pair[] {
  const fields: Pair[] = [];
  decoder.decode(block, 0, block.length, { take: ({ name, value }) => void fields.push([name, value]) });
  return fields;
}

/** RFC 7541 §5.1. */
export function integer(value: number, prefix: number, first = 0): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.of(first | value);
  const octets = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 128);
  return Buffer.from([...octets, rest]);
}

export const text = (value: string): Buffer =>
  Buffer.concat([integer(Buffer.byteLength(value, 'latin1'), 7), Buffer.from(value, 'latin1')]);

/** Literals, not indexed. */
export const block = (...fields: readonly Pair[]): Buffer =>
  Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.of(0), text(name), text(value)])));

/** Literals with incremental indexing: the next block may name them by number. */
export const indexedBlock = (...fields: readonly Pair[]): Buffer =>
  Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.of(0x40), text(name), text(value)])));
