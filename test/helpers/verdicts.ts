/** What an answer must look like, written out from the contract (sections 6 and 7) and not taken from the source. */
import { expect } from 'vitest';
import type { DecodedAnswer } from '../wire/answers.js';
import type { Guard } from './guard.js';

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'request_malformed path_ambiguous header_ambiguous xfcc_malformed',
  401: `peer_unauthenticated peer_certificate_invalid peer_untrusted peer_expired token_missing token_malformed token_type
    token_issuer_unknown token_algorithm token_key_unknown token_signature token_audience token_expired token_not_yet_valid
    token_lifetime_excess token_revoked token_replayed token_presenter_changed binding_missing binding_mismatch`,
  403: `peer_lifetime_excess xfcc_anchor chain_broken chain_too_long origin_unresolved origin_certificate_invalid
    forwarder_not_allowed binding_unavailable credentials_conflict presenter_not_allowed route_undeclared scope_missing
    caller_not_allowed via_mismatch host_mismatch environment_mismatch token_too_old data_ceiling scope_ceiling
    upgrade_not_declared guardrail identity_revoked certificate_revoked transaction_revoked`,
  413: 'limit_exceeded',
  503: `keys_unavailable bundle_unavailable store_unavailable revocation_stale policy_invalid deadline_exceeded
    internal_error`,
};
const CODE: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 413: 3, 503: 14 };

/** Reason → what Envoy sends to the caller. */
export const STATUS: ReadonlyMap<string, number> = new Map(
  Object.entries(BY_STATUS).flatMap(([status, reasons]) =>
    reasons.split(/\s+/).map((reason) => [reason, Number(status)] as const),
  ),
);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const reasonOf = ({ metadata }: DecodedAnswer): unknown => metadata['reason'];

/** `denials.detail` is auto, and the guard is of prod.example. */
export function expectDenied(answer: DecodedAnswer, reason: string): void {
  const status = STATUS.get(reason);
  const { metadata } = answer;
  expect(metadata['reason']).toBe(reason);
  expect(metadata['decision']).toBe('deny');
  expect(answer.http_response).toBe('denied_response');
  expect(answer.httpStatus).toBe(status);
  expect(answer.code).toBe(CODE[status ?? 0]);
  expect(answer.code).not.toBe(0);
  expect(metadata['id']).toMatch(UUID);
  const headers = new Map(answer.headers);
  expect(headers.size).toBe(answer.headers.length);
  expect(headers.get('x-firsthand-decision')).toBe(metadata['id']);
  expect(headers.get('cache-control')).toBe('no-store');
  const mayLearn = String(metadata['peer']).startsWith('spiffe://prod.example/');
  expect(headers.get('www-authenticate')).toEqual(challenge(reason, status, mayLearn));
  if (headers.get('content-type') === 'text/plain') return;
  expect(headers.get('content-type')).toBe('application/problem+json');
  const shown = mayLearn ? { reason, id: metadata['id'] } : {};
  expect(JSON.parse(answer.body)).toEqual({ title: expect.stringMatching(/^[A-Z].+/), status, ...shown });
}

function challenge(reason: string, status: number | undefined, mayLearn: boolean): unknown {
  if (reason === 'scope_missing' && mayLearn)
    return expect.stringMatching(/^Bearer error="insufficient_scope", scope="[^"]+"$/);
  if (status !== 401) return undefined;
  return reason === 'token_missing' || reason.startsWith('peer_') ? 'Bearer' : 'Bearer error="invalid_token"';
}

const OURS = ['x-firsthand-origin', 'x-firsthand-peer', 'x-firsthand-decision'];

export function expectAllowed(answer: DecodedAnswer, reason = 'allowed'): void {
  const { metadata } = answer;
  expect(metadata['reason']).toBe(reason);
  expect(metadata['decision']).toBe('allow');
  expect(answer.code).toBe(0);
  expect(answer.http_response).toBe('ok_response');
  const headers = new Map(answer.headers);
  expect(headers.get('x-firsthand-decision')).toBe(metadata['id']);
  expect(headers.get('x-firsthand-origin')).toBe(metadata['origin']);
  expect(headers.get('x-firsthand-peer')).toBe(metadata['peer']);
  expect(answer.appends).toEqual(answer.headers.map(() => false));
  // What has no value is removed, so that a caller's own header never passes for ours.
  for (const name of OURS) expect([headers.has(name), answer.removed.includes(name)]).toContain(true);
}

/** The one record of an answer says the same. */
export async function expectRecorded(guard: Guard, { metadata }: DecodedAnswer): Promise<void> {
  const record = await guard.record(metadata['id']);
  const { decision, reason, origin, peer, chain } = metadata;
  expect({ ...record }).toMatchObject({ event: 'decision', decision, reason });
  expect([record.origin, record.peer, record.chain]).toEqual([origin, peer, chain]);
}
