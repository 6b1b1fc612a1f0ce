/**
 * In: a verified token, an origin. Out: whether the operator lets this origin present tokens of this issuer at all, and
 * with whom it may share one. Does NOT check what ties the token to it: see binding.ts.
 */
import { trustDomainOf } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import type { VerifiedOrigin } from '../model/origin.js';
import { isLiteral, matchesId } from '../model/patterns.js';
import type { IdPattern } from '../model/patterns.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import type { IssuerSettings } from '../model/settings.js';
import type { VerifiedToken } from '../model/token.js';

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

function matchesAny(patterns: readonly IdPattern[], id: SpiffeId, guard: SpiffeId | undefined): boolean {
  const own = guard === undefined ? undefined : trustDomainOf(guard);
  return patterns.some((pattern) => matchesId(pattern, id, own));
}
