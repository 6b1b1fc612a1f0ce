/**
 * Huffman-coded octets → octets (RFC 7541 §5.2). In: a range of bytes, and where to write. Out: how many octets were
 * written. Refuses the EOS symbol inside, a padding of more than 7 bits, and one that is not all ones. Four bits at a
 * time, by a table that is made from the code once: for each state (a node of the code's tree) and each nibble the next
 * state and what comes out. Does NOT bound its output: 8/5 of its input is the most that can come.
 */
import { COMPRESSION_ERROR, ConnectionError } from '../errors.js';
import { EOS, SYMBOLS_BY_LENGTH } from './huffman-code.js';

/** A transition: the next state in the low bits, a symbol above them where one comes out. */
const STATE_BITS = 0xff;
const HAS_SYMBOL = 0x100;
const SYMBOL_SHIFT = 9;
const IMPOSSIBLE = -1;

/** A child is another node, or a symbol as its complement. */
type Node = [zero: number, one: number];

function codeTree(): readonly Node[] {
  const nodes: Node[] = [[0, 0]];
  let code = 0;
  let length = 0;
  for (const [bits, symbols] of SYMBOLS_BY_LENGTH) {
    code *= 2 ** (bits - length);
    length = bits;
    for (const symbol of symbols) addLeaf(nodes, code++, bits, symbol);
  }
  return nodes;
}

function addLeaf(nodes: Node[], code: number, bits: number, symbol: number): void {
  let at = nodes[0] as Node;
  for (let bit = bits - 1; bit > 0; bit--) {
    const side = (code >>> bit) & 1;
    if (at[side] === 0) at[side] = nodes.push([0, 0]) - 1;
    at = nodes[at[side] as number] as Node;
  }
  at[code & 1] = ~symbol;
}

function transitionsOf(nodes: readonly Node[]): Int32Array {
  const table = new Int32Array(nodes.length * 16);
  for (let state = 0; state < nodes.length; state++)
    for (let nibble = 0; nibble < 16; nibble++) table[state * 16 + nibble] = follow(nodes, state, nibble);
  return table;
}

/** The shortest code has 5 bits, so at most one symbol ends within four. */
function follow(nodes: readonly Node[], state: number, nibble: number): number {
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = (nodes[state] as Node)[(nibble >>> bit) & 1] as number;
    if (next === ~EOS) return IMPOSSIBLE;
    if (next < 0) emitted = HAS_SYMBOL | (~next << SYMBOL_SHIFT);
    state = next < 0 ? 0 : next;
  }
  return emitted | state;
}

/** Where a text may end: after up to seven ones that began at the root. */
function paddingStates(nodes: readonly Node[]): Uint8Array {
  const ends = new Uint8Array(nodes.length);
  for (let depth = 0, state = 0; depth <= 7; depth++, state = (nodes[state] as Node)[1]) ends[state] = 1;
  return ends;
}

const TREE = codeTree();
const TRANSITIONS = transitionsOf(TREE);
const MAY_END = paddingStates(TREE);

export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let state = 0;
  let written = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = TRANSITIONS[(state << 4) | ((octet >>> shift) & 15)] as number;
      if (step === IMPOSSIBLE) throw new ConnectionError(COMPRESSION_ERROR, 'EOS inside a Huffman-coded text');
      if ((step & HAS_SYMBOL) !== 0) out[written++] = step >>> SYMBOL_SHIFT;
      state = step & STATE_BITS;
    }
  }
  if (MAY_END[state] !== 1) throw new ConnectionError(COMPRESSION_ERROR, 'a Huffman-coded text with a wrong padding');
  return written;
}
