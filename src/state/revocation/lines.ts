/**
 * A file that others append lines to, read from where it was left. In: a path. Out: each whole line once, in its order; a
 * last line without an end only where the caller takes it. A file that was replaced is read from its beginning, unless it
 * still begins with all that was read before. Follows what the path leads to, symlinks too.
 */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

export interface LineHooks {
  /** The lines that follow were not read after the ones before: the file is another one. */
  readonly restarted: () => void;
  /** `number`: 1-based. False where an unfinished line (`whole` false) is not to be taken yet. */
  readonly line: (text: string, number: number, whole: boolean) => boolean;
}

export interface LineReader {
  /** Whether anything was read; undefined where the file is not there. Rejects where it can not be read. */
  read(hooks: LineHooks): Promise<boolean | undefined>;
}

/** Bytes that are read at once: some thousand lines, between which checks are answered. */
const CHUNK = 256 * 1024;
/** Far more than a line with every field at its longest. Bytes. */
const MAX_LINE = 32 * 1024;

export function followLines(file: string): LineReader {
  let seen = '';
  let position = 0;
  let number = 0;
  let prefix = createHash('sha256');
  /** Within a line that is too long to be one. */
  let skipping = false;

  const consume = (bytes: Buffer): void => {
    position += bytes.length;
    prefix.update(bytes);
  };
  const beginAgain = (hooks: LineHooks): void => {
    [position, number, prefix, skipping] = [0, 0, createHash('sha256'), false];
    hooks.restarted();
  };

  return {
    async read(hooks) {
      const handle = await opened(file);
      if (handle === undefined) {
        seen = '';
        return undefined;
      }
      try {
        const { dev, ino, size, mtimeNs } = await handle.stat({ bigint: true });
        const now = `${dev} ${ino} ${size} ${mtimeNs}`;
        if (now === seen) return false;
        if (position > 0 && !(await isContinued(handle, position, prefix.copy().digest('hex')))) beginAgain(hooks);
        await readOn(handle, hooks);
        seen = now;
        return true;
      } finally {
        await handle.close();
      }
    },
  };

  async function readOn(handle: FileHandle, hooks: LineHooks): Promise<void> {
    let left = Buffer.alloc(0);
    for (;;) {
      const { bytesRead, buffer } = await handle.read({
        buffer: Buffer.allocUnsafe(CHUNK),
        position: position + left.length,
      });
      if (bytesRead === 0) break;
      left = takeLines(Buffer.concat([left, buffer.subarray(0, bytesRead)]), hooks);
      if (left.length > MAX_LINE) left = skip(left, hooks);
    }
    if (left.length === 0 || skipping) return;
    if (hooks.line(left.toString('utf8'), number + 1, false)) {
      number += 1;
      consume(left);
    }
  }

  /** Told as the bad line that it is, and read no further. */
  function skip(beginning: Buffer, hooks: LineHooks): Buffer<ArrayBuffer> {
    if (!skipping) hooks.line(beginning.toString('utf8', 0, MAX_LINE), (number += 1), true);
    skipping = true;
    consume(beginning);
    return Buffer.alloc(0);
  }

  /** What is left is the beginning of a line. */
  function takeLines(bytes: Buffer, hooks: LineHooks): Buffer<ArrayBuffer> {
    let from = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      // The end of a line that was taken, or passed over, before it had one.
      const isEnd = skipping || (end === 0 && position > 0);
      if (!isEnd) hooks.line(bytes.toString('utf8', from, Math.min(end, from + MAX_LINE)), (number += 1), true);
      skipping = false;
      from = end + 1;
    }
    consume(bytes.subarray(0, from));
    return Buffer.from(bytes.subarray(from));
  }
}

async function opened(file: string): Promise<FileHandle | undefined> {
  try {
    if (!(await stat(file)).isFile()) throw new Error('it is no file');
    return await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether the file begins with what was read of it, by its digest. */
async function isContinued(handle: FileHandle, length: number, digest: string): Promise<boolean> {
  const found = createHash('sha256');
  let at = 0;
  while (at < length) {
    const { bytesRead, buffer } = await handle.read({
      buffer: Buffer.allocUnsafe(Math.min(CHUNK, length - at)),
      position: at,
    });
    if (bytesRead === 0) return false;
    found.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return found.digest('hex') === digest;
}
