import type { Instant } from '../model/instant.js';
import type { VerifiedOrigin } from '../model/origin.js';
import type { Line } from '../model/policy.js';
import { refuse } from '../model/result.js';
import type { Credential } from '../model/token.js';
import { nameOf } from './missing.js';
import type { Missing } from './missing.js';
import { dateText, durationText } from '../model/duration.js';

/**
 * What a line asks of a verified token: its scopes, its age, how it is tied to its presenter. Out: the first thing that
 * is missing. `held` are the token's scopes, cut to the ceilings.
 */
export function unmetScopes({ number, scopes }: Line, held: readonly string[]): Missing {
  if (scopes.kind !== 'all' && scopes.kind !== 'any') return undefined;
  const isHeld = (scope: string): boolean => held.includes(scope);
  const enough = scopes.kind === 'all' ? scopes.scopes.every(isHeld) : scopes.scopes.some(isHeld);
  if (enough) return undefined;
  const needed = scopes.scopes.join(scopes.kind === 'all' ? '+' : '|');
  const hint = `token has ${shown(held)}; line ${String(number)} needs ${needed}`;
  return refuse('scope_missing', hint, hint);
}

/** Scopes come from a token: at most a few, and only those that are scope-tokens (RFC 6749 §3.3), reach a hint. */
const SHOWN = 8;
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;

function shown(scopes: readonly string[]): string {
  const fit = scopes.filter((scope) => SCOPE_TOKEN.test(scope)).slice(0, SHOWN);
  if (fit.length === 0) return scopes.length === 0 ? 'no scope' : 'other scopes';
  return fit.length < scopes.length ? `${fit.join(' ')} and others` : fit.join(' ');
}

/** A token may be as old as the line says, to the millisecond; the first one after that ends a cached decision. */
export function unmetAge(line: Line, { token }: Credential, instant: Instant): Missing {
  const { maxAge } = line.conditions;
  if (maxAge === null) return undefined;
  const tooOld = Math.floor(token.issuedAt + maxAge) + 1;
  if (!Number.isNaN(tooOld) && !instant.reached(tooOld, 'token.age')) return undefined;
  const most = durationText(maxAge);
  return refuse(
    'token_too_old',
    // A date and not the age: what is said must be as true of a cached answer.
    `the token was issued at ${dateText(token.issuedAt)}, longer ago than the ${most} that ${nameOf(line)} allows`,
    `${nameOf(line)} takes tokens of at most ${most}; get a new one`,
  );
}

export function unmetBound(line: Line, { bound }: Credential, { forwarders }: VerifiedOrigin): Missing {
  const demanded = line.conditions.bound;
  if (demanded === null) return undefined;
  const enough = bound.method === 'exact' || (demanded === 'any' && bound.method === 'window');
  const word = demanded === 'direct' ? 'bound=direct' : 'bound';
  if (!enough) {
    const hint = `the token's binding is ${bound.method}; ${nameOf(line)} has ${word}`;
    return refuse('binding_missing', hint, `${hint}: use a token that is bound to the certificate (cnf x5t#S256)`);
  }
  if (demanded === 'any' || forwarders.length === 0) return undefined;
  const hint = `a forwarder stands between the origin and the guard; ${nameOf(line)} has ${word}`;
  return refuse('binding_unavailable', hint, hint);
}
