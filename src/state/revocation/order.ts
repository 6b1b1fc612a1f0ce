/**
 * One revocation or unrevoke as JSON (contract section 9): a line of the file, the body of a POST, what the command writes.
 * In: a parsed object. Out: the order with its names as they are compared, or what is wrong with it. Refuses a name that
 * could never be found: no SPIFFE ID, no hexadecimal digits, a pattern without its trust domain.
 */
import { z } from 'zod';
import { parseSpiffeId, parseTrustDomain } from '../../model/ids.js';
import { parseIdPattern } from '../../model/patterns.js';
import { NEEDS_ISSUER, REVOCATION_TYPES } from '../../model/revocation.js';
import type { RevocationOrder, RevocationType } from '../../model/revocation.js';
import type { Parsed } from '../source.js';

const text = z.string().min(1).max(2048);
const line = z.strictObject({
  at: text.optional(),
  revoke: z.enum(REVOCATION_TYPES).optional(),
  unrevoke: z.enum(REVOCATION_TYPES).optional(),
  value: text,
  issuer: text.optional(),
  until: text.optional(),
  reason: z.string().max(2048).optional(),
  by: z.string().max(2048).optional(),
});

/** `now`: what `at` is where it is left out; undefined where it must be there. */
export function readOrder(input: unknown, now?: number): Parsed<RevocationOrder> {
  const parsed = line.safeParse(input);
  if (!parsed.success) return no(parsed.error.issues.map(issueText).join('; '));
  const { revoke, unrevoke, value, issuer, reason, by } = parsed.data;
  const type = revoke ?? unrevoke;
  if (type === undefined || (revoke !== undefined && unrevoke !== undefined))
    return no('expected exactly one of revoke and unrevoke');
  if (NEEDS_ISSUER.has(type) && issuer === undefined) return no(`${type} needs an issuer`);
  const at = timeOf(parsed.data.at, now);
  const until = timeOf(parsed.data.until, Infinity);
  if (at === undefined || until === undefined) return no('at and until are times such as 2026-11-23T10:00:00Z');
  const name = nameOf(type, value);
  if (!name.ok) return name;
  const revocation = { type, value: name.value, issuer: NEEDS_ISSUER.has(type) ? issuer : undefined, until };
  return { ok: true, value: { kind: revoke === undefined ? 'unrevoke' : 'revoke', at, revocation, reason, by } };
}

const no = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

const issueText = ({ path, message }: z.core.$ZodIssue): string => `${path.join('.') || 'the line'}: ${message}`;

function timeOf(time: string | undefined, absent: number | undefined): number | undefined {
  if (time === undefined) return absent;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A SHA-256; a serial number of at most 20 octets (RFC 5280 §4.1.2.2). */
const DIGITS: ReadonlyMap<RevocationType, RegExp> = new Map([
  ['token', /^[0-9a-f]{64}$/],
  ['certificate', /^[0-9a-f]{64}$/],
  ['serial', /^[0-9a-f]{1,40}$/],
]);

/** A name as it is compared: tools write hexadecimal digits in either case, with colons between them or a 0x in front. */
function nameOf(type: RevocationType, value: string): Parsed<string> {
  const digits = DIGITS.get(type);
  if (digits !== undefined) {
    const plain = value.toLowerCase().replaceAll(':', '').replace(/^0x/, '');
    if (digits.test(plain)) return { ok: true, value: plain };
    return no(`expected ${type === 'serial' ? 'up to 40' : '64'} hexadecimal digits as the value of a ${type}`);
  }
  if (type === 'identity') return identityOf(value);
  if (type === 'trust_domain') {
    const domain = parseTrustDomain(value.replace(/^spiffe:\/\//, '').toLowerCase());
    return domain === undefined ? no('expected a trust domain such as prod.example') : { ok: true, value: domain };
  }
  return { ok: true, value };
}

function identityOf(value: string): Parsed<string> {
  if (parseSpiffeId(value) !== undefined) return { ok: true, value };
  const pattern = parseIdPattern(value);
  if (typeof pattern === 'string') return no(`expected a SPIFFE ID or a pattern: ${pattern}`);
  if (pattern.domain.kind === 'literal') return { ok: true, value };
  return no('expected a SPIFFE ID or a pattern with its trust domain, for example spiffe://prod.example/ns/shop/**');
}

/** An order as one line of JSON, without the line break; `readOrder` reads it back. */
export const orderText = (order: RevocationOrder): string => JSON.stringify(orderObject(order));

export function orderObject({ kind, at, revocation, reason, by }: RevocationOrder): Readonly<Record<string, string>> {
  const { type, value, issuer, until } = revocation;
  return {
    at: new Date(at).toISOString(),
    [kind]: type,
    value,
    ...(issuer === undefined ? {} : { issuer }),
    ...(kind === 'revoke' && until !== Infinity ? { until: new Date(until).toISOString() } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
  };
}
