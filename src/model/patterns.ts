import { parseTrustDomain, pathSegments, trustDomainOf } from './ids.js';
import type { SpiffeId, TrustDomain } from './ids.js';

/**
 * Patterns on SPIFFE IDs: literal segments, `*` for one whole segment, `**` at the end for any rest of at least one
 * segment. The trust domain is always literal; a pattern without a scheme is relative to the guard's own trust domain.
 */
export interface IdPattern {
  readonly text: string;
  /** 'own': relative, compared with the guard's trust domain; 'any': the bare `**` of `presenters`. */
  readonly domain:
    { readonly kind: 'literal'; readonly name: TrustDomain } | { readonly kind: 'own' } | { readonly kind: 'any' };
  readonly segments: readonly string[];
  readonly rest: boolean;
}

const SEGMENT = /^[A-Za-z0-9._-]+$/;
const SCHEME = 'spiffe://';

/** The pattern, or what is wrong with it in words. */
export function parseIdPattern(text: string): IdPattern | string {
  const absolute = text.startsWith(SCHEME);
  const slash = absolute ? text.indexOf('/', SCHEME.length) : -1;
  if (absolute && slash < 0) return 'a pattern on SPIFFE IDs needs a path, for example spiffe://prod.example/**';
  const name = absolute ? parseTrustDomain(text.slice(SCHEME.length, slash)) : undefined;
  if (absolute && name === undefined)
    return 'the trust domain of a pattern is literal: lower-case letters, digits, ".", "_" and "-"';
  const words = (absolute ? text.slice(slash + 1) : text).split('/');
  const rest = words.at(-1) === '**';
  const segments = rest ? words.slice(0, -1) : words;
  const wrong = segments.find((word) => word !== '*' && (!SEGMENT.test(word) || word === '.' || word === '..'));
  if (wrong !== undefined)
    return `${JSON.stringify(wrong)} is no path segment: use a literal, "*" for one whole segment, or "**" at the end`;
  return { text, domain: name === undefined ? { kind: 'own' } : { kind: 'literal', name }, segments, rest };
}

/** Every workload of every configured trust domain: the default of `presenters`. */
export const ANY_ID: IdPattern = { text: '**', domain: { kind: 'any' }, segments: [], rest: true };

export const isLiteral = (pattern: IdPattern): boolean => !pattern.rest && !pattern.segments.includes('*');

/** `own` is the guard's trust domain; where it is not known a relative pattern matches nothing. */
export function matchesId(pattern: IdPattern, id: SpiffeId, own: TrustDomain | undefined): boolean {
  const domain = trustDomainOf(id);
  switch (pattern.domain.kind) {
    case 'literal':
      if (pattern.domain.name !== domain) return false;
      break;
    case 'own':
      if (own !== domain) return false;
      break;
    case 'any':
      break;
  }
  const segments = pathSegments(id);
  if (pattern.rest ? segments.length <= pattern.segments.length : segments.length !== pattern.segments.length)
    return false;
  return pattern.segments.every((word, index) => word === '*' || word === segments[index]);
}

/** Patterns on scopes: literal, `prefix.*` (any scope that begins with `prefix.`), `**`. */
export type ScopePattern = string & { readonly __scopePattern: true };

const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

export const parseScopePattern = (text: string): ScopePattern | undefined =>
  SCOPE_TOKEN.test(text) ? (text as ScopePattern) : undefined;

export function matchesScope(pattern: ScopePattern, scope: string): boolean {
  if (pattern === '**') return true;
  if (pattern.endsWith('.*')) return scope.length > pattern.length - 1 && scope.startsWith(pattern.slice(0, -1));
  return pattern === scope;
}
