/**
 * What stands behind the reason `guardrail`. In: a refusal's detail, as decide.ts (a guardrail's own demands) and steps.ts
 * (what an earlier step refused only because a guardrail asked for it) write it. Out: the reason and detail of its own, and
 * the guardrail's number where it was the last step; undefined where the text says neither, as in a cut one.
 */
import { isAllow, REASONS } from '../model/reasons.js';
import type { DenyReason, Reason } from '../model/reasons.js';

export interface GuardrailCause {
  readonly reason: DenyReason;
  readonly detail: string;
  /** Undefined where an earlier step refused. */
  readonly line: number | undefined;
}

const CAUSE = /^(?:guardrail line (\d{1,9})|a guardrail asked for it): ([a-z_]+): (.*)$/s;

export function guardrailCause(text: string): GuardrailCause | undefined {
  const [, line, reason = '', detail = ''] = CAUSE.exec(text) ?? [];
  if (!isDenyReason(reason)) return undefined;
  return { reason, detail, line: line === undefined ? undefined : Number(line) };
}

const isReason = (text: string): text is Reason => Object.hasOwn(REASONS, text);
const isDenyReason = (text: string): text is DenyReason => isReason(text) && !isAllow(text);
