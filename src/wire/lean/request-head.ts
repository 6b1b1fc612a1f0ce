/**
 * The fields of one header block, and whether together they are a request (RFC 9113 §8.3) or trailers. One object for
 * each connection, emptied before each block, so that a block costs no memory. In: fields, in order. Out: what they
 * say. Does NOT know what is asked for: that is calls.ts.
 */
import {
  AUTHORITY,
  CONNECT,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  GRPC,
  MALFORMED,
  METHOD,
  ORDINARY,
  PATH,
  POST,
  SCHEME,
  SECRET,
  SLOTS,
  TIMEOUT,
  UNREADABLE,
} from './field.js';
import type { Field } from './field.js';
import type { FieldSink } from './hpack/decoder.js';
import { MAX_HEADER_LIST } from './limits.js';
import { UNKNOWN } from './target.js';

const PSEUDO = (1 << METHOD) | (1 << SCHEME) | (1 << PATH) | (1 << AUTHORITY);
const REQUIRED = (1 << METHOD) | (1 << SCHEME) | (1 << PATH);

export class RequestHead implements FieldSink {
  /** The slots that were there, and those that were there more than once: bits. */
  private seen = 0;
  private again = 0;
  private ordinary = false;
  private malformed = false;
  private size = 0;
  private readonly meanings = new Float64Array(SLOTS);
  private secret: string | undefined = undefined;

  clear(): void {
    this.seen = 0;
    this.again = 0;
    this.ordinary = false;
    this.malformed = false;
    this.size = 0;
    this.secret = undefined;
  }

  take(field: Field): void {
    this.size += field.size;
    if (field.slot === ORDINARY) this.ordinary = true;
    else if (field.slot === MALFORMED) this.malformed = true;
    else this.known(field);
  }

  /** §8.3: pseudo-headers stand before all others, each once. */
  private known(field: Field): void {
    const { slot } = field;
    if (slot > AUTHORITY) this.ordinary = true;
    else if (this.ordinary) this.malformed = true;
    this.again |= this.seen & (1 << slot);
    this.seen |= 1 << slot;
    this.meanings[slot] = field.meaning;
    if (slot === SECRET) this.secret = field.value;
  }

  tooLarge(): boolean {
    return this.size > MAX_HEADER_LIST;
  }

  isRequest(): boolean {
    if (this.malformed || (this.again & (PSEUDO | (1 << CONTENT_LENGTH))) !== 0) return false;
    if (this.contentLength() === UNREADABLE) return false;
    // §8.5: CONNECT has neither scheme nor path.
    const wanted = this.meanings[METHOD] === CONNECT ? (1 << METHOD) | (1 << AUTHORITY) : REQUIRED;
    return (this.seen & (wanted | REQUIRED)) === wanted && (this.seen & (1 << METHOD)) !== 0;
  }

  /** §8.1: no pseudo-headers. What they say is nothing to us. */
  isTrailers(): boolean {
    return !this.malformed && (this.seen & PSEUDO) === 0;
  }

  /** gRPC is POST, one content type of gRPC's. */
  isPost(): boolean {
    return this.meanings[METHOD] === POST;
  }

  isGrpc(): boolean {
    return this.once(CONTENT_TYPE) && this.meanings[CONTENT_TYPE] === GRPC;
  }

  target(): number {
    return this.once(PATH) ? (this.meanings[PATH] as number) : UNKNOWN;
  }

  /** ms; Infinity where there is none, UNREADABLE where it cannot be read or there are two. */
  timeout(): number {
    if ((this.seen & (1 << TIMEOUT)) === 0) return Infinity;
    return this.once(TIMEOUT) ? (this.meanings[TIMEOUT] as number) : UNREADABLE;
  }

  /** Octets; Infinity where nothing is said. */
  contentLength(): number {
    return (this.seen & (1 << CONTENT_LENGTH)) === 0 ? Infinity : (this.meanings[CONTENT_LENGTH] as number);
  }

  /** None, one, or two that stand for more. */
  secrets(): readonly string[] {
    if (this.secret === undefined) return [];
    return this.once(SECRET) ? [this.secret] : [this.secret, this.secret];
  }

  private once(slot: number): boolean {
    return (this.seen & ~this.again & (1 << slot)) !== 0;
  }
}
