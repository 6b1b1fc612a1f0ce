import type { ScopeRule } from '../model/policy.js';
import { quoted, read, unreadable } from './issue.js';
import type { Reading } from './issue.js';

/**
 * The SCOPES word: `a`, `a+b` (all), `a|b` (any), or one of three keywords. Refuses a mix, a scope that comes twice, and
 * characters that RFC 6749 section 3.3 does not allow in a scope-token. Scopes are literal here: `*` stands for itself.
 */
const SCOPE = /^[\x21\x23-\x2a\x2c-\x5b\x5d-\x7b\x7d\x7e]+$/;
const KEYWORDS: ReadonlySet<string> = new Set(['token', 'workload', 'anyone']);

export function readScopes(text: string): Reading<ScopeRule> {
  if (text === 'token' || text === 'workload' || text === 'anyone') return read({ kind: text });
  if (text.includes('+') && text.includes('|'))
    return unreadable(
      'scopes',
      `expected either "+" or "|" between scopes, got both in ${quoted(text)}`,
      'write "a+b" for all of them, "a|b" for any of them',
    );
  const kind = text.includes('|') ? 'any' : 'all';
  const scopes = text.split(kind === 'any' ? '|' : '+');
  for (const [index, scope] of scopes.entries()) {
    const problem = wrongWith(scope) ?? (scopes.indexOf(scope) < index ? twice(scope) : undefined);
    if (problem !== undefined) return problem;
  }
  return read({ kind, scopes });
}

function wrongWith(scope: string): Reading<never> | undefined {
  if (scope === '') return unreadable('scopes', 'expected a scope on both sides of "+" and "|", got nothing');
  if (KEYWORDS.has(scope))
    return unreadable('scopes', `${scope} stands alone, not among scopes`, 'write the scopes, or the keyword');
  if (!SCOPE.test(scope))
    return unreadable(
      'scopes',
      `expected a scope, got ${quoted(scope)}`,
      'a scope is printable ASCII without space, double quote and backslash (RFC 6749)',
    );
  return undefined;
}

const twice = (scope: string): Reading<never> =>
  unreadable('scopes', `expected each scope once, got ${quoted(scope)} twice`, 'delete one of them');
