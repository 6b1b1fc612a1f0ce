/**
 * What a command may touch of the process it runs in, so that its tests need none. Results go to stdout, everything else
 * to stderr; the exit code is what `run` gives back.
 */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Env } from '../config/interpolate.js';

export interface Io {
  /** As given: a command ends its own lines. */
  stdout(text: string): void;
  stderr(text: string): void;
  /** Everything, as UTF-8. */
  stdin(): Promise<string>;
  /** Everything, as bytes; where it is left out the text of `stdin` is taken. */
  stdinBytes?(): Promise<Uint8Array>;
  readonly env: Env;
  /** Whether stdout is one: colours. */
  readonly isTerminal: boolean;
  /** ms since 1970. */
  readonly now: () => number;
}

export const processIo = (): Io => ({
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stdin: async () => (await buffer(process.stdin)).toString('utf8'),
  stdinBytes: () => buffer(process.stdin),
  env: process.env,
  isTerminal: process.stdout.isTTY === true,
  now: Date.now,
});

/** One line for a person: what is wrong, and the fix. */
export const complain = (io: Pick<Io, 'stderr'>, problem: string): void =>
  io.stderr(`firsthand: ${problem.replaceAll(/\s*\n\s*/g, ' ')}\n`);

/** Exit code of whatever could not be read. */
export const UNREADABLE = 2;

export type Input =
  { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly problem: string };

/** The bytes of a file, or of stdin for `-`; or the system's own words for what is wrong. */
export async function readInput(file: string, io: Io): Promise<Input> {
  if (file === '-')
    return {
      ok: true,
      bytes: io.stdinBytes === undefined ? Buffer.from(await io.stdin(), 'utf8') : await io.stdinBytes(),
    };
  try {
    return { ok: true, bytes: await readFile(file) };
  } catch (error) {
    return { ok: false, problem: `${file}: ${error instanceof Error ? systemWords(error.message) : 'not readable'}` };
  }
}

/** `ENOENT: no such file or directory, open 'x'` → `no such file or directory`. */
export const systemWords = (message: string): string => /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
