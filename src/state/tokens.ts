/**
 * Tokens whose signature was verified before, by the exact bytes of the whole token, where it was found, and the version of
 * the keys. Never by its name: a tampered twin would be served. Concurrent misses for one token are verified once, and misses
 * for many take turns. Refuses (deadline_exceeded) where too many wait for theirs.
 */
import { hash } from 'node:crypto';
import type { TokenText } from '../model/evidence.js';
import type { FindKeys } from '../model/ports.js';
import type { Reason } from '../model/reasons.js';
import { refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import type { IssuerSettings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
import { createLru } from './lru.js';
import { noTurns } from './turns.js';
import type { Turns } from './turns.js';

/** Known at once, or as soon as it is. */
type Soon<T> = T | Promise<T>;

type Verify<Signed> = (
  token: TokenText,
  issuers: readonly IssuerSettings[],
  findKeys: FindKeys,
) => Soon<Result<Signed>>;

export interface Tokens<Signed> {
  readonly verify: (
    snapshot: Snapshot,
  ) => (token: TokenText, issuers: readonly IssuerSettings[]) => Soon<Result<Signed>>;
  readonly size: () => number;
}

/**
 * That there were no keys says nothing about the token; an unknown key must be asked for again, so that its source is too.
 */
const FORGOTTEN: ReadonlySet<Reason> = new Set<Reason>(['keys_unavailable', 'token_key_unknown']);

export function createTokens<Signed>(verify: Verify<Signed>, entries: number, turns: Turns = noTurns): Tokens<Signed> {
  const known = createKnown<Signed>(entries);
  return {
    size: known.size,
    verify: (snapshot) => (token, issuers) => {
      const key = keyOf(snapshot, token);
      const found = known.find(key);
      if (found !== undefined) return found;
      const turn = turns.wait();
      if (turn === 'full') return tooMany;
      const verifyNow = (): Soon<Result<Signed>> => {
        turns.taken();
        return verify(token, issuers, snapshot.findKeys);
      };
      return known.keep(key, turn === undefined ? verifyNow() : turn.then(verifyNow));
    },
  };
}

/** A token's place is the name of a header, its text is base64url with dots: neither holds a line break. */
const keyOf = ({ versions }: Snapshot, { place, text }: TokenText): string =>
  hash('sha256', `${versions.keys}\n${place}\n${text}`, 'base64');

const tooMany = refuse('deadline_exceeded', 'too many signatures are waiting to be verified');

interface Known<Signed> {
  readonly find: (key: string) => Soon<Result<Signed>> | undefined;
  readonly keep: (key: string, verified: Soon<Result<Signed>>) => Soon<Result<Signed>>;
  readonly size: () => number;
}

/**
 * Anybody can make tokens that are wrong, so these have a table of their own and push out each other alone. What is being
 * verified is in none: turns.ts and check.ts bound how many that are.
 */
function createKnown<Signed>(entries: number): Known<Signed> {
  const right = createLru<string, Result<Signed>>(entries);
  const wrong = createLru<string, Result<Signed>>(entries);
  const verifying = new Map<string, Promise<Result<Signed>>>();
  const settle = (key: string, result: Result<Signed>): void => {
    if (result.ok) right.set(key, result);
    else if (!FORGOTTEN.has(result.reason)) wrong.set(key, result);
  };
  return {
    find: (key) => right.get(key) ?? wrong.get(key) ?? verifying.get(key),
    keep(key, verified) {
      if (!(verified instanceof Promise)) settle(key, verified);
      else {
        verifying.set(key, verified);
        // A broken verification is told to those who asked for it; the next one tries again.
        const settled = verified.then((result) => settle(key, result)).catch(() => undefined);
        void settled.then(() => verifying.delete(key));
      }
      return verified;
    },
    size: () => right.size + wrong.size,
  };
}
