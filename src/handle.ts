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
import { answerOf, askedBy } from './wire/answer.js';
import type { AnswerSettings } from './wire/answer.js';
import { Found } from './quick/found.js';
import type { Quick } from './quick/quick.js';
import { tellLater } from './telling.js';
import { readRequest } from './wire/read-request.js';
import { encodeAnswer } from './wire/write-response.js';

export interface HandlerDependencies {
  readonly check: Check;
  readonly settings: AnswerSettings;
  /** False where records can't be written and `audit.onFailure` is deny. */
  readonly mayAnswer: () => boolean;
  readonly onOutcome: OnOutcome;
  readonly onFault: (fault: unknown) => void;
  /** Finds what was decided before without reading the request. Absent: everything goes the whole way. */
  readonly quick?: Quick;
  /** Hears of what was found instead of `onOutcome`, where not all of the outcome is wanted. */
  readonly onFound?: (found: Found) => void;
}

/** Hears of each check once, after its answer was handed over. `attributes` may be read only when they are looked at. */
export type OnOutcome = (outcome: Outcome, attributes: Attributes | undefined, microseconds: number) => void;

/**
 * At once where nothing has to be waited for. The bytes must stay as they are: the record is made from them in a later
 * turn. `deadline` in ms since 1970.
 */
export type Handle = (bytes: Uint8Array, deadline: number | undefined) => Buffer | Promise<Buffer>;

/** What was answered the whole way, with everything that there is to tell. */
interface Whole {
  readonly outcome: Outcome;
  readonly attributes: Attributes | undefined;
  readonly microseconds: number;
}

export function createHandler(deps: HandlerDependencies): Handle {
  const tell = tellLater(tellOf(deps), deps.onFault);
  const answered = (outcome: Outcome, attributes: Attributes | undefined, started: number): Buffer => {
    const written = write(outcome, attributes, deps);
    tell({ outcome: written.outcome, attributes, microseconds: since(started) });
    return written.bytes;
  };
  const theWholeWay = (
    request: Result<Attributes>,
    bytes: Buffer,
    deadline: number | undefined,
    started: number,
  ): Buffer | Promise<Buffer> => {
    const attributes = request.ok ? request.value : undefined;
    const outcome = deps.check(request, deadline);
    if (outcome instanceof Promise) return outcome.then((each) => answered(each, attributes, started));
    if (outcome.cache === 'hit' && attributes !== undefined) learn(bytes, attributes, deps);
    return answered(outcome, attributes, started);
  };
  return (input, deadline) => {
    const started = performance.now();
    const bytes = Buffer.isBuffer(input) ? input : Buffer.from(input.buffer, input.byteOffset, input.length);
    // Before the decision, so that a call that is denied for its record's sake writes no pin either.
    if (!deps.mayAnswer()) return theWholeWay(unrecorded, bytes, deadline, started);
    const found = quickly(bytes, deps);
    if (found === undefined) return theWholeWay(read(bytes, deps), bytes, deadline, started);
    found.microseconds = since(started);
    tell(found);
    return found.answer;
  };
}

const tellOf =
  ({ onOutcome, onFound }: HandlerDependencies) =>
  (told: Whole | Found): void => {
    if (onFound !== undefined && told instanceof Found) return onFound(told);
    const { outcome, attributes, microseconds } = told;
    onOutcome(outcome, attributes, microseconds);
  };

const since = (started: number): number => Math.round((performance.now() - started) * 1000);

const unrecorded = refuse('internal_error', 'records can not be written');

/** Whatever breaks on the short way, the whole way answers. */
function quickly(bytes: Buffer, { quick, onFault }: HandlerDependencies): Found | undefined {
  try {
    return quick?.find(bytes);
  } catch (fault) {
    onFault(fault);
    return undefined;
  }
}

function learn(bytes: Buffer, attributes: Attributes, { quick, onFault }: HandlerDependencies): void {
  try {
    quick?.learn(bytes, attributes);
  } catch (fault) {
    onFault(fault);
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
    return { bytes: encodeAnswer(answerOf(outcome, askedBy(attributes), settings, answerMetadata(outcome))), outcome };
  } catch (fault) {
    onFault(fault);
    const broken = unanswerable({ ...outcome, findings: {} }, 'the answer could not be written');
    return {
      bytes: encodeAnswer(answerOf(broken, askedBy(undefined), settings, answerMetadata(broken))),
      outcome: broken,
    };
  }
}

const unanswerable = (outcome: Outcome, detail: string): Outcome => ({
  ...outcome,
  verdict: { kind: 'deny', refusal: refuse('internal_error', detail) },
});
