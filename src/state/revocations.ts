/**
 * The index of what is revoked, asked for every decision, also on each cache hit: it only grows and expires, and an entry
 * ends only by its time or an `unrevoke` (contract section 9). In: the names of a call. Out: nothing, or a refusal. A name
 * is refused where any layer says so: this guard's own (the file, incidents), or the store that guards share.
 */
import { trustDomainOf } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import type { IsRevoked, RevocableNames, RevocationStanding } from '../model/ports.js';
import type { Reason } from '../model/reasons.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal } from '../model/result.js';
import type { Revocation, RevocationOrder, RevocationType, RevokedName } from '../model/revocation.js';
import { digestOf } from './revocation/digest.js';
import { createLayer } from './revocation/layer.js';
import type { Layer } from './revocation/layer.js';
import { patternFor } from './revocation/shapes.js';

export { NEEDS_ISSUER, REVOCATION_TYPES } from '../model/revocation.js';
export type { Revocation, RevocationType } from '../model/revocation.js';

/** Why a call is refused: the name that was found, and what was said about it. */
export interface Cause {
  /** As it was revoked: of an identity maybe the pattern. */
  readonly name: RevokedName;
  readonly reason: Reason;
  readonly order: RevocationOrder | undefined;
}

export interface Revocations {
  readonly isRevoked: IsRevoked;
  readonly standing: RevocationStanding;
  /** What `isRevoked` refuses, with its words. */
  cause(names: RevocableNames, now: number): Cause | undefined;
  /** Whether that was news. Never shortens one that is in force. */
  revoke(revocation: Revocation, order?: RevocationOrder): boolean;
  /** Whether there was one to end. */
  unrevoke(name: RevokedName, order?: RevocationOrder): boolean;
  /** Live and expired entries of one type. */
  size(type: RevocationType): number;
  inForce(now: number): ReadonlyMap<RevocationType, number>;
  /** Until when a name is refused, ms; -Infinity where it is not. */
  until(name: RevokedName): number;
  /** The same of this guard's own layer, without the store. */
  ownUntil(name: RevokedName): number;
  /** ms since the shared store was last heard; 0 where there is none, so that nothing can be missed. */
  silence(now: number): number;
}

/** The layer of a store that guards share. */
export interface SharedLayer {
  readonly layer: Layer;
  readonly silence: (now: number) => number;
}

/** `now`: what ended long before it may be forgotten. */
export function createRevocations(shared?: SharedLayer, now: () => number = () => 0): Revocations {
  const own = createLayer();
  const layers = shared === undefined ? [own] : [own, shared.layer];
  let orders = 0;
  const next = (kind: 'revoke' | 'unrevoke', until: number) => ({ kind, until, order: (orders += 1) });
  return {
    isRevoked(names, at) {
      const cause = causeOf(layers, names, at);
      return cause === undefined ? nothing : revoked(cause);
    },
    standing: () => layers.reduce((sum, { added }) => sum + added(), 0),
    cause: (names, at) => causeOf(layers, names, at),
    revoke(revocation, order) {
      const digest = digestOf(revocation);
      if (own.table.untilOf(digest) >= revocation.until) return false;
      const shaped = order ?? { kind: 'revoke', at: 0, revocation, reason: undefined, by: undefined };
      own.put(revocation.type, digest, next('revoke', revocation.until), { order: shaped }, now());
      return true;
    },
    unrevoke(name, order) {
      const digest = digestOf(name);
      if (own.table.untilOf(digest) === -Infinity) return false;
      own.put(name.type, digest, next('unrevoke', -Infinity), { order }, now());
      return true;
    },
    size: (type) => layers.reduce((sum, { table }) => sum + table.size(type), 0),
    inForce: (at) => sumOf(layers.map(({ table }) => table.inForce(at))),
    until: (name) => Math.max(...layers.map(({ table }) => table.untilOf(digestOf(name)))),
    ownUntil: (name) => own.table.untilOf(digestOf(name)),
    silence: shared?.silence ?? (() => 0),
  };
}

const nothing = ok(undefined);

function sumOf(counts: readonly ReadonlyMap<RevocationType, number>[]): ReadonlyMap<RevocationType, number> {
  const sum = new Map<RevocationType, number>();
  for (const each of counts) for (const [type, count] of each) sum.set(type, (sum.get(type) ?? 0) + count);
  return sum;
}

function causeOf(layers: readonly Layer[], names: RevocableNames, now: number): Cause | undefined {
  for (const [name, reason] of namesOf(names, layers)) {
    if (!layers.some(({ holds }) => holds(name.type))) continue;
    const digest = digestOf(name);
    const found = layers.find(({ isLive }) => isLive(digest, now));
    if (found !== undefined) return { name, reason, order: found.words(digest) };
  }
  return undefined;
}

function revoked({ name: { type }, reason, order }: Cause): Refusal {
  if (order === undefined || order.kind === 'unrevoke') return refuse(reason, `the ${type} is revoked`);
  const by = order.by === undefined ? '' : ` by ${order.by}`;
  const why = order.reason === undefined ? '' : `: ${order.reason}`;
  const since = order.at === 0 ? '' : ` since ${new Date(order.at).toISOString()}`;
  return refuse(reason, `the ${type} is revoked${since}${by}${why}`);
}

type Named = readonly [name: RevokedName, reason: Reason];
const named = (type: RevocationType, value: string, reason: Reason, issuer?: string): Named => [
  { type, value, issuer },
  reason,
];

/** Everything of the call that can be revoked, with the reason to give: the token first, then who, then with what. */
function* namesOf({ token, identities, certificates }: RevocableNames, layers: readonly Layer[]): Generator<Named> {
  if (token !== undefined) {
    const { issuer, kid, subject, jti, txn } = token.token;
    yield named('token', token.name, 'token_revoked');
    if (jti !== undefined) yield named('jti', jti, 'token_revoked', issuer.issuer);
    if (subject !== undefined) yield named('subject', subject, 'token_revoked', issuer.issuer);
    yield named('key', kid, 'token_revoked', issuer.issuer);
    yield named('issuer', issuer.issuer, 'token_revoked');
    if (txn !== undefined) yield named('txn', txn, 'transaction_revoked');
  }
  for (const id of token?.identity === undefined ? identities : [...identities, token.identity]) {
    yield* namesOfIdentity(id, layers);
    yield named('trust_domain', trustDomainOf(id), 'identity_revoked');
  }
  for (const { sha256, serial, issuer } of certificates) {
    yield named('certificate', sha256, 'certificate_revoked');
    if (serial !== undefined && issuer !== undefined) yield named('serial', serial, 'certificate_revoked', issuer);
  }
}

function* namesOfIdentity(id: SpiffeId, layers: readonly Layer[]): Generator<Named> {
  yield named('identity', id, 'identity_revoked');
  for (const { shapes } of layers)
    for (const shape of shapes) {
      const pattern = patternFor(id, shape);
      if (pattern !== undefined) yield named('identity', pattern, 'identity_revoked');
    }
}
