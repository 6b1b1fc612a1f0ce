import { readPath } from '../model/path.js';
import type { PathPattern, PathSegment } from '../model/policy.js';
import { quoted, read, unreadable } from './issue.js';
import type { Reading } from './issue.js';

/**
 * The TARGET word. In: its text. Out: a pattern whose literals are decoded the way request segments are (both go
 * through model/path.ts). Refuses every pattern that no request could match, and wildcards inside a segment.
 */
export function readPathPattern(text: string): Reading<PathPattern> {
  if (!text.startsWith('/'))
    return unreadable('path', `expected a path that begins with "/", got ${quoted(text)}`, slashHint(text));
  const words = text.slice(1).split('/');
  if (words.at(-1) === '') words.pop();
  const rest = words.at(-1) === '**';
  if (rest) words.pop();
  const segments: PathSegment[] = [];
  for (const word of words) {
    const segment = readSegment(word);
    if (!segment.ok) return segment;
    if (isRepeated(segment.value, segments))
      return unreadable('path', `expected each name once, got ${word} twice`, 'give every segment a name of its own');
    segments.push(segment.value);
  }
  return read({ text, segments, rest });
}

function slashHint(text: string): string {
  if (text.includes('://')) return 'write the path alone; the host goes into host=';
  if (SERVICE_METHOD.test(text)) return 'lines for package.Service/Method begin with GRPC';
  return text.startsWith('**') ? 'write /**' : 'put "/" in front of it';
}

const isRepeated = (segment: PathSegment, earlier: readonly PathSegment[]): boolean =>
  segment.kind === 'any' && earlier.some((other) => other.kind === 'any' && other.name === segment.name);

const NAMED = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

function readSegment(word: string): Reading<PathSegment> {
  const name = NAMED.exec(word)?.[1];
  if (name !== undefined) return read({ kind: 'any', name });
  if (word === '**')
    return unreadable('path', '"**" is only possible at the end of a path', 'write {name} for one segment');
  if (word === '*')
    return unreadable(
      'path',
      '"*" is no segment of a path',
      'write {name} for one segment, "**" at the end for any rest',
    );
  if (/[{}*]/.test(word))
    return unreadable(
      'path',
      `expected a literal or {name} as the whole segment, got ${quoted(word)}`,
      'a literal "*", "{" or "}" is written %2A, %7B, %7D',
    );
  return readLiteral(word);
}

function readLiteral(word: string): Reading<PathSegment> {
  if (word === '') return unreadable('path', 'no request can match: the path holds an empty segment', 'delete one "/"');
  if (/[^\x20-\x7e]/.test(word))
    return unreadable('path', `expected ASCII in a path, got ${quoted(word)}`, percentHint(word));
  if (word.includes('?'))
    return unreadable('path', 'no request can match: the query is not part of the path', 'delete it from "?" on');
  if (word.includes('"')) return unreadable('path', `no double quote in a path, got ${quoted(word)}`, 'write %22');
  const reading = readPath(`/${word}`);
  if (!reading.ok)
    return unreadable('path', `no request can match: ${reading.problem}`, 'write the segment as a plain literal');
  return read({ kind: 'literal', text: reading.segments.join('/') });
}

function percentHint(word: string): string {
  const encoded = word.replace(/[^\x20-\x7e]+/g, (run) => [...Buffer.from(run)].map(percent).join(''));
  return encoded.length > 200 ? 'percent-encode it' : `percent-encode it: ${encoded}`;
}

const percent = (octet: number): string => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;

const IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';
const SERVICE_METHOD = new RegExp(`^(${IDENTIFIER}(?:\\.${IDENTIFIER})*)/(${IDENTIFIER}|\\*)$`);

/** `package.Service/Method` or `package.Service/*`: gRPC over HTTP/2 sends it as the path `/package.Service/Method`. */
export function readServiceMethod(text: string): Reading<PathPattern> {
  const [, service, method] = SERVICE_METHOD.exec(text) ?? [];
  if (service === undefined || method === undefined) {
    const hint = SERVICE_METHOD.test(text.slice(1))
      ? `write ${text.slice(1)}`
      : 'for example shop.v1.Cart/Add or shop.v1.Cart/*';
    return unreadable('path', `expected package.Service/Method, got ${quoted(text)}`, hint);
  }
  const last: PathSegment = method === '*' ? { kind: 'any', name: '*' } : { kind: 'literal', text: method };
  const shown = method === '*' ? '{*}' : method;
  return read({ text: `/${service}/${shown}`, segments: [{ kind: 'literal', text: service }, last], rest: false });
}
