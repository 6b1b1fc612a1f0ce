/**
 * What a record may say about the request itself. In: Attributes. Out: the few facts, chosen one by one. Everything here
 * is a stranger's word: nothing in it is verified, and the target still holds its query until `recordedPath` removes it.
 */
import type { Attributes, Headers } from '../model/attributes.js';
import type { Route } from '../model/policy.js';
import type { AuditSettings } from '../model/settings.js';

export interface RequestFacts {
  readonly method: string;
  readonly host: string;
  /** The raw request target, with its query. */
  readonly path: string;
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
  /** Only to find their values in texts that must not show them. */
  readonly headers: Headers;
}

export function requestFacts(attributes: Attributes): RequestFacts {
  return {
    method: attributes.method,
    host: attributes.host,
    path: attributes.path,
    requestId: attributes.headers.all('x-request-id')[0],
    traceparent: only(attributes.headers.all('traceparent')),
    headers: attributes.headers,
  };
}

const only = (values: readonly string[]): string | undefined => (values.length === 1 ? values[0] : undefined);

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** W3C Trace Context §3.2.2: version 00 ends after the flags, later ones may go on; all-zero ids are invalid. */
export function traceId(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined || traceparent.length > 512) return undefined;
  const match = TRACEPARENT.exec(traceparent);
  if (match === null) return undefined;
  return traceparent.startsWith('00') && match[2] !== undefined ? undefined : match[1];
}

/** A host never has user information (RFC 9110 §4.2.4); where a client sent some, its password stays out of records. */
export const recordedHost = (host: string): string => host.slice(host.lastIndexOf('@') + 1);

export function recordedPath(
  target: string,
  route: Route | undefined,
  setting: AuditSettings['path'],
): string | undefined {
  switch (setting) {
    case 'raw':
      return rawPath(target);
    case 'template':
      return route?.line?.path.text;
    case 'none':
      return undefined;
  }
}

/**
 * Up to where any reader might see the query begin, also one that decodes first: such requests are refused as ambiguous,
 * but their record must not hold what the client meant as a query value. Absolute targets may hold a password.
 */
function rawPath(target: string): string | undefined {
  if (!target.startsWith('/') && target !== '*') return undefined;
  const end = target.search(/[?#]|%(?:25)*(?:3f|23)/i);
  return end < 0 ? target : target.slice(0, end);
}
