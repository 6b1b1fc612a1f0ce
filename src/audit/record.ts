/**
 * Outcome → what is told about it: the audit record and Envoy's dynamic metadata. In: an Outcome, the request's facts. Out:
 * plain fields, each chosen by name (contract section 7), each bounded; an absent value is left out. Pure. Does NOT decide
 * whether a record is written: that is `leavesRecord`, with the caller's dice.
 */
import type { Outcome } from '../model/decision.js';
import type { Claims } from '../model/evidence.js';
import type { WorkloadOrigin } from '../model/origin.js';
import type { Line, Route } from '../model/policy.js';
import type { Reason } from '../model/reasons.js';
import type { AuditSettings, DataLabel } from '../model/settings.js';
import { explanation } from './explanation.js';
import { recordedHost, recordedPath, traceId } from './request-facts.js';
import type { RequestFacts } from './request-facts.js';
import { isoTime, list, present, text } from './text.js';

/** What the answer and the record both say. */
export interface AnswerFields {
  readonly decision: 'allow' | 'deny';
  readonly reason: Reason;
  readonly rule?: number;
  readonly origin?: string;
  readonly peer?: string;
  readonly chain?: string[];
  readonly scopes_held?: string[];
  readonly scopes_required?: string[];
  readonly token?: string;
  readonly certificate?: string;
  readonly id: string;
  readonly cache: 'hit' | 'miss';
  readonly mode: 'enforce' | 'shadow';
  /** Why the request would have been refused, had the mode not been shadow. */
  readonly shadow?: Reason;
  readonly policy?: string;
}

export interface TokenFields {
  readonly issuer?: string;
  readonly subject?: string;
  readonly jti?: string;
  readonly txn?: string;
  /** The actors of a verified token, the one that acts now first. */
  readonly act?: string[];
  /** Set once it has passed: when the issuer expected the token to be renewed. */
  readonly warn_after?: string;
}

export interface AuditRecord extends AnswerFields, TokenFields {
  readonly time: string;
  readonly event: 'decision';
  /** What a token that did not verify says about itself. */
  readonly claimed?: ClaimedFields;
  readonly owner?: string;
  readonly environment?: string;
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly data?: DataLabel;
  readonly trace_id?: string;
  readonly request_id?: string;
  readonly peer_certificate?: string;
  readonly serial?: string;
  readonly not_after?: string;
  readonly latency_us: number;
  readonly ignored_history?: string[];
  readonly policy_stale: boolean;
  readonly detail?: string;
  readonly candidate?: CandidateFields;
  readonly peer_not_verified?: true;
}

/** What the candidate policy would have said. */
export interface CandidateFields {
  readonly decision: 'allow' | 'deny';
  readonly reason: Reason;
  readonly rule?: number;
  readonly policy: string;
}

export interface RecordSettings extends Pick<AuditSettings, 'path'> {
  /** The guard's own. */
  readonly environment: string | null;
}

/**
 * Denials always leave a record, also those that did not count, and so does what a candidate would change; of the allowed
 * ones a share does. `draw` is uniform in [0, 1).
 */
export const leavesRecord = (outcome: Outcome, allowedShare: number, draw: number): boolean =>
  outcome.verdict.kind !== 'allow' || outcome.candidate?.decision === 'deny' || draw < allowedShare;

/** What was answered. An OK in shadow mode is told as `allowed`; the reason against it is `shadowReason`. */
export function reasonOf({ verdict }: Outcome): Reason {
  switch (verdict.kind) {
    case 'allow':
      return verdict.permit.reason;
    case 'deny':
      return verdict.refusal.reason;
    case 'shadow':
      return 'allowed';
  }
}

/** Why the request would have been refused, had the mode not been shadow. */
export const shadowReason = ({ verdict }: Outcome): Reason | undefined =>
  verdict.kind === 'shadow' ? verdict.refusal.reason : undefined;

export function answerMetadata(outcome: Outcome): Record<string, string | number | boolean | string[]> {
  const { candidate } = outcome;
  return {
    ...answerFields(outcome),
    ...(candidate && { candidate_decision: candidate.decision, candidate_reason: candidate.reason }),
  };
}

export function decisionRecord(
  outcome: Outcome,
  request: RequestFacts | undefined,
  settings: RecordSettings,
  latencyUs: number,
): AuditRecord {
  const { findings } = outcome;
  const certificate = workload(outcome)?.certificate;
  return {
    time: isoTime(outcome.time) ?? String(outcome.time),
    event: 'decision',
    ...answerFields(outcome),
    ...tokenFields(outcome),
    ...present<CircumstanceFields>({
      owner: maybe(outcome.owner),
      environment: maybe(settings.environment),
      data: findings.route?.data,
      peer_certificate: findings.peer?.sha256,
      serial: maybe(certificate?.serial),
      not_after: isoTime(certificate?.notAfter),
      latency_us: Math.round(latencyUs),
      ignored_history: notEmpty(findings.origin?.ignoredHistory),
      policy_stale: outcome.policyStale,
      detail: detailOf(outcome, request),
      candidate: outcome.candidate && present<CandidateFields>({ ...outcome.candidate }),
      peer_not_verified: outcome.peerNotVerified ? true : undefined,
    }),
    ...(request === undefined ? {} : requestFields(request, findings.route, settings.path)),
  };
}

type CircumstanceFields = Pick<
  AuditRecord,
  | 'owner'
  | 'environment'
  | 'data'
  | 'peer_certificate'
  | 'serial'
  | 'not_after'
  | 'latency_us'
  | 'ignored_history'
  | 'policy_stale'
  | 'detail'
  | 'candidate'
  | 'peer_not_verified'
>;

function answerFields(outcome: Outcome): AnswerFields {
  const { findings } = outcome;
  const line = ownersLine(outcome);
  return present<AnswerFields>({
    decision: outcome.verdict.kind === 'deny' ? 'deny' : 'allow',
    reason: reasonOf(outcome),
    rule: line?.number,
    origin: maybe(workload(outcome)?.id),
    peer: maybe(findings.peer?.id),
    chain: notEmpty(findings.origin?.chain),
    scopes_held: findings.token === undefined ? undefined : list(findings.token.scopes),
    scopes_required: line === undefined ? undefined : requiredScopes(line),
    token: findings.token?.name,
    certificate: workload(outcome)?.sha256,
    id: outcome.id,
    cache: outcome.cache,
    mode: outcome.mode === 'enforce' ? 'enforce' : 'shadow',
    shadow: shadowReason(outcome),
    policy: outcome.policy,
  });
}

type RequestFields = Pick<AuditRecord, 'method' | 'host' | 'path' | 'trace_id' | 'request_id'>;

export const requestFields = (
  request: Omit<RequestFacts, 'headers'>,
  route: Route | undefined,
  path: RecordSettings['path'],
): RequestFields =>
  present<RequestFields>({
    method: maybe(request.method),
    host: maybe(recordedHost(request.host)),
    path: maybe(recordedPath(request.path, route, path)),
    trace_id: traceId(request.traceparent),
    request_id: maybe(request.requestId),
  });

/** A token's own words stay apart, under `claimed`, until its signature and claims are verified. */
function tokenFields(outcome: Outcome): TokenFields | Pick<AuditRecord, 'claimed'> {
  const { token, presented } = outcome.findings;
  if (token !== undefined)
    return present<TokenFields>({
      issuer: text(token.issuer.issuer),
      subject: maybe(token.subject),
      jti: maybe(token.jti),
      txn: maybe(token.txn),
      act: notEmpty(token.actors),
      warn_after: passed(token.warnAfter, outcome.time),
    });
  const claimed = presented === undefined ? {} : claimedFields(presented.claimed);
  return Object.keys(claimed).length === 0 ? {} : { claimed };
}

/** A fact about this request, and not about the decision: a cached one is told with it as soon as it is true. */
const passed = (time: number | undefined, now: number): string | undefined =>
  time === undefined || now < time ? undefined : isoTime(time);

type ClaimedFields = Omit<TokenFields, 'act' | 'warn_after'>;

const claimedFields = (claims: Claims): ClaimedFields =>
  present<ClaimedFields>({
    issuer: claimedText(claims['iss']),
    subject: claimedText(claims['sub']),
    jti: claimedText(claims['jti']),
    txn: claimedText(claims['txn']),
  });

const claimedText = (claim: unknown): string | undefined => (typeof claim === 'string' ? text(claim) : undefined);

const detailOf = ({ verdict, findings }: Outcome, request: RequestFacts | undefined): string | undefined =>
  verdict.kind !== 'allow' ? explanation(verdict.refusal.detail, request, findings.presented) : undefined;

/** Outside is no origin: nothing is said about it but the chain that begins with the forwarder. */
function workload(outcome: Outcome): WorkloadOrigin | undefined {
  const { origin } = outcome.findings;
  return origin?.kind === 'workload' ? origin : undefined;
}

const ownersLine = ({ verdict, findings }: Outcome): Line | undefined =>
  findings.route?.line ?? (verdict.kind === 'allow' ? verdict.permit.line : undefined);

function requiredScopes({ scopes }: Line): string[] {
  switch (scopes.kind) {
    case 'all':
    case 'any':
      return list(scopes.scopes);
    case 'token':
    case 'workload':
    case 'anyone':
      return [];
  }
}

const maybe = (value: string | null | undefined): string | undefined =>
  value === undefined || value === null || value === '' ? undefined : text(value);

const notEmpty = (values: readonly string[] | undefined): string[] | undefined =>
  values === undefined || values.length === 0 ? undefined : list(values);
