import type { Reason } from './reasons.js';

/**
 * An expected "no". `detail` is for records and logs only; `hint` may be shown to a verified caller, so it must never
 * hold a secret or a claim's value. A fault is a throw instead, and is turned into `internal_error` once, in check.ts.
 */
export interface Refusal {
  readonly ok: false;
  readonly reason: Reason;
  readonly detail: string;
  readonly hint?: string;
}

export interface Ok<T> {
  readonly ok: true;
  readonly value: T;
}

export type Result<T> = Ok<T> | Refusal;

export const ok = <T>(value: T): Ok<T> => ({ ok: true, value });

export const refuse = (reason: Reason, detail: string, hint?: string): Refusal =>
  hint === undefined ? { ok: false, reason, detail } : { ok: false, reason, detail, hint };
