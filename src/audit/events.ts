/**
 * The other lines of the audit log: what happened beside the checks. In: an event's name, its facts, the time. Out: a plain
 * object with the fields that the table allows for that event, bounded like a record's. An absent value is left out.
 */
import { isoTime, list, text } from './text.js';

interface EventFacts {
  readonly identity: string;
  /** SHA-256 (hex). */
  readonly certificate: string;
  readonly previous_certificate: string;
  readonly serial: string;
  /** ms since 1970; ISO in the line, as `until`. */
  readonly not_after: number;
  readonly trust_domain: string;
  readonly issuer: string;
  /** kid, or SHA-256 of an anchor. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly count: number;
  readonly policy: string;
  readonly owner: string;
  readonly source: string;
  readonly issues: readonly string[];
  readonly detail: string;
  readonly token: string;
  readonly jti: string;
  readonly origin: string;
  readonly first_presenter: string;
  /** ms since 1970; ISO in the line. */
  readonly first_seen: number;
  /** SHA-256 over the chain that the first presenter came through. */
  readonly first_chain: string;
  /** SHA-256 of the public key, where pins go by it. */
  readonly first_key: string;
  readonly first_environment: string;
  /** The second presenter, since when nobody holds the pin. */
  readonly contested_by: string;
  /** ms since 1970; ISO in the line. */
  readonly issued_at: number;
  /** Id of the decision that it happened in. */
  readonly id: string;
  readonly type: string;
  readonly value: string;
  readonly until: number;
  readonly reason: string;
  readonly by: string;
  readonly dropped: number;
  /** When a revocation was made, ms since 1970; ISO in the line. */
  readonly at: number;
  /** From `at` to here. */
  readonly lag_ms: number;
  /** Remembered decisions that a revocation had ended by then. */
  readonly fell: number;
}

const EVENTS = {
  certificate_seen: ['identity', 'certificate', 'serial', 'not_after', 'source', 'id'],
  certificate_rotated: ['identity', 'certificate', 'previous_certificate', 'serial', 'not_after', 'source', 'id'],
  certificate_expiring: ['identity', 'certificate', 'serial', 'not_after', 'source', 'detail'],
  keys_changed: ['issuer', 'source', 'added', 'removed', 'count', 'detail'],
  keys_refused: ['issuer', 'source', 'detail'],
  bundle_refused: ['trust_domain', 'source', 'detail'],
  bundle_changed: ['trust_domain', 'source', 'added', 'removed', 'count', 'detail'],
  policy_loaded: ['policy', 'owner', 'source', 'count', 'detail'],
  policy_refused: ['policy', 'source', 'issues', 'count', 'detail'],
  pin_conflict: [
    'token',
    'issuer',
    'jti',
    'origin',
    'certificate',
    'first_presenter',
    'first_seen',
    'first_chain',
    'first_key',
    'first_environment',
    'contested_by',
    'id',
  ],
  token_suspect: ['token', 'issuer', 'jti', 'origin', 'issued_at', 'id'],
  revoked: ['type', 'value', 'issuer', 'at', 'until', 'reason', 'by', 'source', 'lag_ms'],
  unrevoked: ['type', 'value', 'issuer', 'at', 'reason', 'by', 'source', 'lag_ms'],
  revocation_effect: ['type', 'value', 'issuer', 'at', 'id', 'fell', 'lag_ms'],
  audit_failed: ['detail', 'dropped'],
  store_lost: ['detail'],
  store_recovered: [],
} as const satisfies Record<string, readonly (keyof EventFacts)[]>;

export type EventName = keyof typeof EVENTS;
export const EVENT_NAMES = Object.keys(EVENTS) as readonly EventName[];
export type EventFields<E extends EventName> = Partial<Pick<EventFacts, (typeof EVENTS)[E][number]>>;
export type EventRecord = { readonly time: string; readonly event: EventName } & Readonly<
  Record<string, string | number | string[]>
>;

const TIMES: ReadonlySet<string> = new Set([
  'not_after',
  'until',
  'first_seen',
  'issued_at',
  'at',
] satisfies (keyof EventFacts)[]);

/** `time` in ms since 1970. */
export function eventRecord<E extends EventName>(event: E, fields: EventFields<E>, time: number): EventRecord {
  const given: Partial<EventFacts> = fields;
  const chosen: [string, string | number | string[]][] = [];
  for (const name of EVENTS[event]) {
    const value = eventValue(name, given[name]);
    if (value !== undefined) chosen.push([name, value]);
  }
  return { time: isoTime(time) ?? String(time), event, ...Object.fromEntries(chosen) };
}

function eventValue(name: string, value: string | number | readonly string[] | undefined) {
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'number') return TIMES.has(name) ? isoTime(value) : value;
  return typeof value === 'string' ? text(value) : list(value);
}
