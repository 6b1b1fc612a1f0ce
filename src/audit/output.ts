/**
 * Where audit lines go: a file, or standard output. In: bytes. Out: how many of them arrived, or why none did. Nothing in
 * here waits for a reader: files are opened O_NONBLOCK, so that a FIFO without space answers EAGAIN; pipes and sockets on
 * standard output go through the stream that Node keeps for them. Writing to those with fs.write would hold a thread of the
 * pool, and with it process.exit(), until somebody reads (test/audit/stdout.test.ts).
 */
import { close, constants, fstatSync, open, openSync, write } from 'node:fs';

export type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void;

export interface Output {
  put(bytes: Buffer, done: Written): void;
  close(): void;
}

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** Records name callers and routes: for the owner of the file only. */
const MODE = 0o600;

/** Throws where the file can't be opened: no folder, no permission, a FIFO that nobody reads. */
export const openFile = (path: string): Output => fileOutput(openSync(path, APPEND, MODE));

export function reopenFile(path: string, done: (error: NodeJS.ErrnoException | null, output?: Output) => void): void {
  open(path, APPEND, MODE, (error, fd) => {
    if (error !== null) done(error);
    else done(null, fileOutput(fd));
  });
}

export function standardOutput(): Output {
  const kind = fstatSync(1);
  if (!kind.isFIFO() && !kind.isSocket()) return { ...fileOutput(1), close: () => undefined };
  // Errors arrive at the callback of the write; without a listener they would end the process as well.
  process.stdout.on('error', () => undefined);
  return {
    put: (bytes, done) => process.stdout.write(bytes, (error) => done(error ?? null, error ? 0 : bytes.length)),
    close: () => undefined,
  };
}

const fileOutput = (fd: number): Output => ({
  put: (bytes, done) => write(fd, bytes, (error, count) => done(error, count)),
  // A failing close has nobody left to tell.
  close: () => close(fd, () => undefined),
});
