/**
 * Compares what happened with what must happen, by three witnesses: Envoy's answer, the workload's own log, and the guard's
 * audit record. In: a performance and its expectation. Out: every difference in words; none means the row is right.
 */
import type { AccessLog, AuditLog, AuditRecord } from './audit-log.js';
import type { Expected } from './expected.js';
import type { Performance } from './perform.js';
import type { Arrival, Upstream } from './upstream.js';

export interface Witnesses {
  readonly audit: AuditLog;
  readonly upstream: Upstream;
  /** No witness; asked only to explain a difference. */
  readonly access: AccessLog;
}

export interface Verdict {
  readonly performance: Performance;
  /** The record of this very decision, where there is exactly one. */
  readonly record: AuditRecord | undefined;
  readonly differences: readonly string[];
}

const ORIGIN = 'x-firsthand-origin';
const DECISION = 'x-firsthand-decision';

/** The id of the decision, as the workload saw it (allow) or as the caller did (deny). */
export function decisionId(performance: Performance, upstream: Upstream): string | undefined {
  const seen = upstream.arrivals(performance.callId)[0]?.headers.get(DECISION)?.[0];
  return seen ?? performance.answer.headers.get(DECISION);
}

export function judge(performance: Performance, expected: Expected | undefined, witnesses: Witnesses): Verdict {
  const { answer, callId } = performance;
  const id = decisionId(performance, witnesses.upstream);
  // Without an id nobody was told of a decision; one that was made all the same belongs into the message.
  const records = id === undefined ? witnesses.audit.byRequest(callId) : witnesses.audit.byDecision(id);
  const record = records.length === 1 ? records[0] : undefined;
  if (expected === undefined) return { performance, record, differences: ['nothing is expected of this row'] };
  const got = answer.grpcStatus ?? answer.status;
  const differences = [
    ...differs('Envoy answered', got, expected.answer),
    ...judgeArrivals(witnesses.upstream.arrivals(callId), isAllowed(expected), expected),
    ...(expected.reason === null
      ? differs('records of the guard, which must not be asked:', witnesses.audit.byRequest(callId).length, 0)
      : judgeRecords(records, id === undefined ? [] : witnesses.audit.incidents(id), expected, performance)),
  ];
  const said = witnesses.access.details(callId);
  if (got !== expected.answer && said !== undefined) differences.push(`the access log of the sidecar says ${said}`);
  return { performance, record, differences };
}

/** 200 over HTTP, 0 over gRPC; a gRPC status is never 200. */
const isAllowed = (expected: Expected): boolean => expected.answer === 200 || expected.answer === 0;

function judgeArrivals(arrivals: readonly Arrival[], allowed: boolean, expected: Expected): string[] {
  const count = differs('requests that reached the workload:', arrivals.length, allowed ? 1 : 0);
  const origins = arrivals.flatMap((arrival) => arrival.headers.get(ORIGIN) ?? []);
  const wanted = allowed && expected.origin !== null ? [expected.origin] : [];
  return [...count, ...differs('the workload saw the origin', origins.join(' and '), wanted.join())];
}

const told = (event: AuditRecord): string => `${String(event['origin'])} after ${String(event['first_presenter'])}`;
const incidentOf = ({ origin, incident }: Expected): string => `${String(origin)} after ${String(incident)}`;

function judgeRecords(
  records: readonly AuditRecord[],
  incidents: readonly AuditRecord[],
  expected: Expected,
  { row, callId }: Performance,
): string[] {
  const record = records[0];
  if (record === undefined || records.length > 1) return differs('audit records of this decision:', records.length, 1);
  return [
    ...differs('the record says', record['decision'], isAllowed(expected) ? 'allow' : 'deny'),
    ...differs('the reason is', record['reason'], expected.reason),
    ...differs('the recorded origin is', record['origin'] ?? null, expected.origin),
    // The public listener replaces the request ids of strangers.
    ...(row.to === 'public' ? [] : differs('the recorded request id is', record['request_id'], callId)),
    ...differs('incidents:', incidents.map(told).join(), expected.incident === undefined ? '' : incidentOf(expected)),
    ...(expected.cache === undefined ? [] : differs('the cache says', record['cache'], expected.cache)),
  ];
}

const differs = (what: string, got: unknown, wanted: unknown): string[] =>
  got === wanted ? [] : [`${what} ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`];
