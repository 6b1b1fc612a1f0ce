/**
 * Two questions to an HTTP request before anything is told: is it meant for us, and does it hold the admin token. In:
 * header values as received. Out: yes or no. Neither question looks at the path.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]@/]+))(?::[0-9]{1,5})?$/;

/**
 * A page in a browser can make its own name point to our address (DNS rebinding), but then it says that name: only an
 * address or localhost is us. Exactly one Host line counts (RFC 9112 §3.2).
 */
export function isOurHost(values: readonly string[] | undefined): boolean {
  if (values === undefined || values.length !== 1) return false;
  const match = HOST.exec(values[0] ?? '');
  if (match === null) return false;
  const [, v6, name] = match;
  if (v6 !== undefined) return isIP(v6) === 6;
  return name !== undefined && (isIP(name) === 4 || name.toLowerCase() === 'localhost');
}

/** RFC 6750 §2.1: the scheme in any case, one space or more, one token. */
const BEARER = /^bearer +([\x21-\x7e]+)$/i;

/** Whether the one Authorization line holds `token`, in a time that tells nothing about it. An empty token opens nothing. */
export function holdsToken(values: readonly string[] | undefined, token: string): boolean {
  if (token === '' || values === undefined || values.length !== 1) return false;
  const presented = BEARER.exec(values[0] ?? '')?.[1];
  if (presented === undefined) return false;
  return timingSafeEqual(digest(presented), digest(token));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
