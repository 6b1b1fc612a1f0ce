/**
 * In: a verified token, an origin. Out: whether the operator lets this origin present tokens of this issuer at all, with
 * whom it may share one, and what a pin remembers it by. Does NOT check what ties the token to it: see binding.ts.
 */
import { createHash } from 'node:crypto';
import { trustDomainOf } from '../model/ids.js';
import type { Sha256Hex, SpiffeId } from '../model/ids.js';
import type { VerifiedOrigin, WorkloadOrigin } from '../model/origin.js';
import { isLiteral, matchesId } from '../model/patterns.js';
import type { IdPattern } from '../model/patterns.js';
import type { Presenter } from '../model/pin.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import type { IssuerSettings } from '../model/settings.js';
import type { VerifiedToken } from '../model/token.js';
import { readX509 } from '../x509/x509.js';

/** Outside has no identity that a pattern could match; its token must satisfy the binding instead. */
export function mayPresent(token: VerifiedToken, origin: VerifiedOrigin, guard: SpiffeId | undefined): Result<void> {
  if (origin.kind === 'outside') return ok(undefined);
  if (matchesAny(token.issuer.presenters, origin.id, guard)) return ok(undefined);
  return refuse('presenter_not_allowed', `no pattern in "presenters" of ${token.issuer.issuer} matches ${origin.id}`);
}

/** Two workloads may present one token only where the operator wrote both down literally; a pattern is no such word. */
export function sharesToken(
  issuer: IssuerSettings,
  presenter: SpiffeId,
  guard: SpiffeId | undefined,
): (other: SpiffeId) => boolean {
  const literal = issuer.presenters.filter(isLiteral);
  const listed = matchesAny(literal, presenter, guard);
  return (other) => listed && matchesAny(literal, other, guard);
}

/** With `pinScope: workload` each guarded workload has its own pin of a token; with `fleet` there is one. */
export function pinName({ name, issuer }: VerifiedToken, guard: SpiffeId | undefined): string {
  return issuer.pinScope === 'fleet' ? name : `${name} ${guard ?? ''}`;
}

/**
 * What a pin remembers the origin by. With `pinBy: instance` that is also the key of its certificate, and somebody must
 * have shown it: a forwarder that vouches for a Hash alone says nothing about the key.
 */
export function presenterOf({ pinBy }: IssuerSettings, { id, certificate }: WorkloadOrigin): Result<Presenter> {
  if (pinBy === 'origin') return ok({ id, key: undefined });
  const read = certificate && readX509(certificate.der);
  if (read?.ok !== true) return keyUnknown;
  return ok({ id, key: createHash('sha256').update(read.value.spki).digest('hex') as Sha256Hex });
}

const keyUnknown = refuse(
  'binding_unavailable',
  "pinBy: instance needs the key of the origin's certificate, and nobody shows the certificate",
  "the forwarder must send the origin's certificate (cert: true in its set_current_client_cert_details)",
);

function matchesAny(patterns: readonly IdPattern[], id: SpiffeId, guard: SpiffeId | undefined): boolean {
  const own = guard === undefined ? undefined : trustDomainOf(guard);
  return patterns.some((pattern) => matchesId(pattern, id, own));
}
