/** The secret that all guards of a store have. Throws one sentence where its file is not usable. */
import { readFileSync } from 'node:fs';

/** Bytes: less could be guessed. */
const LEAST_KEY = 32;

/** Without a file everybody knows the key: names are digests all the same, and what is refused stays the same. */
export function secretOf(keyFile: string | null): Buffer {
  if (keyFile === null) return Buffer.from('firsthand: no keyFile');
  const secret = Buffer.from(readFileSync(keyFile, 'utf8').trim());
  if (secret.length >= LEAST_KEY) return secret;
  throw new Error(`${keyFile}: expected a secret of at least ${LEAST_KEY} bytes, got ${secret.length}`);
}
