/**
 * The private explanation of a refusal, made safe for a record. In: the detail as a stage wrote it, and the request. Out:
 * the same text without any header value, query value or part of a token that it may quote. The stages should not quote
 * them in the first place; this is the second lock (test/audit/canary.test.ts).
 */
import type { TokenText } from '../model/evidence.js';
import type { RequestFacts } from './request-facts.js';
import { text } from './text.js';

/** Shorter values are words of the language (`true`, `GET`): taking them out would garble the sentence. */
export const SHORTEST_SECRET = 6;
/** Values that have fields of their own in the record. */
const SHOWN = new Set(['host', 'x-request-id', 'x-forwarded-host', 'x-forwarded-proto', 'traceparent', 'content-type']);

export function explanation(
  detail: string,
  request: RequestFacts | undefined,
  token: TokenText | undefined,
): string | undefined {
  if (detail === '') return undefined;
  let safe = detail;
  for (const part of token?.text.split('.') ?? []) safe = without(safe, part, '[token]');
  if (request !== undefined) {
    safe = withoutHeaders(safe, request);
    for (const value of queryValues(request.path)) safe = without(safe, value, '[query]');
  }
  return text(safe);
}

function withoutHeaders(detail: string, request: RequestFacts): string {
  let safe = detail;
  for (const name of request.headers.names) {
    if (name.startsWith(':') || SHOWN.has(name)) continue;
    for (const value of request.headers.all(name)) {
      safe = without(safe, value, '[header]');
      // A credential is also quoted without its scheme (RFC 9110 §11.4).
      safe = without(safe, value.slice(value.indexOf(' ') + 1), '[header]');
    }
  }
  return safe;
}

export function queryValues(target: string): string[] {
  const mark = target.search(/[?#]/);
  if (mark < 0) return [];
  const values = target
    .slice(mark + 1)
    .split(/[&;?#]/)
    .map((pair) => pair.slice(pair.indexOf('=') + 1));
  return values.flatMap((value) => [value, decoded(value)]);
}

function decoded(value: string): string {
  if (!/[%+]/.test(value)) return value;
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
}

const without = (detail: string, secret: string, mark: string): string =>
  secret.length < SHORTEST_SECRET ? detail : detail.replaceAll(secret, () => mark);
