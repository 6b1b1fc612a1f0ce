/** The smallest change for a recorded refusal of the last step, whose facts a record holds; for others there is none. */
import type { Outcome } from '../model/decision.js';
import { readPath } from '../model/path.js';
import type { DenyReason } from '../model/reasons.js';
import { refuse } from '../model/result.js';
import { hostName } from '../request/shape.js';
import { findingsOf } from './rebuilt.js';
import type { Rebuilt } from './rebuilt.js';
import { remedyOf } from './remedy.js';
import type { Remedy } from './change.js';
import { USUAL_STEP } from './usual-step.js';

export function recordRemedy(rebuilt: Rebuilt, refused: DenyReason): Remedy | undefined {
  const { record, context, guard, broken } = rebuilt;
  if (broken !== undefined || refused === 'guardrail') return undefined;
  if (USUAL_STEP[refused] !== 'policy' && refused !== 'route_undeclared') return undefined;
  const reading = readPath(record.path ?? '');
  if (!reading.ok || record.method === undefined) return undefined;
  const shape = {
    method: record.method,
    segments: reading.segments,
    host: hostName(record.host ?? ''),
    upgrade: false,
  };
  const outcome: Outcome = {
    verdict: { kind: 'deny', refusal: refuse(refused, record.detail ?? '') },
    findings: findingsOf(rebuilt),
    mode: 'enforce',
    candidate: undefined,
    id: record.id,
    time: Date.parse(record.time),
    cache: 'miss',
    policy: record.policy,
    policyStale: false,
    owner: null,
    guard,
    peerNotVerified: false,
  };
  const cause = { reason: refused, detail: record.detail ?? '', guardrail: undefined };
  return remedyOf({ outcome, cause, attributes: undefined, shape, context });
}
