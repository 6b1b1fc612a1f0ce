/**
 * What the kind of a token demands beyond RFC 7519. The kind is what the operator wrote into the issuer's entry, never the
 * token's own shape (RFC 8725 §3.12). In: signed claims, the entry. Out: nothing, or what is missing; for a Kubernetes
 * token when it should have been renewed. Does NOT compare who presents it: see identity-claim.ts and binding.ts.
 */
import type { Claims } from '../model/evidence.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';
import type { IssuerSettings } from '../model/settings.js';
import { milliseconds } from './numeric-date.js';

type Kind = Pick<IssuerSettings, 'types' | 'identity'>;

/**
 * RFC 9068 §2.2; iss, aud, exp and iat are demanded of every token. Its client_id is not: a resource server need not look
 * at it (§4), and where `identity` does, a token without one names nobody.
 */
const OF_ACCESS_TOKENS = ['sub', 'jti'] as const;

/** An entry that takes `at+jwt` and nothing else asks for the profile, and not only for the word. */
export const isAccessTokenProfile = ({ types }: Pick<Kind, 'types'>): boolean =>
  types.length === 1 && types[0] === 'at+jwt';

export function unmetKind(claims: Claims, kind: Kind): Refusal | undefined {
  if (!isAccessTokenProfile(kind)) return undefined;
  const missing = OF_ACCESS_TOKENS.find((name) => typeof claims[name] !== 'string' || claims[name] === '');
  if (missing === undefined) return undefined;
  return refuse(
    'token_malformed',
    `"${missing}" is missing or no text: types: [at+jwt] takes access tokens of RFC 9068 alone`,
    `an access token of RFC 9068 needs "${missing}"`,
  );
}

/**
 * Kubernetes gives some tokens a far `exp` and says in `warnafter` when they should have been renewed. ms; undefined where
 * the token has none. What is late is told and not refused: `maxLifetime` is what bounds `exp`.
 */
export function warnAfterOf(claims: Claims, { identity }: Kind): Result<number | undefined> {
  const details = identity?.kind === 'kubernetes' ? claims['kubernetes.io'] : undefined;
  if (typeof details !== 'object' || details === null || !('warnafter' in details)) return ok(undefined);
  const time = milliseconds(details.warnafter);
  return time === undefined ? refuse('token_malformed', '"warnafter" is no number of seconds') : ok(time);
}
