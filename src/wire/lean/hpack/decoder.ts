/**
 * A header block → its fields, one after the other (RFC 7541). In: the whole block, CONTINUATION frames joined. Out:
 * each field to the sink. Throws ConnectionError(COMPRESSION_ERROR) for whatever is not exactly a block: then the table
 * may differ from the peer's, and no later block of this connection could be believed. Does NOT judge fields and does
 * NOT bound the list: the sink counts. What it is given is bounded (limits.ts).
 */
import { COMPRESSION_ERROR, ConnectionError } from '../errors.js';
import { fieldOf } from '../field.js';
import type { Field } from '../field.js';
import { HEADER_TABLE, MAX_HEADER_BLOCK } from '../limits.js';
import { DynamicTable } from './dynamic-table.js';
import { decodeHuffman } from './huffman.js';
import { STATIC_TABLE } from './static-table.js';

export interface FieldSink {
  take(field: Field): void;
}

/** Shared by all connections: nothing in it outlives one text. Huffman makes at most 8/5 of what comes. */
const SCRATCH = Buffer.allocUnsafeSlow(Math.ceil((MAX_HEADER_BLOCK * 8) / 5));
const MAX_SIZE_UPDATES = 2;

const wrong = (what: string): never => {
  throw new ConnectionError(COMPRESSION_ERROR, what);
};

export class Decoder {
  private readonly table = new DynamicTable();
  private bytes: Buffer = SCRATCH;
  private at = 0;
  private end = 0;

  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.sizeUpdates();
    while (this.at < end) sink.take(this.next(bytes[this.at] as number));
    // A chunk is not kept alive by the last block that came in it.
    this.bytes = SCRATCH;
  }

  /** §4.2: only at the beginning of a block, at most two, and never above what our SETTINGS allow. */
  private sizeUpdates(): void {
    for (let count = 0; this.at < this.end && ((this.bytes[this.at] as number) & 0xe0) === 0x20; count++) {
      const size = this.integer(0x1f);
      if (size > HEADER_TABLE || count === MAX_SIZE_UPDATES) wrong(`a dynamic table size update to ${size}`);
      this.table.resize(size);
    }
  }

  /**
   * §6.1 indexed, §6.2.1 with incremental indexing, §6.2.2 without, §6.2.3 never: the last two differ for proxies
   * alone.
   */
  private next(first: number): Field {
    if (first >= 0x80) return this.entry(this.integer(0x7f));
    if (first >= 0x40) return this.added(this.literal(0x3f));
    if (first >= 0x20) return wrong('a dynamic table size update after the first field');
    return this.literal(0x0f);
  }

  private added(field: Field): Field {
    this.table.add(field);
    return field;
  }

  private literal(mask: number): Field {
    const index = this.integer(mask);
    const name = index === 0 ? this.text() : this.entry(index).name;
    return fieldOf(name, this.text());
  }

  private entry(index: number): Field {
    const field =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.table.at(index - STATIC_TABLE.length - 1);
    return field ?? wrong(`there is no entry ${index}`);
  }

  /** §5.2. Each octet becomes the character of its number, so that no two texts become one. */
  private text(): string {
    const huffman = this.octet() >= 0x80;
    this.at--;
    const length = this.integer(0x7f);
    const start = this.at;
    if (length > this.end - start) wrong('a text beyond the end of its block');
    this.at += length;
    if (!huffman) return this.bytes.toString('latin1', start, this.at);
    return SCRATCH.toString('latin1', 0, decodeHuffman(this.bytes, start, this.at, SCRATCH));
  }

  /** §5.1. At most four octets after the first: 28 bits are more than any length or index that could be right. */
  private integer(mask: number): number {
    let value = this.octet() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const octet = this.octet();
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    return wrong('an integer of more than five octets');
  }

  private octet(): number {
    if (this.at >= this.end) wrong('a field beyond the end of its block');
    return this.bytes[this.at++] as number;
  }
}
