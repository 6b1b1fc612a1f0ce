/**
 * What may stand in a store that others can read. In: names and values. Out: keyed digests of the names, and values that
 * only a holder of the same secret can read or write. No token, token name or identity leaves this process otherwise.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

export interface Seal {
  /** HMAC-SHA-256 (base64url) of a name of one kind. */
  readonly nameOf: (kind: 'pin' | 'use' | 'revoked', name: string) => string;
  /** AES-256-GCM; the same text for the same key gives the same, and it opens at no other key. */
  readonly seal: (key: string, text: string) => string;
  /** Undefined where it was not sealed by a holder of the secret, or for another key. */
  readonly open: (key: string, sealed: string) => string | undefined;
}

const CIPHER = 'aes-256-gcm';
const [NONCE, TAG] = [12, 16];

/** `secret`: any bytes; what depends on it is as strong as it is. */
export function createSeal(secret: Uint8Array): Seal {
  const derived = (use: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `firsthand store ${use}`, 32));
  const [names, values, nonces] = [derived('names'), derived('values'), derived('nonces')];
  return {
    nameOf: (kind, name) => createHmac('sha256', names).update(`${kind}\n${name}`).digest('base64url'),
    seal(key, text) {
      // Made from what is sealed, so that one nonce never serves two texts, and a guard can tell what it wrote.
      const nonce = createHmac('sha256', nonces).update(`${key}\n${text}`).digest().subarray(0, NONCE);
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
