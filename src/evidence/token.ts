/**
 * In: header lines and the places where configured issuers' tokens are carried. Out: the one JWT of the request in its
 * parts, or undefined where there is none. Refuses tokens in two places, a place that can be read in more than one way,
 * and every text that is not a JWS in the one compact spelling that all readers agree on (RFC 7515 §3.1, §7.1).
 * Does NOT check: signature, issuer, time, or any claim that naming the token does not need.
 */
import { hash } from 'node:crypto';
import type { Headers } from '../model/attributes.js';
import type { Claims, TokenPlace, TokenText } from '../model/evidence.js';
import type { TokenName } from '../model/ids.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';

/** Characters; a token is ASCII. Envoy itself takes 60 KiB of headers, and a token is parsed as JSON before it is trusted. */
const MAX_TOKEN = 16 * 1024;

/** RFC 8725bis: nothing else may occur. The last part may be empty here, only so that `alg: none` is named as such. */
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/;

/** Header parameters that change how the rest is to be read; none of them is supported, so their presence refuses. */
const READ_DIFFERENTLY = ['crit', 'b64', 'enc', 'zip'] as const;

/** The one token among all configured places. */
export function tokenIn(headers: Headers, places: readonly TokenPlace[]): Result<TokenText | undefined> {
  const found: { readonly text: string; readonly place: TokenPlace }[] = [];
  for (const place of new Set(places)) {
    const text = textAt(headers, place);
    if (!text.ok) return text;
    if (text.value !== undefined) found.push({ text: text.value, place });
  }
  const [first, second] = found;
  if (first === undefined) return ok(undefined);
  if (second !== undefined)
    return refuse(
      'credentials_conflict',
      `tokens in ${first.place} and in ${second.place}`,
      `send one token, either in ${first.place} or in ${second.place}`,
    );
  return readToken(first.text, first.place);
}

/** A token's parts, from a text that can be read in one way only. */
export function readToken(text: string, place: TokenPlace): Result<TokenText> {
  if (text.length > MAX_TOKEN) return refuse('limit_exceeded', `a token of more than ${MAX_TOKEN} bytes in ${place}`);
  const [, header64, payload64, signature64] = COMPACT.exec(text) ?? [];
  if (header64 === undefined || payload64 === undefined || signature64 === undefined) return notCompact(text);
  if (![header64, payload64, signature64].every(isCanonical))
    return malformed('a part is not canonical base64url: its last character has bits that no octet uses');
  const header = readHeader(header64);
  if (!header.ok) return header;
  if (signature64 === '' && header.value.alg.toLowerCase() !== 'none') return malformed('the signature is empty');
  const claimed = readClaims(payload64);
  if (!claimed.ok) return claimed;
  const name = tokenName(claimed.value, `${header64}.${payload64}`);
  return ok({ text, header: header.value, claimed: claimed.value, name, place });
}

/**
 * SHA-256 of `iss` LF `jti`; without a jti, of the signing input. Never of the whole text: who holds an ECDSA token can
 * give it a second valid signature. Kept true by test/evidence/token.test.ts ("twin").
 */
export function tokenName(claims: Claims, signingInput: string): TokenName {
  const { iss, jti } = claims;
  const named = typeof iss === 'string' && typeof jti === 'string' && jti !== '';
  return hash('sha256', named ? `${iss}\n${jti}` : signingInput, 'hex') as TokenName;
}

/** What a place holds where it holds a token: `authorization` after its scheme, any other header bare. */
function textAt(headers: Headers, place: TokenPlace): Result<string | undefined> {
  const [line, another] = headers.all(place);
  if (line === undefined) return ok(undefined);
  if (another !== undefined || line.includes(','))
    return refuse('header_ambiguous', `${place} has several values`, `send ${place} once, with one value`);
  if (place === 'authorization') return bearerOf(line);
  return ok(line === '' ? undefined : line);
}

/** RFC 6750 §2.1; schemes compare without case (RFC 9110 §11.1). Another scheme is none of our credentials. */
function bearerOf(line: string): Result<string | undefined> {
  const scheme = /^[^ \t]*/.exec(line)?.[0] ?? '';
  if (scheme.toLowerCase() !== 'bearer') return ok(undefined);
  const text = line.slice(scheme.length);
  if (/^ [^ ]/.test(text)) return ok(text.slice(1));
  return malformed('Bearer is not followed by one space and a token', 'send "Authorization: Bearer TOKEN"');
}

function readHeader(part: string): Result<TokenText['header']> {
  const header = jsonObject(part);
  if (header === undefined) return malformed('the header is no JSON object in UTF-8');
  const feature = READ_DIFFERENTLY.find((name) => name in header);
  if (feature !== undefined) return malformed(`the header has "${feature}", which is not supported`);
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string') return malformed('"alg" of the header is missing or no text');
  if (!isTextOrAbsent(typ)) return malformed('"typ" of the header is no text');
  if (!isTextOrAbsent(kid)) return malformed('"kid" of the header is no text');
  return ok({ alg, typ, kid });
}

/** `iss` and `jti` name the token, so they are read here; every other claim only counts once the signature is verified. */
function readClaims(part: string): Result<Claims> {
  const claims = jsonObject(part);
  if (claims === undefined) return malformed('the payload is no JSON object in UTF-8');
  if (!isTextOrAbsent(claims['iss'])) return malformed('"iss" is no text');
  if (!isTextOrAbsent(claims['jti'])) return malformed('"jti" is no text');
  return ok(claims);
}

/** A BOM is kept, so that JSON refuses it. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Without a prototype, so that no claim's name finds anything but a claim. */
function jsonObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(UTF8.decode(Buffer.from(part, 'base64url')));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.setPrototypeOf(value, null) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** By length modulo 4, the last characters whose spare bits are zero (RFC 4648 §3.5). No octets end one character after a four. */
const LAST = [ALPHABET, '', 'AQgw', 'AEIMQUYcgkosw048'] as const;

/** Of a text of this alphabet: whether encoding its octets again gives this very text. Node's decoder takes any last character. */
const isCanonical = (part: string): boolean =>
  part === '' || LAST[(part.length % 4) as 0 | 1 | 2 | 3].includes(part.charAt(part.length - 1));

function notCompact(text: string): Refusal {
  const parts = text.split('.').length;
  if (parts === 3) return malformed('a part of the token is empty or has a character outside base64url');
  return malformed(`expected 3 parts, got ${parts}${parts === 5 ? ': encrypted tokens are not supported' : ''}`);
}

const malformed = (detail: string, hint?: string): Refusal => refuse('token_malformed', detail, hint);
