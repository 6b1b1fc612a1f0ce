/** What the text and the JSON format of x-forwarded-client-cert have in common: the fields of one element. */
import type { ForwardedElement } from '../model/evidence.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';

export const malformed = (problem: string): Refusal =>
  refuse('xfcc_malformed', `x-forwarded-client-cert: ${problem}`, `x-forwarded-client-cert: ${problem}`);

/** Envoy writes these raw; the URI alphabet without the characters that separate fields (Envoy escapes none of them). */
export const RAW = /^[\x21\x23-\x2b\x2d-\x3a\x3c\x3e-\x5b\x5d-\x7e]+$/;
const HASH = /^[0-9a-f]{64}$/;

/** The fields of one element before they are checked; By, URI and DNS may come several times. */
export interface RawElement {
  by: string[];
  uri: string[];
  dns: string[];
  hash?: string;
  cert?: string;
  chain?: string;
  subject?: string;
  issuer?: string;
}

/** What both formats demand of the fields. */
export function checkElement(raw: RawElement): Result<ForwardedElement> {
  // Envoy writes one empty URI where the certificate has none.
  const uri = raw.uri.length === 1 && raw.uri[0] === '' ? [] : raw.uri;
  const odd = [...raw.by, ...uri].find((value) => !RAW.test(value));
  if (odd !== undefined) return malformed('a By or URI holds a character that no SPIFFE ID has');
  if (raw.hash !== undefined && !HASH.test(raw.hash)) return malformed('a Hash is not 64 lower-case hex digits');
  return ok({ by: raw.by, uri, hash: raw.hash, cert: raw.cert, chain: raw.chain });
}
