/**
 * The record of decisions that differ in nothing but their moment and their request, as text that is put together without
 * JSON. In: an outcome. Out: lines that parse to what `decisionRecord` gives for the same check. Does NOT look at headers:
 * where the explanation of a refusal might quote one, the whole record has to be made (`quotes`).
 * Kept true by test/audit/record-template.test.ts.
 */
import type { Outcome } from '../model/decision.js';
import type { Route } from '../model/policy.js';
import { decisionRecord, requestFields } from './record.js';
import type { RecordSettings } from './record.js';
import { traceId } from './request-facts.js';
import { isoTime, text } from './text.js';

export interface RecordTemplate {
  /** `request` as `requestPart` and `tracePart` give it, `moment` as `momentOf` does. */
  line(id: string, moment: string, microseconds: number, request: string): string;
  /** What the record says of a refusal; undefined where it says nothing. */
  readonly detail: string | undefined;
}

const ID = 'the id of the decision';
const LATENCY = -1;

/** Throws a fault where a record does not fall apart as expected. The outcome's own id and time do not matter. */
export function recordTemplate(outcome: Outcome, settings: RecordSettings): RecordTemplate {
  const record = decisionRecord({ ...outcome, id: ID, time: 0 }, undefined, settings, LATENCY);
  const [beforeTime, dated] = cutAt(JSON.stringify(record), `"time":"${isoTime(0) ?? ''}"`);
  const [beforeId, named] = cutAt(dated, `"id":"${ID}"`);
  const [beforeLatency, rest] = cutAt(named, `"latency_us":${LATENCY}`);
  const [before, between, after] = [`${beforeTime}"time":"`, `"${beforeId}"id":"`, `"${beforeLatency}"latency_us":`];
  const last = rest.slice(0, -1);
  return {
    detail: record.detail,
    line: (id, moment, microseconds, request) =>
      `${before}${moment}${between}${id}${after}${microseconds}${last}${request}}`,
  };
}

/** No text of a record can hold this: inside of one a quote is always escaped. */
function cutAt(json: string, key: string): readonly [string, string] {
  const [before, after, ...more] = json.split(key);
  if (before === undefined || after === undefined || more.length > 0) throw new Error('a record of an unexpected form');
  return [before, after];
}

/** `time` in ms since 1970. */
export const momentOf = (time: number): string => isoTime(time) ?? String(time);

/** What a record says of method, host and path. */
export const requestPart = (
  request: { readonly method: string; readonly host: string; readonly path: string },
  route: Route | undefined,
  path: RecordSettings['path'],
): string => inner(requestFields({ ...request, requestId: undefined, traceparent: undefined }, route, path));

const inner = (fields: object): string => {
  const json = JSON.stringify(fields).slice(1, -1);
  return json === '' ? '' : `,${json}`;
};

/** What it says of the request's own names for itself. */
export function tracePart(traceparent: string | undefined, requestId: string | undefined): string {
  const trace = traceId(traceparent);
  const first = trace === undefined ? '' : `,"trace_id":"${trace}"`;
  if (requestId === undefined || requestId === '') return first;
  return `${first},"request_id":${quoted(text(requestId))}`;
}

/** Most are of letters that mean nothing in JSON. */
const quoted = (value: string): string => (/^[\w-]*$/.test(value) ? `"${value}"` : JSON.stringify(value));
