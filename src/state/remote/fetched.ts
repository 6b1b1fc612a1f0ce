/**
 * One document from its URL: redirects within its origin, and nothing sent twice that did not change. In: a URL, a
 * transport, what was read before. Out: a text, that it is the same, or one sentence. Refuses a redirect to another origin,
 * since the operator named this one, and more than three of them.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { get } from './https.js';
import type { Transport } from './https.js';
import { isPlainHttps } from './discovery.js';
import { lifetimeOf } from './freshness.js';

/** What the last good answer was known by (RFC 9110 §8.8). */
export interface Validators {
  readonly etag?: string;
  readonly modified?: string;
}

export type Fetched =
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly validators: Validators;
      readonly lifetime: number | undefined;
    }
  | { readonly kind: 'unchanged'; readonly lifetime: number | undefined }
  | { readonly kind: 'failed'; readonly problem: string };

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const failed = (problem: string): Fetched => ({ kind: 'failed', problem });

export async function fetchDocument(
  url: string,
  known: Validators,
  transport: Transport,
  ended: AbortSignal,
): Promise<Fetched> {
  let at = new URL(url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const answer = await get(at, conditions(known), transport, ended);
    if (!answer.ok) return failed(answer.problem);
    const { status, headers, text } = answer;
    const lifetime = lifetimeOf(headers['cache-control'], headers.age);
    if (status === 200) return { kind: 'text', text, validators: validatorsOf(headers), lifetime };
    if (status === 304 && hasAny(known)) return { kind: 'unchanged', lifetime };
    if (!REDIRECTS.has(status)) return failed(`it answered with status ${status}`);
    const next = targetOf(headers.location, at);
    if (next === undefined) return failed('it redirects to nowhere');
    if (next.origin !== at.origin) return failed(`it redirects to another origin, ${next.origin}; name the right URL`);
    if (!isPlainHttps(next.href)) return failed('it redirects to a URL with a name or password');
    at = next;
  }
  return failed(`it redirects more than ${MAX_REDIRECTS} times`);
}

const hasAny = ({ etag, modified }: Validators): boolean => etag !== undefined || modified !== undefined;

/** RFC 9110 §13.1.3: the date counts only without an entity tag. */
function conditions({ etag, modified }: Validators): Record<string, string> {
  if (etag !== undefined) return { 'if-none-match': etag };
  return modified === undefined ? {} : { 'if-modified-since': modified };
}

const validatorsOf = (headers: IncomingHttpHeaders): Validators => ({
  ...(headers.etag === undefined ? {} : { etag: headers.etag }),
  ...(headers['last-modified'] === undefined ? {} : { modified: headers['last-modified'] }),
});

function targetOf(location: string | undefined, from: URL): URL | undefined {
  return location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}
