import type { Methods } from '../model/policy.js';
import { quoted, read, unreadable } from './issue.js';
import type { Reading } from './issue.js';
import { nearest } from '../model/nearest.js';

/**
 * The METHOD word. In: its text. Out: what it names. Refuses lists with `*` or `GRPC` in them, methods that come twice,
 * and words that are no method: a misspelt one would be a line that never matches.
 */
export const STAR_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The IANA HTTP method registry as far as its names are letters only (others never pass the door), and what proxies know besides. */
const KNOWN: ReadonlySet<string> = new Set([
  ...STAR_METHODS,
  ...['ACL', 'BIND', 'CHECKIN', 'CHECKOUT', 'CONNECT', 'COPY', 'LABEL', 'LINK', 'LOCK', 'MERGE', 'MKACTIVITY'],
  ...['MKCALENDAR', 'MKCOL', 'MKREDIRECTREF', 'MKWORKSPACE', 'MOVE', 'ORDERPATCH', 'PROPFIND', 'PROPPATCH', 'QUERY'],
  ...['REBIND', 'REPORT', 'SEARCH', 'TRACE', 'UNBIND', 'UNCHECKOUT', 'UNLINK', 'UNLOCK', 'UPDATE', 'UPDATEREDIRECTREF'],
  ...['NOTIFY', 'PURGE', 'SOURCE', 'SUBSCRIBE', 'UNSUBSCRIBE'],
]);

const LATER: ReadonlySet<string> = new Set(['TOOL', 'RESOURCE', 'PROMPT', 'MCP']);
const WORDS = [...KNOWN, 'GRPC', ...LATER];

export function readMethods(text: string): Reading<Methods> {
  if (text === '*') return read({ kind: 'star' });
  if (text === 'GRPC') return read({ kind: 'grpc' });
  const names = text.split(',');
  for (const [index, name] of names.entries()) {
    const problem = wrongWith(name) ?? (names.indexOf(name) < index ? twice(name) : undefined);
    if (problem !== undefined) return problem;
  }
  return read({ kind: 'named', names });
}

function wrongWith(name: string): Reading<never> | undefined {
  if (KNOWN.has(name)) return undefined;
  if (LATER.has(name)) return unreadable('not_supported', `${name} lines are not yet supported`);
  if (name === '') return unreadable('method', 'expected a method between the commas, got nothing');
  if (name === '*' || name === 'GRPC')
    return unreadable('method', `${name} stands alone, not in a list`, 'write a line of its own');
  const upper = name.toUpperCase();
  if (WORDS.includes(upper))
    return unreadable('method', `expected a method in capitals, got ${quoted(name)}`, `write ${upper}`);
  const near = nearest(name, WORDS);
  const hint =
    near === undefined
      ? 'known are GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, "*" and GRPC, among others'
      : `did you mean ${near}?`;
  return unreadable('method', `expected an HTTP method, got ${quoted(name)}`, hint);
}

const twice = (name: string): Reading<never> =>
  unreadable('method', `expected each method once, got ${name} twice`, `delete one ${name}`);
