/**
 * One line at the end of the revocation file, whole or not at all: one write to the end of whatever is there by then, on the
 * disk before it counts as done. Creates the file for its owner and group. Rejects in the system's words.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { RevocationOrder } from '../../model/revocation.js';
import { orderText } from './order.js';

/** Names of workloads and people stand in it. */
const MODE = 0o640;

export async function appendOrder(file: string, order: RevocationOrder): Promise<void> {
  const handle = await open(file, 'a+', MODE);
  try {
    const line = Buffer.from(`${(await endsInLine(handle)) ? '\n' : ''}${orderText(order)}\n`);
    const { bytesWritten } = await handle.write(line);
    if (bytesWritten !== line.length) throw new Error(`${bytesWritten} of ${line.length} bytes were written`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Somebody's editor left the last line without an end. */
async function endsInLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return buffer[0] !== 0x0a;
}
