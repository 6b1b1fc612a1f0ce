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
  roomy(): boolean;
  /** Forgets everything; returns how many lines had not arrived whole. */
  clear(): number;
}

const BATCH_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export function lineBuffer(maxBytes: number): LineBuffer {
  let queue: string[] = [];
  let batch = Buffer.alloc(0);
  let offset = 0;
  /** Of the queue and the whole batch. */
  let bytes = 0;

  function nextBatch(): void {
    let size = 0;
    let lines = 0;
    while (lines < queue.length && size < BATCH_BYTES) size += queue[lines++]?.length ?? 0;
    batch = Buffer.from(queue.splice(0, lines).join(''));
    offset = 0;
  }

  return {
    add(line) {
      const size = Buffer.byteLength(line) + 1;
      if (bytes + size > maxBytes) return false;
      queue.push(`${line}\n`);
      bytes += size;
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
    roomy: () => bytes <= maxBytes / 2,
    clear() {
      const left = queue.length + batch.subarray(offset).filter((byte) => byte === NEWLINE).length;
      queue = [];
      batch = Buffer.alloc(0);
      offset = bytes = 0;
      return left;
    },
  };
}
