/**
 * The index of what is revoked, asked for every decision, also on each cache hit: it only grows and expires, and an entry
 * ends only by its time or an `unrevoke` (contract section 9).
 */
import { trustDomainOf } from '../model/ids.js';
import type { IsRevoked, RevocableNames, RevocationStanding } from '../model/ports.js';
import type { Reason } from '../model/reasons.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal } from '../model/result.js';

export const REVOCATION_TYPES = [
  'token',
  'jti',
  'subject',
  'identity',
  'certificate',
  'serial',
  'key',
  'txn',
  'issuer',
  'trust_domain',
] as const;
export type RevocationType = (typeof REVOCATION_TYPES)[number];

/** Types whose value is a name only within an issuer. */
export const NEEDS_ISSUER: ReadonlySet<RevocationType> = new Set(['jti', 'subject', 'serial', 'key']);

export interface Revocation {
  readonly type: RevocationType;
  readonly value: string;
  /** Of the token, or (serial) the certificate's issuer name. */
  readonly issuer: string | undefined;
  /** ms, exclusive; Infinity without an end. */
  readonly until: number;
}

export interface Revocations {
  readonly isRevoked: IsRevoked;
  readonly standing: RevocationStanding;
  /** Whether that was news. Never shortens one that is in force. */
  revoke(revocation: Revocation): boolean;
  /** Whether there was one to end. */
  unrevoke(revocation: Pick<Revocation, 'type' | 'value' | 'issuer'>): boolean;
  /** Live and expired entries of one type. */
  size(type: RevocationType): number;
}

type Name = readonly [type: RevocationType, value: string, issuer?: string];

export function createRevocations(): Revocations {
  const index = new Map<RevocationType, Map<string, number>>(REVOCATION_TYPES.map((type) => [type, new Map()]));
  const isLive = ([type, value, issuer]: Name, now: number): boolean =>
    (index.get(type)?.get(keyOf(value, issuer)) ?? -Infinity) > now;
  let added = 0;
  return {
    isRevoked: (names, now) => {
      for (const [name, reason] of namesOf(names)) if (isLive(name, now)) return revoked(name, reason);
      return ok(undefined);
    },
    standing: () => added,
    revoke({ type, value, issuer, until }) {
      const key = keyOf(value, issuer);
      const entries = index.get(type);
      if (entries === undefined || (entries.get(key) ?? -Infinity) >= until) return false;
      entries.set(key, until);
      added += 1;
      return true;
    },
    unrevoke: ({ type, value, issuer }) => index.get(type)?.delete(keyOf(value, issuer)) ?? false,
    size: (type) => index.get(type)?.size ?? 0,
  };
}

/** JSON keeps the two texts apart whatever they hold. */
const keyOf = (value: string, issuer: string | undefined): string =>
  issuer === undefined ? value : JSON.stringify([issuer, value]);

const revoked = ([type]: Name, reason: Reason): Refusal => refuse(reason, `the ${type} is revoked`);

/** Everything of the call that can be revoked, with the reason to give: the token first, then who, then with what. */
function* namesOf({ token, identities, certificates }: RevocableNames): Generator<readonly [Name, Reason]> {
  if (token !== undefined) {
    const { issuer, kid, subject, jti, txn } = token.token;
    yield [['token', token.name], 'token_revoked'];
    if (jti !== undefined) yield [['jti', jti, issuer.issuer], 'token_revoked'];
    if (subject !== undefined) yield [['subject', subject, issuer.issuer], 'token_revoked'];
    yield [['key', kid, issuer.issuer], 'token_revoked'];
    yield [['issuer', issuer.issuer], 'token_revoked'];
    if (txn !== undefined) yield [['txn', txn], 'transaction_revoked'];
  }
  for (const id of token?.identity === undefined ? identities : [...identities, token.identity]) {
    yield [['identity', id], 'identity_revoked'];
    yield [['trust_domain', trustDomainOf(id)], 'identity_revoked'];
  }
  for (const { sha256, serial, issuer } of certificates) {
    yield [['certificate', sha256], 'certificate_revoked'];
    if (serial !== undefined && issuer !== undefined) yield [['serial', serial, issuer], 'certificate_revoked'];
  }
}
