/** Which program this is. In: package.json and the program's own files. Out: one line. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `firsthand 0.1.0 (build 3f2a9c01b7de, node v20.20.2)`; the number stands in package.json alone. */
export const version = (): string => `firsthand ${packageVersion()} (build ${buildDigest()}, node ${process.version})`;

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

/**
 * The first 12 hex digits of SHA-256 over the program's files, names and contents, in the order of their names. No build
 * step has to write it down, so it cannot be wrong about what runs: who changed one byte has another build.
 */
export function buildDigest(folder = fileURLToPath(new URL('.', import.meta.url))): string {
  const digest = createHash('sha256');
  for (const name of filesIn(folder))
    digest
      .update(`${name}\0`)
      .update(readFileSync(join(folder, name)))
      .update('\0');
  return digest.digest('hex').slice(0, 12);
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name))
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
