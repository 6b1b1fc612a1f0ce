/**
 * Lines that wait to be written, in order and within a number of bytes. In: lines without a line break. Out: batches of
 * bytes, and how far the current one got. Refuses a line that doesn't fit. Knows nothing of files.
 */
export interface LineBuffer {
  /** False where there is no room for it. */
  add(line: string): boolean;
  /** What to write next: the rest of the current batch, or a new one; empty where nothing waits. */
  next(): Buffer;
  /** So many bytes of `next` arrived. */
  arrived(count: number): void;
  /** Goes back to the beginning of a line that arrived in part only. */
  rewind(): void;
  /** Bytes that have not arrived. */
  waiting(): number;
  roomy(): boolean;
  /** Forgets everything; returns how many lines had not arrived whole. */
  clear(): number;
}

/** What is worth a write of its own. */
export const BATCH_BYTES = 256 * 1024;
const emptyBatch = (): Buffer => Buffer.allocUnsafeSlow(BATCH_BYTES);
const NEWLINE = 0x0a;
/** Bytes of UTF-8 for one unit of UTF-16, at most. */
const WIDEST = 3;

export function lineBuffer(maxBytes: number): LineBuffer {
  /** Whole batches, the oldest first. */
  let full: Buffer[] = [];
  let filling = emptyBatch();
  let filled = 0;
  /** Was written, and is filled again: a busy guard would leave hundreds of megabytes a second behind. */
  let spare: Buffer | undefined;
  /** What is being written, and how far it got. */
  let batch: Buffer = Buffer.alloc(0);
  let offset = 0;
  /** Of all of them. */
  let bytes = 0;

  function closeBatch(): void {
    if (filled === 0) return;
    full.push(filling.subarray(0, filled));
    filling = spare ?? emptyBatch();
    spare = undefined;
    filled = 0;
  }

  function nextBatch(): void {
    // All of it was written; nobody else has it.
    if (batch.buffer.byteLength === BATCH_BYTES) spare = Buffer.from(batch.buffer);
    if (full.length === 0) closeBatch();
    batch = full.shift() ?? Buffer.alloc(0);
    offset = 0;
  }

  /** For a line that may not fit into what is being filled. */
  function put(line: string, size: number): void {
    if (size > BATCH_BYTES - filled) closeBatch();
    if (size <= BATCH_BYTES) return append(line);
    full.push(Buffer.from(`${line}\n`));
    bytes += size;
  }

  function append(line: string): void {
    const size = filling.write(line, filled) + 1;
    filling[filled + size - 1] = NEWLINE;
    filled += size;
    bytes += size;
  }

  return {
    add(line) {
      const most = line.length * WIDEST + 1;
      if (most <= BATCH_BYTES - filled && bytes + most <= maxBytes) {
        append(line);
        return true;
      }
      const size = Buffer.byteLength(line) + 1;
      if (bytes + size > maxBytes) return false;
      put(line, size);
      return true;
    },
    next() {
      if (offset === batch.length) nextBatch();
      return batch.subarray(offset);
    },
    arrived(count) {
      offset += count;
      if (offset === batch.length) bytes -= batch.length;
    },
    rewind() {
      if (offset < batch.length) offset = batch.subarray(0, offset).lastIndexOf(NEWLINE) + 1;
    },
    waiting: () => bytes,
    roomy: () => bytes <= maxBytes / 2,
    clear() {
      const left = [...full, filling.subarray(0, filled), batch.subarray(offset)];
      full = [];
      batch = Buffer.alloc(0);
      filled = offset = bytes = 0;
      return left.reduce((sum, each) => sum + each.filter((byte) => byte === NEWLINE).length, 0);
    },
  };
}
