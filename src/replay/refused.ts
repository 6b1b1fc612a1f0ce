/**
 * What a record says was refused, and at which step. In: a record. Out: the refusal in the words of the steps, or that the
 * record does not tell. Where only a guardrail asked for what failed, the record's reason is `guardrail`, whatever failed;
 * its own reason is then read from the detail, which an older or a cut record does not hold.
 */
import type { Reason } from '../model/reasons.js';
import { refuse } from '../model/result.js';
import type { Refusal } from '../model/result.js';
import type { Demand } from '../policy/demand.js';
import { guardrailCause } from '../policy/guardrail-cause.js';
import type { AuditedCheck } from './audited.js';

export type Refused =
  | { readonly kind: 'nothing' }
  /** As the record says. */
  | { readonly kind: 'own'; readonly reason: Reason }
  /** By a step before the last, on a guardrail's demand. */
  | { readonly kind: 'asked by a guardrail'; readonly reason: Reason }
  /** By a guardrail itself, in the last step. */
  | { readonly kind: 'guardrail' }
  /** By one or the other. */
  | { readonly kind: 'untold guardrail' };

export function refusedIn({ decision, reason, shadow, detail }: AuditedCheck): Refused {
  const told = shadow ?? (decision === 'deny' ? reason : undefined);
  if (told === undefined) return { kind: 'nothing' };
  if (told !== 'guardrail') return { kind: 'own', reason: told };
  const cause = guardrailCause(detail ?? '');
  if (cause === undefined) return { kind: 'untold guardrail' };
  return cause.line === undefined ? { kind: 'asked by a guardrail', reason: cause.reason } : { kind: 'guardrail' };
}

export interface RefusedBefore {
  readonly step: 'origin' | 'chain' | 'token';
  readonly refusal: Refusal;
}

/**
 * The recorded refusal of a step before the last, as the route would tell it now. `presenter_not_allowed` and what step 7
 * says are asked anew.
 */
export function refusedBefore(refused: Refused, demand: Demand): RefusedBefore | undefined {
  if (refused.kind !== 'own' && refused.kind !== 'asked by a guardrail') return undefined;
  const { reason } = refused;
  const refusal = asRecorded(reason);
  if (OF_ORIGIN.test(reason)) return { step: 'origin', refusal: toldBy(demand.origin, refusal) };
  if (OF_CHAIN.test(reason)) return { step: 'chain', refusal: toldBy(demand.origin, refusal) };
  const ofToken = OF_TOKEN.test(reason) || (refused.kind === 'asked by a guardrail' && TOKEN_STEPS_TOO.has(reason));
  return ofToken ? { step: 'token', refusal: toldBy(demand.token, refusal) } : undefined;
}

export const asRecorded = (reason: Reason): Refusal => refuse(reason, 'as recorded');

/** What fails although only a guardrail asked for it is the guardrail's refusal. */
export const toldBy = (who: Demand['token'], refusal: Refusal): Refusal =>
  who === 'guardrail' ? refuse('guardrail', refusal.detail) : refusal;

/** Steps 2 and 3. */
const OF_ORIGIN = /^(peer_|xfcc_|chain_|origin_certificate_invalid$|forwarder_not_allowed$|bundle_unavailable$)/;
/** Step 6, about the chain. */
const OF_CHAIN = /^(identity_revoked|certificate_revoked|revocation_stale)$/;
/** Steps 4 to 6, as far as they are about the token. */
const OF_TOKEN =
  /^(token_(?!too_old)|binding_mismatch$|credentials_conflict$|keys_unavailable$|store_unavailable$|transaction_revoked$)/;
/** Other steps give these as well; on a guardrail's demand only those about the token do. */
const TOKEN_STEPS_TOO: ReadonlySet<Reason> = new Set<Reason>([
  'binding_missing',
  'binding_unavailable',
  'header_ambiguous',
]);
