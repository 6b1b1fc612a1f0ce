/**
 * Where a recorded request leads today. In: an audit record, the config. Out: its route, or that step 1 refuses it again, or
 * why neither can be known: a path that was not recorded, or as a template only.
 */
import { readPath } from '../model/path.js';
import type { Route } from '../model/policy.js';
import type { Reason } from '../model/reasons.js';
import { refuse } from '../model/result.js';
import type { Refusal } from '../model/result.js';
import type { AuditedCheck } from './audited.js';
import type { Refused } from './refused.js';
import type { Against } from './told.js';

export type Routed =
  | { readonly kind: 'route'; readonly route: Route }
  /** Step 1 refused, and does so again. */
  | { readonly kind: 'refused again' }
  /** There are no valid lines. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unknown'; readonly why: string };

const UNREADABLE: ReadonlySet<Reason> = new Set<Reason>(['request_malformed', 'path_ambiguous', 'header_ambiguous']);

/** `{id}` or `**`, as `audit.path: template` writes them. */
const TEMPLATE = /\/(\{[^/]*\}|\*\*)(\/|$)/;

export function auditedRoute({ method, path }: AuditedCheck, refused: Refused, { snapshot }: Against): Routed {
  const reason = refused.kind === 'own' ? refused.reason : undefined;
  const route = path === undefined || method === undefined ? undefined : routeFor(method, path, snapshot.policy);
  // A path whose case is ambiguous may be so no more with other lines.
  if (reason === 'path_ambiguous' && route !== undefined && !route.ambiguous)
    return unknown('the path was ambiguous when this was recorded');
  if (reason !== undefined && UNREADABLE.has(reason)) return { kind: 'refused again' };
  if (snapshot.policy === undefined)
    return { kind: 'refused', refusal: refuse('policy_invalid', 'no valid policy is loaded') };
  if (path === undefined || method === undefined) return unknown('the record has no path or no method');
  if (TEMPLATE.test(path)) return unknown('the record has a template in place of the path');
  return route === undefined ? unknown('the path in the record can not be read') : { kind: 'route', route };
}

const unknown = (why: string): Routed => ({ kind: 'unknown', why });

function routeFor(method: string, path: string, policy: Against['snapshot']['policy']): Route | undefined {
  const reading = readPath(path);
  return reading.ok ? policy?.route(method, reading.segments) : undefined;
}
