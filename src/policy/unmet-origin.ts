import { trustDomainOf } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import type { VerifiedOrigin } from '../model/origin.js';
import { matchesId } from '../model/patterns.js';
import type { IdPattern } from '../model/patterns.js';
import type { Conditions, Line } from '../model/policy.js';
import { refuse } from '../model/result.js';
import { nameOf } from './missing.js';
import type { EnvironmentOf, Missing } from './missing.js';

/**
 * What a line asks of where a call comes from: its origin, its forwarders, its host. In: the line, and what was verified.
 * Out: the first thing that is missing. `guard` is whom relative patterns are relative to.
 */

/** Outside is no origin: only a line that names the forwarder it stands behind lets it in, and never a workload line. */
export function unmetOutside(line: Line | undefined, origin: VerifiedOrigin, guard: SpiffeId | undefined): Missing {
  if (origin.kind === 'workload') return undefined;
  const doors = line?.scopes.kind === 'workload' ? [] : (line?.conditions.from?.outside ?? []);
  if (matchesAny(doors, origin.behind, guard)) return undefined;
  const who = line === undefined ? 'no line' : `${nameOf(line)} does not`;
  return refuse(
    'origin_unresolved',
    `no workload stands behind the forwarder ${origin.behind}: ${who} let${line === undefined ? 's' : ''} outside in`,
    `the forwarder ${origin.behind} forwarded no workload's identity; a line lets outside in with from=outside@…`,
  );
}

/** A relative pattern is compared with the guard's trust domain; where that is not known it matches nothing. */
function matchesAny(patterns: readonly IdPattern[], id: SpiffeId, guard: SpiffeId | undefined): boolean {
  const own = guard === undefined ? undefined : trustDomainOf(guard);
  return patterns.some((pattern) => matchesId(pattern, id, own));
}

export function unmetFrom(line: Line, origin: VerifiedOrigin, guard: SpiffeId | undefined): Missing {
  const { from } = line.conditions;
  // Outside has passed unmetOutside: the line names its forwarder.
  if (from === null || origin.kind === 'outside') return undefined;
  if (matchesAny(from.origins, origin.id, guard)) return undefined;
  const hint = `the origin is ${origin.id}; ${nameOf(line)} has from=${fromText(from)}`;
  return refuse('caller_not_allowed', hint, hint);
}

const textsOf = (patterns: readonly IdPattern[]): string[] => patterns.map(({ text }) => text);

const fromText = ({ origins, outside }: NonNullable<Conditions['from']>): string =>
  [...textsOf(origins), ...textsOf(outside).map((text) => `outside@${text}`)].join(',');

export function unmetVia(line: Line, { forwarders }: VerifiedOrigin, guard: SpiffeId | undefined): Missing {
  const { via } = line.conditions;
  if (via === null) return undefined;
  const expected = [...textsOf(via.forwarders), ...(via.direct ? ['direct'] : [])].join(',');
  if (forwarders.length === 0) {
    const hint = `the call came without a forwarder; ${nameOf(line)} has via=${expected}`;
    return via.direct ? undefined : refuse('via_mismatch', hint, hint);
  }
  const stranger = forwarders.find((forwarder) => !matchesAny(via.forwarders, forwarder, guard));
  if (stranger === undefined) return undefined;
  const hint = `the call came through ${stranger}; ${nameOf(line)} has via=${expected}`;
  return refuse('via_mismatch', hint, hint);
}

export function unmetHost(line: Line, host: string): Missing {
  const expected = line.conditions.host;
  if (expected === null || expected.includes(host)) return undefined;
  const detail = `the host is ${JSON.stringify(host)}; ${nameOf(line)} has host=${expected.join(',')}`;
  return refuse('host_mismatch', detail, `${nameOf(line)} has host=${expected.join(',')}`);
}

export function unmetEnvironment(line: Line, origin: VerifiedOrigin, environmentOf: EnvironmentOf): Missing {
  const expected = line.conditions.env;
  if (expected === null) return undefined;
  const environment = origin.kind === 'workload' ? environmentOf(trustDomainOf(origin.id)) : null;
  if (environment !== null && expected.includes(environment)) return undefined;
  const hint = `the environment of the origin is ${environment ?? 'not known'}; ${nameOf(line)} has env=${expected.join(',')}`;
  return refuse('environment_mismatch', hint, hint);
}
