/**
 * The dynamic table of a decoder (RFC 7541 §2.3.2, §4): the newest entry is number 0. A ring, so that nothing moves
 * when an entry comes or goes. An entry costs 32 octets at least (§4.1), which bounds how many there can be.
 */
import { HEADER_TABLE } from '../limits.js';
import type { Field } from '../field.js';

const CAPACITY = HEADER_TABLE / 32;

export class DynamicTable {
  private readonly ring = new Array<Field | undefined>(CAPACITY).fill(undefined);
  private newest = 0;
  private count = 0;
  private size = 0;
  private limit = HEADER_TABLE;

  /** undefined: there is no such entry. */
  at(index: number): Field | undefined {
    return index < this.count ? this.ring[(this.newest + CAPACITY - index) % CAPACITY] : undefined;
  }

  /** One that is larger than the table empties it, and is not kept (§4.4). */
  add(field: Field): void {
    this.evictUntil(this.limit - field.size);
    if (field.size > this.limit) return;
    this.newest = (this.newest + 1) % CAPACITY;
    this.ring[this.newest] = field;
    this.count++;
    this.size += field.size;
  }

  /** `limit` was compared with what we allow by the decoder. */
  resize(limit: number): void {
    this.limit = limit;
    this.evictUntil(limit);
  }

  private evictUntil(size: number): void {
    while (this.count > 0 && this.size > size) {
      const oldest = (this.newest + CAPACITY - --this.count) % CAPACITY;
      this.size -= (this.ring[oldest] as Field).size;
      this.ring[oldest] = undefined;
    }
  }
}
