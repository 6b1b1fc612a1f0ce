/**
 * A handler that always answers. In: the handler of checks. Out: one that never throws, never rejects and never gives
 * an empty answer; what fails is answered with a denial that was encoded in advance: for Envoy a gRPC error is an
 * outage, which failure_mode_allow would let pass. An answer that is there at once stays one. Does NOT end a call at
 * its deadline.
 */
import { denial } from './denial.js';
import type { HandleCheck, Log } from './listener.js';
import { encodeAnswer } from './write-response.js';

export const FAILED = encodeAnswer({
  kind: 'deny',
  reason: 'internal_error',
  ...denial({ reason: 'internal_error', id: undefined, hint: undefined, detail: 'none', grpc: false }),
  metadata: { decision: 'deny', reason: 'internal_error' },
});

export function answering(handle: HandleCheck, log: Log): HandleCheck {
  const failed = (error: unknown): Buffer => {
    log('the handler of a check failed', { error: error instanceof Error ? error.message : String(error) });
    return FAILED;
  };
  return (bytes, deadline) => {
    try {
      const answer = handle(bytes, deadline);
      return answer instanceof Uint8Array ? filled(answer) : Promise.resolve(answer).then(filled).catch(failed);
    } catch (error) {
      return failed(error);
    }
  };
}

/** No bytes are a CheckResponse without a status: an OK. */
function filled(answer: Buffer): Buffer {
  if (!(answer instanceof Uint8Array)) throw new Error('the handler gave no answer');
  if (answer.length === 0) throw new Error('the handler gave an empty answer');
  return answer;
}
