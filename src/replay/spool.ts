/**
 * Recorded checks → NDJSON files in a folder, off the hot path. In: lines. Out: `checks-TIME-N.ndjson`, readable by their
 * owner only; the oldest goes when there would be too many, also those of earlier runs, so that the folder has a bound.
 * Writing never waits and never throws: what does not fit is dropped, and told once for each time it begins.
 */
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSink } from '../audit/sink.js';
import type { AuditSink } from '../audit/sink.js';

export interface Spool {
  write(line: string): void;
  close(): Promise<void>;
}

export interface SpoolOptions {
  readonly folder: string;
  readonly maxFiles: number;
  /** Of each file. */
  readonly maxBytes: number;
  /** For the names of files, ms since 1970. */
  readonly now: number;
  readonly onProblem: (problem: string) => void;
}

/** Lines that wait for a slow disk, bytes. */
const MAX_BUFFER = 8 * 1024 * 1024;
const OURS = /^checks-\d{15}-\d{6}\.ndjson$/;

/** Throws one sentence where the folder can not be written. */
export function openSpool(options: SpoolOptions): Spool {
  const { folder, maxBytes } = options;
  // Records name callers and routes: for the owner only (of a folder that is there already, that is its owner's matter).
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stamp = String(options.now).padStart(15, '0');
  const closing = new Set<Promise<void>>();
  let number = 0;
  let bytes = 0;
  let sink = next();

  function next(): AuditSink {
    removeOldest(options);
    number += 1;
    const path = join(folder, `checks-${stamp}-${String(number).padStart(6, '0')}.ndjson`);
    bytes = 0;
    const opened = openSink({ kind: 'file', path }, sinkOptions(options));
    chmodSync(path, 0o600);
    return opened;
  }

  function retire(old: AuditSink): void {
    const closed = old.close().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  return {
    write(line) {
      const length = Buffer.byteLength(line) + 1;
      // Longer than a whole file: a bound that gives way is none.
      if (length > maxBytes) return;
      if (bytes + length > maxBytes) {
        try {
          const old = sink;
          sink = next();
          retire(old);
        } catch (error) {
          options.onProblem(error instanceof Error ? error.message : String(error));
          return;
        }
      }
      bytes += length;
      sink.write(line);
    },
    async close() {
      retire(sink);
      await Promise.all(closing);
    },
  };
}

const sinkOptions = ({ onProblem }: SpoolOptions) => ({
  maxBuffer: MAX_BUFFER,
  onDropped: () => undefined,
  onFailing: (failing: boolean, error?: Error) => {
    if (failing) onProblem(error?.message ?? 'the buffer is full');
  },
});

/** Makes room for one more. Names sort by their age. */
function removeOldest({ folder, maxFiles }: SpoolOptions): void {
  const files = readdirSync(folder)
    .filter((name) => OURS.test(name))
    .sort();
  for (const name of files.slice(0, Math.max(0, files.length - maxFiles + 1)))
    rmSync(join(folder, name), { force: true });
}
