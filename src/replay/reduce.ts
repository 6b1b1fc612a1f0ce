/**
 * A check that was answered → what is kept of it. In: its attributes, its outcome, the places of tokens. Out: a
 * RecordedCheck, field by field: nothing is copied that is not named here. Pure. Does NOT decide whether it is kept.
 */
import { hash } from 'node:crypto';
import { isoTime } from '../audit/text.js';
import { recordedHost, recordedPath } from '../audit/request-facts.js';
import { reasonOf, shadowReason } from '../audit/record.js';
import { tokenIn } from '../evidence/token.js';
import type { Attributes } from '../model/attributes.js';
import type { Outcome } from '../model/decision.js';
import type { Reason } from '../model/reasons.js';
import { guardrailCause } from '../policy/guardrail-cause.js';
import { FORWARDED_HEADER, OVERRIDE_HEADERS } from '../request/shape.js';
import type { RecordedCheck, RecordedToken } from './recorded.js';

export function reduceCheck(attributes: Attributes, outcome: Outcome, places: readonly string[]): RecordedCheck {
  const shadow = shadowReason(outcome);
  const { line } = outcome.findings.route ?? {};
  return {
    event: 'check',
    version: 1,
    id: outcome.id,
    time: isoTime(outcome.time) ?? new Date(0).toISOString(),
    decision: outcome.verdict.kind === 'deny' ? 'deny' : 'allow',
    reason: reasonOf(outcome),
    ...(shadow === undefined ? {} : { shadow }),
    ...causeOf(outcome),
    ...(line === undefined ? {} : { rule: line.number }),
    ...(outcome.policy === undefined ? {} : { policy: outcome.policy }),
    request: {
      principal: attributes.principal,
      certificate: attributes.certificate,
      destination: attributes.destinationPrincipal,
      method: attributes.method,
      path: keptPath(attributes.path),
      host: recordedHost(attributes.host),
      headers: keptHeaders(attributes, places),
    },
    tokens: places.map((place) => reduceToken(attributes, place)),
    verified: { certificates: verifiedCertificates(outcome), token: tokenWas(outcome) },
  };
}

/** Only a guardrail's refusal has another reason behind it. */
function causeOf({ verdict }: Outcome): Pick<RecordedCheck, 'cause'> {
  if (verdict.kind === 'allow' || verdict.refusal.reason !== 'guardrail') return {};
  const cause = guardrailCause(verdict.refusal.detail)?.reason;
  return cause === undefined ? {} : { cause };
}

/** A compact JWT in a place where none belongs. PEM text has no dots, so that no certificate can look like one. */
const JWT = /eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*/g;
const withoutTokens = (text: string): string => text.replaceAll(JWT, 'token');

/**
 * Up to where any reader might see the query begin. What another reader than ours would take for one is left out as well,
 * and the octet that makes the path ambiguous stays, so that it is refused again.
 */
function keptPath(target: string): string {
  const kept = recordedPath(target, undefined, 'raw');
  if (kept === undefined) return '';
  const next = target[kept.length];
  return withoutTokens(kept) + (next === undefined || next === '?' ? '' : next === '#' ? '#' : '%3F');
}

/** The values of the forwarded header; of all others that a decision reads only that they were there. */
function keptHeaders({ headers }: Attributes, places: readonly string[]): [string, string][] {
  const forwarded = headers.all(FORWARDED_HEADER).map((value): [string, string] => [FORWARDED_HEADER, value]);
  const present = headers.names
    .filter((name) => !places.includes(name) && name !== FORWARDED_HEADER && isRead(name))
    .map((name): [string, string] => [name, '']);
  return [...forwarded.map(([name, value]): [string, string] => [name, withoutTokens(value)]), ...present];
}

const isRead = (name: string): boolean =>
  name === 'upgrade' || name === ':protocol' || OVERRIDE_HEADERS.includes(name.replaceAll('_', '-'));

function reduceToken({ headers }: Attributes, place: string): RecordedToken {
  const lines = headers.all(place);
  if (lines.length === 0) return { place, read: { as: 'nothing' } };
  const found = tokenIn(headers, [place]);
  if (found.ok && found.value === undefined) return { place, read: { as: 'nothing' } };
  const sha256 = hash('sha256', lines.join('\n'), 'hex');
  if (!found.ok || found.value === undefined)
    return { place, sha256, read: { as: 'refused', reason: found.ok ? 'token_malformed' : found.reason } };
  const { name, header, claimed } = found.value;
  return { place, sha256, read: { as: 'token', name, header: { ...header }, claims: claimed } };
}

/** The steps after path validation, which a certificate only reaches with a path. */
const PATH_WAS_FOUND: ReadonlySet<Reason> = new Set<Reason>(['peer_lifetime_excess', 'xfcc_anchor']);

function verifiedCertificates(outcome: Outcome): string[] {
  const { peer, origin } = outcome.findings;
  const found = [peer?.sha256, origin?.kind === 'workload' && origin.certificate ? origin.sha256 : undefined];
  const refused = refusalReason(outcome);
  return [
    ...new Set(found.filter((sha256) => sha256 !== undefined)),
    ...(refused !== undefined && PATH_WAS_FOUND.has(refused) ? [ANY_CERTIFICATE] : []),
  ];
}

/** Stands for the certificate of the connection, whose digest nobody worked out when the check was refused. */
export const ANY_CERTIFICATE = '0'.repeat(64);

const refusalReason = (outcome: Outcome): Reason | undefined =>
  causeOf(outcome).cause ?? (outcome.verdict.kind === 'allow' ? undefined : outcome.verdict.refusal.reason);

/** What is said about a token only once its signature was verified (origin/token.ts). */
const AFTER_SIGNATURE: ReadonlySet<Reason> = new Set<Reason>([
  'token_audience',
  'token_expired',
  'token_not_yet_valid',
  'token_lifetime_excess',
]);

function tokenWas(outcome: Outcome): RecordedCheck['verified']['token'] {
  if (outcome.findings.token !== undefined) return 'verified';
  const reason = refusalReason(outcome);
  if (reason === 'token_signature') return 'bad signature';
  if (reason === 'token_key_unknown') return 'key unknown';
  return reason !== undefined && AFTER_SIGNATURE.has(reason) ? 'verified' : 'not looked at';
}
