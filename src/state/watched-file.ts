/**
 * One file that is read whole, checked, and only then replaces what was loaded before: a bad one keeps the last good.
 * Files are polled by what their path leads to now, which follows renames, symlinks and the kubelet's `..data` swap alike.
 * A change counts when two looks, some time apart, saw the same file, so that one that is still being written does not.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Parse, Parsed, Source } from './source.js';

export interface WatchedFile<T> extends Source<T> {
  /** Looks once; 'loaded' or 'refused' where a change was taken in. `force` (SIGHUP) does not wait for a second look. */
  poll(now: number, force?: boolean): Promise<'same' | 'loaded' | 'refused'>;
}

/** Who writes a file in pieces takes less between two of them, ms. */
const SETTLES = 200;

/** No file that the configuration names is larger: bounded before it is read. */
const MAX_BYTES = 16 * 1024 * 1024;

/** `maxLastGood`: how long the last good value goes on after the file went bad, ms. */
export function watchFile<T>(file: string, parse: Parse<T>, maxLastGood: number): WatchedFile<T> {
  let value: T | undefined;
  let loadedAt = -Infinity;
  let bad: { readonly problem: string; readonly since: number } | undefined;
  let taken: string | undefined;
  let seen: { readonly signature: string; readonly at: number } | undefined;

  const take = async (now: number): Promise<'loaded' | 'refused'> => {
    const parsed = await readAndParse(file, parse);
    if (!parsed.ok) {
      bad = { problem: parsed.problem, since: bad?.since ?? now };
      return 'refused';
    }
    value = parsed.value;
    loadedAt = now;
    bad = undefined;
    return 'loaded';
  };

  return {
    kind: 'file',
    from: file,
    current: (now) => (bad !== undefined && now - bad.since > maxLastGood ? undefined : value),
    problem: () => bad?.problem,
    loadedAt: () => loadedAt,
    async poll(now, force = false) {
      const signature = await signatureOf(file);
      if (seen?.signature !== signature || now < seen.at) seen = { signature, at: now };
      const settled = force || taken === undefined || now - seen.at >= SETTLES;
      if (!settled || (!force && signature === taken)) return 'same';
      taken = signature;
      return take(now);
    },
  };
}

/** Changes with the file that the path leads to; 'missing' where it leads nowhere. */
async function signatureOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return 'missing';
  }
}

async function readAndParse<T>(file: string, parse: Parse<T>): Promise<Parsed<T>> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) return { ok: false, problem: `the file has ${size} bytes, at most ${MAX_BYTES} are read` };
    return await parse(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)));
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'the file does not exist';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'the file is not UTF-8';
  return error instanceof Error ? error.message : String(error);
}
