/** What would make a request readable in one way only: what step 1 refuses, and the limits. */
import { readPath, withoutQuery, foldAscii } from '../model/path.js';
import type { Line } from '../model/policy.js';
import { FORWARDED_HEADER, OVERRIDE_HEADERS } from '../request/shape.js';
import { byRequest, no } from './change.js';
import type { Remedy } from './change.js';
import type { Case } from './case.js';
import { shown } from './shown.js';

export function malformedRequest({ attributes }: Case): Remedy {
  if (attributes === undefined)
    return no(
      'none: Envoy sends no such CheckRequest; look at what stands between Envoy and the guard, and at the protocol version (transport_api_version: V3)',
    );
  const method = attributes.method.toUpperCase();
  if (!/^[A-Z]+$/.test(method)) return no('none: no line can name such a method; the caller must send a known one');
  return byRequest(`the caller must write the method in capitals: ${method}`, { method });
}

export function ambiguousPath(told: Case): Remedy {
  const { attributes, outcome } = told;
  if (outcome.findings.route?.ambiguous === true) return otherCase(told);
  const path = plainPath(withoutQuery(attributes?.path ?? ''));
  const advice =
    'no line can allow it, because two readers would take it for two paths; Envoy can clean paths before the guard (normalize_path, merge_slashes)';
  if (path === undefined) return no(`the caller must send the path in its plain spelling; ${advice}`);
  return byRequest(`the caller must send ${shown(path)}; ${advice}`, { path });
}

/** Without empty and dot segments (RFC 3986 §5.2.4); undefined where that does not make it plain. */
function plainPath(path: string): string | undefined {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const plain = `/${kept.join('/')}`;
  return plain !== path && readPath(plain).ok ? plain : undefined;
}

/** The spelling of the line that a reader without regard to case would have taken. */
function otherCase({ shape, context }: Case): Remedy {
  const segments = shape?.segments ?? [];
  const lines = [...(context.policy?.lines ?? []), ...(context.policy?.guardrails ?? [])];
  const spelt = lines.map((line) => inCaseOf(line, segments)).find((path) => path !== undefined);
  const why = 'the path differs from a declared one only in upper and lower case';
  if (spelt === undefined) return no(`none: ${why}`);
  return byRequest(`${why}: the caller must send ${shown(spelt)}`, { path: spelt });
}

function inCaseOf({ path }: Line, segments: readonly string[]): string | undefined {
  const fits = path.rest ? segments.length >= path.segments.length : segments.length === path.segments.length;
  if (!fits) return undefined;
  const spelt = segments.map((segment, index) => {
    const pattern = path.segments[index];
    if (pattern?.kind !== 'literal') return segment;
    return foldAscii(pattern.text) === foldAscii(segment) ? pattern.text : undefined;
  });
  if (spelt.includes(undefined) || spelt.join('/') === segments.join('/')) return undefined;
  return `/${spelt.map((segment) => encodeURIComponent(segment ?? '')).join('/')}`;
}

export function ambiguousHeader({ attributes, context }: Case): Remedy {
  if (attributes === undefined)
    return no('none: Envoy writes each header line once; look at what stands between Envoy and the guard');
  const { headers, host } = attributes;
  const { settings } = context;
  const place = settings.tokens
    .map(({ from }) => from)
    .find((from) => headers.all(from).length > 1 || headers.all(from).some((value) => value.includes(',')));
  if (place !== undefined)
    return byRequest(`the caller must send ${place} once, with one value: two readers would take two tokens`, {
      once: place,
    });
  if (headers.all(FORWARDED_HEADER).length > 1)
    return no(
      `none: Envoy joins ${FORWARDED_HEADER} into one line, so somebody else wrote another one; find out who, and strip it at the edge (SANITIZE_SET)`,
    );
  const overrides = headers.names.filter(
    (name) => OVERRIDE_HEADERS.includes(name.replaceAll('_', '-')) && !settings.allowHeaders.includes(name),
  );
  if (overrides.length > 0)
    return byRequest(
      `the caller must leave out ${overrides.join(', ')}: the application could see another method or path than the line was looked up for (an application that ignores it: list it in request.allowHeaders)`,
      { without: overrides },
    );
  if (host.includes(',')) return byRequest('the caller must send one Host', { once: 'host' });
  return no('none: a header can be read in two ways');
}

export function beyondLimit({ cause, outcome }: Case): Remedy {
  const where = outcome.findings.route === undefined ? 'the request' : 'a credential of the request';
  return no(
    `none: the limits are fixed, and ${where} is beyond one (${shown(cause.detail)}); the caller must send less`,
  );
}

export const malformedForwarded = (): Remedy =>
  no(
    `none: Envoy writes a well-formed ${FORWARDED_HEADER}, so text in it comes from a stranger or from a certificate made to confuse; strip it at the edge (SANITIZE_SET), and look at who sent it`,
  );
