/**
 * `firsthand inspect token`. In: a token's text, with or without `Bearer `. Out: its header and claims, its times with
 * ages, its token name, and everything that a guard with default settings would hold against it. Never its signature or
 * its text. Does NOT know issuers and keys: the signature is not checked, and every claim is only claimed.
 */
import { readToken } from '../evidence/token.js';
import type { Claims, TokenText } from '../model/evidence.js';
import { confirmationOf } from '../origin/confirmation.js';
import { readClaims } from '../origin/token-claims.js';
import { defaultIssuer } from './default-issuer.js';
import { fault, shownValue } from './inspection.js';
import type { Fact, Inspection, Part } from './inspection.js';
import { claimFaults, headerFaults, timeFaults } from './token-faults.js';
import { spanText } from '../model/duration.js';
import { momentText } from './times.js';

/** As it is copied from a log, a curl line or a header. */
const IN_FRONT = /^(?:authorization:\s*)?(?:bearer\s+)?/i;

export function inspectToken(input: string, now: number): Inspection {
  const text = input.trim().replace(IN_FRONT, '');
  const read = readToken(text, 'authorization');
  if (!read.ok) {
    const faults = [fault(read.detail, 'RFC 7515 §7.1, RFC 8725 §3')];
    return { of: 'token', parts: [{ title: 'token', facts: [], faults }, ...asFarAsReadable(text)] };
  }
  const token = read.value;
  return { of: 'token', parts: [summary(token, now), headerPart(token), claimsPart(token)] };
}

function summary(token: TokenText, now: number): Part {
  const { claimed } = token;
  const scopes = scopesOf(token);
  const facts: Fact[] = [
    ['token name', token.name],
    ['named by', isNamed(claimed) ? 'iss and jti' : 'its signing input'],
    ['issuer', claimed['iss'] ?? 'none'],
    ['subject', claimed['sub'] ?? 'none'],
    ['audience', claimed['aud'] ?? 'none'],
    ['scopes', scopes],
    ['issued', momentOf(claimed['iat'], now)],
    ['not before', momentOf(claimed['nbf'], now)],
    ['expires', momentOf(claimed['exp'], now)],
    ['lifetime', lifetimeOf(claimed)],
    ['bound to', boundTo(claimed)],
    ['signature', 'not checked, not shown'],
  ];
  return {
    title: 'token',
    facts: facts.map(([name, value]): Fact => [name, shownValue(value)]),
    faults: [...headerFaults(token), ...claimFaults(token), ...timeFaults(token, now)],
  };
}

/** As `tokenName` reads them. */
const isNamed = ({ iss, jti }: Claims): boolean => typeof iss === 'string' && typeof jti === 'string' && jti !== '';

/** The scope claims alone; with well-formed times, which are not the question. */
function scopesOf(token: TokenText): unknown {
  const { scope, scp } = token.claimed;
  const claimed = { exp: 2, iat: 1, ...(scope === undefined ? {} : { scope }), ...(scp === undefined ? {} : { scp }) };
  const claims = readClaims({ ...token, claimed }, defaultIssuer(), '');
  return claims.ok ? claims.value.untimed.scopes : 'not readable';
}

const momentOf = (seconds: unknown, now: number): string =>
  typeof seconds === 'number' ? momentText(seconds * 1000, now) : 'not said';

function lifetimeOf({ exp, iat }: Claims): string {
  return typeof exp === 'number' && typeof iat === 'number' ? spanText((exp - iat) * 1000) : 'not known';
}

function boundTo(claims: Claims): string {
  const confirmation = confirmationOf(claims);
  if (!confirmation.ok) return 'something that can not be verified';
  if (confirmation.value === undefined) return 'nothing (no cnf)';
  const { certificate, forwarders } = confirmation.value;
  const carriers = forwarders === undefined ? '' : `, carried by ${[...forwarders].join(' or ') || 'no forwarder'}`;
  return `the certificate ${certificate}${carriers}`;
}

const membersOf = (object: unknown): Fact[] =>
  Object.entries(shownValue(object) as Record<string, unknown>).map(([name, value]): Fact => [name, value]);

/** The members as they stand in the text; `readToken` keeps only those that it knows. */
function headerPart(token: TokenText): Part {
  const header = objectIn(token.text.split('.')[0] ?? '') ?? {};
  return { title: 'header', facts: membersOf(header), faults: [] };
}

const claimsPart = ({ claimed }: TokenText): Part => ({
  title: 'claims (claimed, not verified)',
  facts: membersOf(claimed),
  faults: [],
});

/** Header and claims of a text that no guard takes for a token: its author wants to see them all the same. */
function asFarAsReadable(text: string): Part[] {
  const [header, claims] = text.length > MAX_SHOWN ? [] : text.split('.').slice(0, 2).map(objectIn);
  const part = (title: string, object: object | undefined): Part[] =>
    object === undefined ? [] : [{ title, facts: membersOf(object), faults: [] }];
  return [...part('header', header), ...part('claims (claimed, not verified)', claims)];
}

/** The guard's own limit of a token. */
const MAX_SHOWN = 16 * 1024;

function objectIn(part: string): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
