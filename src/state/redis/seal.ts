/**
 * What may stand in a store that others can read. In: names and values. Out: keyed digests of the names, and values that
 * only a holder of the same secret can read or write. No token, token name or identity leaves this process otherwise.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

export interface Seal {
  /** HMAC-SHA-256 (base64url) of a name of one kind. */
  readonly nameOf: (kind: 'pin' | 'use', name: string) => string;
  /** AES-256-GCM; a value that was sealed for one key of the store opens at no other. */
  readonly seal: (key: string, text: string) => string;
  /** Undefined where it was not sealed by a holder of the secret, or for another key. */
  readonly open: (key: string, sealed: string) => string | undefined;
}

const CIPHER = 'aes-256-gcm';
const [NONCE, TAG] = [12, 16];

/** `secret`: any bytes; what depends on it is as strong as it is. */
export function createSeal(secret: Uint8Array): Seal {
  const derived = (use: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `firsthand store ${use}`, 32));
  const [names, values] = [derived('names'), derived('values')];
  return {
    nameOf: (kind, name) => createHmac('sha256', names).update(`${kind}\n${name}`).digest('base64url'),
    seal(key, text) {
      // Random nonces of 96 bits: far fewer than 2^32 pins are ever written with one secret (SP 800-38D §8.3).
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv(CIPHER, values, nonce).setAAD(Buffer.from(key));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(key, sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < NONCE + TAG) return undefined;
      const decipher = createDecipheriv(CIPHER, values, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(Buffer.from(key)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
