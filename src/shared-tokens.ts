/**
 * What the tokens of one caller have in common, kept once. In: what an issuer signed. Out: the same in every value; scopes and
 * claims that are equal texts are one text. Decides nothing.
 * Field by field: a literal that begins with a spread gets a hidden class of its own, which costs more than the object.
 */
import type { Claims } from './model/evidence.js';
import { ok } from './model/result.js';
import type { Result } from './model/result.js';
import type { VerifiedToken } from './model/token.js';
import type { verifyTokenSignature } from './origin/token.js';
import type { SignedToken } from './origin/token-claims.js';
import type { SharedTexts } from './state/shared-texts.js';

type Verify = typeof verifyTokenSignature;

export function sharingTexts(verify: Verify, texts: SharedTexts): Verify {
  const share = (signed: Result<SignedToken>): Result<SignedToken> =>
    signed.ok ? ok({ untimed: sharedToken(signed.value.untimed, texts), notBefore: signed.value.notBefore }) : signed;
  return (...asked) => {
    const signed = verify(...asked);
    return signed instanceof Promise ? signed.then(share) : share(signed);
  };
}

function sharedToken(token: VerifiedToken, texts: SharedTexts): VerifiedToken {
  const { name, issuer, kid, subject, jti, txn, issuedAt, expires, scopes, claims, warnAfter, actors } = token;
  return {
    name,
    issuer,
    kid: texts.text(kid),
    subject: subject === undefined ? undefined : texts.text(subject),
    jti,
    txn,
    issuedAt,
    expires,
    scopes: texts.list(scopes),
    warnAfter,
    actors: texts.list(actors),
    claims: sharedClaims(claims, texts),
  };
}

/** Without a prototype, as they came. */
function sharedClaims(claims: Claims, { text }: SharedTexts): Claims {
  const shared = Object.setPrototypeOf({}, null) as Record<string, unknown>;
  for (const name of Object.keys(claims)) {
    const value = claims[name];
    shared[name] = typeof value === 'string' ? text(value) : value;
  }
  return shared;
}
