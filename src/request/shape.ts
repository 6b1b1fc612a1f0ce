/**
 * Step 1: whether the request can be read in one way only, and what it then says. In: attributes. Out: its shape.
 * Refuses: request_malformed, header_ambiguous, path_ambiguous. Does NOT look at any credential's content.
 */
import type { Attributes, Headers } from '../model/attributes.js';
import { readPath, withoutQuery } from '../model/path.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';
import type { Settings } from '../model/settings.js';

export interface Target {
  readonly method: string;
  /** Decoded path segments, without the query. */
  readonly segments: readonly string[];
  /** Lower case, without port. */
  readonly host: string;
}

export interface Shape extends Target {
  /** The request asks for another protocol on this connection (WebSocket). */
  readonly upgrade: boolean;
}

/** Headers by which an application may see another method or path than Envoy routed. */
export const OVERRIDE_HEADERS: readonly string[] = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
];

export const FORWARDED_HEADER = 'x-forwarded-client-cert';

export function readShape(attributes: Attributes, settings: Pick<Settings, 'allowHeaders' | 'tokens'>): Result<Shape> {
  const { method, path, host, headers } = attributes;
  const refused = unreadableMethod(method) ?? ambiguousHeader(headers, settings) ?? ambiguousHost(host);
  if (refused !== undefined) return refused;
  const segments = segmentsOf(path);
  if (!segments.ok) return segments;
  return ok({ method, segments: segments.value, host: hostName(host), upgrade: asksForUpgrade(headers) });
}

/** The same without any header: what method, path and host alone say. */
export function readTarget({ method, path, host }: Pick<Attributes, 'method' | 'path' | 'host'>): Result<Target> {
  const refused = unreadableMethod(method) ?? ambiguousHost(host);
  if (refused !== undefined) return refused;
  const segments = segmentsOf(path);
  return segments.ok ? ok({ method, segments: segments.value, host: hostName(host) }) : segments;
}

const unreadableMethod = (method: string): Refusal | undefined =>
  /^[A-Z]+$/.test(method)
    ? undefined
    : refuse(
        'request_malformed',
        'the method is not upper-case letters',
        'methods are upper-case letters, for example GET',
      );

function segmentsOf(target: string): Result<readonly string[]> {
  const path = readPath(withoutQuery(target));
  if (path.ok) return ok(path.segments);
  const problem = `the path is ambiguous: ${path.problem}`;
  return refuse('path_ambiguous', problem, problem);
}

function ambiguousHeader(headers: Headers, settings: Pick<Settings, 'allowHeaders' | 'tokens'>): Refusal | undefined {
  for (const place of new Set(settings.tokens.map(({ from }) => from))) {
    const values = headers.all(place);
    if (values.length > 1 || values.some((value) => value.includes(','))) {
      return refuse('header_ambiguous', `${place} comes more than once`, `send ${place} once`);
    }
  }
  // Envoy joins several lines into one; a second line was put there by somebody else.
  if (headers.all(FORWARDED_HEADER).length > 1)
    return refuse('header_ambiguous', `${FORWARDED_HEADER} comes in several lines`);
  const override = headers.names.find((name) => isOverride(name, settings.allowHeaders));
  if (override === undefined) return undefined;
  return refuse(
    'header_ambiguous',
    `the header ${override} may change what the application sees`,
    `remove the header ${override}, or list it in request.allowHeaders`,
  );
}

/** Applications behind CGI-like gateways cannot tell `_` from `-`. */
function isOverride(name: string, allowed: readonly string[]): boolean {
  const plain = name.replaceAll('_', '-');
  return OVERRIDE_HEADERS.includes(plain) && !allowed.includes(name);
}

/** Two Host lines of HTTP/1 arrive joined with a comma. */
const ambiguousHost = (host: string): Refusal | undefined =>
  host.includes(',') ? refuse('header_ambiguous', 'host comes more than once', 'send one host') : undefined;

export const hostName = (host: string): string => host.replace(/:\d*$/, '').toLowerCase();

const asksForUpgrade = (headers: Headers): boolean =>
  headers.all('upgrade').length > 0 || headers.all(':protocol').length > 0;
