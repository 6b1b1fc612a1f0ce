/** Parsers of single texts: each takes one text and gives a checked value, or says what was expected and what came. */
import { parseSpiffeId, parseTrustDomain } from '../model/ids.js';
import type { SpiffeId, TrustDomain } from '../model/ids.js';
import { ANY_ID, parseIdPattern, parseScopePattern } from '../model/patterns.js';
import type { IdPattern, ScopePattern } from '../model/patterns.js';
import { formatDuration, parseDuration } from '../model/duration.js';
import { no } from './leaf.js';
import type { Leaf } from './leaf.js';
import { httpsUrl, isUrl } from './remote-leaves.js';
import { quote } from './words.js';

const CONTROL = /[\x00-\x1f\x7f]/;

/** Names, issuers, audiences: any text that can be compared, but not an empty or a broken one. */
export function plainText(text: string): Leaf<string> {
  if (text === '') return no('expected a text, got an empty one');
  if (CONTROL.test(text) || text !== text.trim())
    return no(`expected a text without control characters or spaces around it, got ${quote(text)}`);
  return { value: text };
}

export const duration =
  (least: string, most: string) =>
  (text: string): Leaf<number> => {
    const ms = parseDuration(text);
    if (ms === undefined)
      return no(`expected a duration, got ${quote(text)}`, 'an integer and ms, s, m, h or d, for example 30s');
    const [from, to] = [parseDuration(least) ?? 0, parseDuration(most) ?? 0];
    if (ms < from || ms > to) return no(`expected a duration from ${least} to ${most}, got ${formatDuration(ms)}`);
    return { value: ms };
  };

export function fileName(text: string): Leaf<string> {
  if (text === '') return no('expected a file, got an empty text');
  if (text.includes('\0')) return no(`expected a file, got ${quote(text)}`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return no(`expected a file, got the URL ${quote(text)}`, 'write a path');
  return { value: text };
}

/** No file can be meant: one of this name is written ./workload-api. */
export const WORKLOAD_API = 'workload-api';

export function bundleFile(text: string): Leaf<string> {
  if (text === WORKLOAD_API) return { value: text };
  return isUrl(text) ? httpsUrl(text) : fileName(text);
}

/** No file can be meant: the issuer's discovery document names the keys. */
export const OIDC = 'oidc';

/** Before the name of a trust domain. */
export const SPIFFE_KEYS = 'spiffe:';

function spiffeKeys(text: string): Leaf<string> {
  if (parseTrustDomain(text.slice(SPIFFE_KEYS.length)) !== undefined) return { value: text };
  return no(`expected spiffe: and a trust domain name, got ${quote(text)}`, 'for example spiffe:prod.example');
}

export function keysFile(text: string): Leaf<string> {
  if (text.startsWith(SPIFFE_KEYS)) return spiffeKeys(text);
  if (text === OIDC) return { value: text };
  return isUrl(text) ? httpsUrl(text) : fileName(text);
}

export function spiffeId(text: string): Leaf<SpiffeId> {
  const id = parseSpiffeId(text);
  if (id !== undefined) return { value: id };
  return no(
    `expected a SPIFFE ID with a path, got ${quote(text)}`,
    'for example spiffe://prod.example/ns/shop/sa/orders',
  );
}

export function trustDomain(text: string): Leaf<TrustDomain> {
  const name = parseTrustDomain(text);
  if (name !== undefined) return { value: name };
  return no(`expected a trust domain name, got ${quote(text)}`, 'lower case, no scheme, no path: prod.example');
}

export function absolutePattern(text: string): Leaf<IdPattern> {
  const pattern = parseIdPattern(text);
  if (typeof pattern === 'string') return no(`expected a pattern on SPIFFE IDs, got ${quote(text)}`, pattern);
  if (pattern.domain.kind === 'literal') return { value: pattern };
  return no(
    `expected a pattern that names its trust domain, got ${quote(text)}`,
    'for example spiffe://prod.example/**',
  );
}

export const presenterPattern = (text: string): Leaf<IdPattern> =>
  text === '**' ? { value: ANY_ID } : absolutePattern(text);

/** A `*` anywhere else would be compared literally: surely not what its writer meant. */
export function scopePattern(text: string): Leaf<ScopePattern> {
  const pattern = parseScopePattern(text);
  const literal = text.endsWith('.*') ? text.slice(0, -2) : text;
  if (pattern !== undefined && (text === '**' || (literal !== '' && !literal.includes('*')))) return { value: pattern };
  return no(`expected a scope pattern, got ${quote(text)}`, 'a literal scope, prefix.* or **');
}

export function socketMode(text: string): Leaf<number> {
  if (/^0?[0-7]{3}$/.test(text)) return { value: Number.parseInt(text, 8) };
  return no(`expected a file mode in octal digits, got ${quote(text)}`, 'for example "0660", in quotes');
}
