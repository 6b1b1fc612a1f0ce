/**
 * Tokens whose signature was verified before, by the exact bytes of the whole token, where it was found, and the version of
 * the keys. Never by its name: a tampered twin would be served. Concurrent misses for one token are verified once.
 */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TokenText } from '../model/evidence.js';
import type { FindKeys } from '../model/ports.js';
import type { Reason } from '../model/reasons.js';
import type { Result } from '../model/result.js';
import type { IssuerSettings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';

type Verify<Signed> = (
  token: TokenText,
  issuers: readonly IssuerSettings[],
  findKeys: FindKeys,
) => Promise<Result<Signed>>;

export interface Tokens<Signed> {
  readonly verify: (
    snapshot: Snapshot,
  ) => (token: TokenText, issuers: readonly IssuerSettings[]) => Promise<Result<Signed>>;
  readonly size: () => number;
}

const FORGOTTEN: ReadonlySet<string> = new Set<Reason>(['keys_unavailable', 'token_key_unknown']);

export function createTokens<Signed>(verify: Verify<Signed>, entries: number): Tokens<Signed> {
  const known = new LRUCache<string, Promise<Result<Signed>>>({ max: entries });
  return {
    size: () => known.size,
    verify: (snapshot) => (token, issuers) => {
      const key = hash('sha256', JSON.stringify([snapshot.versions.keys, token.place, token.text]), 'base64');
      const found = known.get(key);
      if (found !== undefined) return found;
      const verifying = verify(token, issuers, snapshot.findKeys);
      known.set(key, verifying);
      const forget = (): void => void (known.peek(key) === verifying && known.delete(key));
      // A broken verification, or one that found no keys, says nothing about the token; an unknown key must be asked for
      // again, so that its source is too.
      void verifying.then((result) => !result.ok && FORGOTTEN.has(result.reason) && forget(), forget);
      return verifying;
    },
  };
}
