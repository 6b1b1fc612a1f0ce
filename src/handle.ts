/**
 * Bytes of a CheckRequest → bytes of a CheckResponse, with exactly one audit record for each, also when the caller hung up
 * or something broke. The record is built after the answer was handed over.
 */
import type { Attributes } from './model/attributes.js';
import type { Outcome } from './model/decision.js';
import { refuse } from './model/result.js';
import type { Result } from './model/result.js';
import type { Check } from './check.js';
import { answerMetadata } from './audit/record.js';
import { answerOf } from './wire/answer.js';
import type { AnswerSettings } from './wire/answer.js';
import { readRequest } from './wire/read-request.js';
import { encodeAnswer } from './wire/write-response.js';

export interface HandlerDependencies {
  readonly check: Check;
  readonly settings: AnswerSettings;
  /** False where records can't be written and `audit.onFailure` is deny. */
  readonly mayAnswer: () => boolean;
  readonly onOutcome: (outcome: Outcome, attributes: Attributes | undefined, microseconds: number) => void;
  readonly onFault: (fault: unknown) => void;
}

/**
 * At once where nothing has to be waited for. The bytes must stay as they are: the record is made from them in a later
 * turn. `deadline` in ms since 1970.
 */
export type Handle = (bytes: Uint8Array, deadline: number | undefined) => Buffer | Promise<Buffer>;

export function createHandler(deps: HandlerDependencies): Handle {
  return async (bytes, deadline) => {
    const started = performance.now();
    // Before the decision, so that a call that is denied for its record's sake writes no pin either.
    const request = deps.mayAnswer() ? read(bytes, deps) : unrecorded;
    const attributes = request.ok ? request.value : undefined;
    const outcome = await deps.check(request, deadline);
    const written = write(outcome, attributes, deps);
    const microseconds = Math.round((performance.now() - started) * 1000);
    setImmediate(() => tell(written.outcome, attributes, microseconds, deps));
    return written.bytes;
  };
}

const unrecorded = refuse('internal_error', 'records can not be written');

/** The call is over: nobody above would catch a fault any more, and it would end the process. */
function tell(
  outcome: Outcome,
  attributes: Attributes | undefined,
  microseconds: number,
  deps: HandlerDependencies,
): void {
  try {
    deps.onOutcome(outcome, attributes, microseconds);
  } catch (fault) {
    deps.onFault(fault);
  }
}

function read(bytes: Uint8Array, { onFault }: HandlerDependencies): Result<Attributes> {
  try {
    return readRequest(bytes);
  } catch (fault) {
    onFault(fault);
    return refuse('internal_error', 'a fault while reading the request');
  }
}

/** An answer that cannot be encoded as decided becomes a denial, and the record says so. */
function write(
  outcome: Outcome,
  attributes: Attributes | undefined,
  { settings, onFault }: HandlerDependencies,
): { readonly bytes: Buffer; readonly outcome: Outcome } {
  try {
    return { bytes: encodeAnswer(answerOf(outcome, attributes, settings, answerMetadata(outcome))), outcome };
  } catch (fault) {
    onFault(fault);
    const broken = unanswerable({ ...outcome, findings: {} }, 'the answer could not be written');
    return { bytes: encodeAnswer(answerOf(broken, undefined, settings, answerMetadata(broken))), outcome: broken };
  }
}

const unanswerable = (outcome: Outcome, detail: string): Outcome => ({
  ...outcome,
  verdict: { kind: 'deny', refusal: refuse('internal_error', detail) },
});
