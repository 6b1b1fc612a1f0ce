/** What would satisfy the line. */
import { trustDomainOf } from '../model/ids.js';
import { matchesScope } from '../model/patterns.js';
import type { Line } from '../model/policy.js';
import { isWithin } from '../policy/ceilings.js';
import { byLine, indexOfIssuer, lineName, matchesSome, patternFor, refusingLine } from './case.js';
import type { Case } from './case.js';
import { byCaller, byConfig, byRequest, byToken, no } from './change.js';
import type { Remedy } from './change.js';
import { ceilingOf } from './remedy-ceiling.js';
import { shown, shownList } from './shown.js';

/** The scopes that the line still needs: all of them, or the first alternative within the ceiling. */
function lacking(told: Case, line: Line, held: readonly string[]): readonly string[] {
  switch (line.scopes.kind) {
    case 'all':
      return line.scopes.scopes.filter((scope) => !held.includes(scope));
    case 'any':
      return line.scopes.scopes.filter((scope) => isWithin(ceilingOf(told), scope)).slice(0, 1);
    case 'token':
    case 'workload':
    case 'anyone':
      return [];
  }
}

export function missingScope(told: Case): Remedy {
  const line = refusingLine(told);
  const { token } = told.outcome.findings;
  if (line === undefined || token === undefined) return no('none: the token lacks a scope');
  const within = token.scopes.filter((scope) => isWithin(ceilingOf(told), scope));
  const needed = lacking(told, line, within);
  const held = within.length === 0 ? 'no scope that counts' : shownList(within);
  const beyond = needed.filter((scope) => !token.issuer.grants.some((grant) => matchesScope(grant, scope)));
  if (beyond.length > 0)
    return byConfig(
      `token has ${held}; ${lineName(told)} needs ${needed.join(' ')}, which ${token.issuer.issuer} can not give: its grants do not list ${beyond.join(' ')}; the operator adds it, or a token of another issuer is needed`,
      ['tokens', indexOfIssuer(told, token.issuer), 'grants'],
      [...token.issuer.grants, ...beyond],
    );
  return byToken(
    `token has ${held}; ${lineName(told)} needs ${needed.join(' ')}: ${token.issuer.issuer} must give the caller that scope${misspelt(needed, within)}`,
    // What a stranger made look like a secret is left out.
    { scopes: [...token.scopes.filter((scope) => shown(scope) === scope), ...needed] },
  );
}

/** Scopes that differ from a held one in nothing but signs and capitals are somebody's slip. */
function misspelt(needed: readonly string[], held: readonly string[]): string {
  const plain = (scope: string): string => scope.toLowerCase().replace(/[^a-z0-9]/g, '');
  for (const scope of needed) {
    const alike = held.find((other) => plain(other) === plain(scope));
    if (alike !== undefined) return `; it gave ${shown(alike)}: if that is the same, the line should be spelled so`;
  }
  return '';
}

export function strangeCaller(told: Case): Remedy {
  const line = refusingLine(told);
  const { origin } = told.outcome.findings;
  if (line === undefined || origin?.kind !== 'workload') return no('none: this workload may not call the route');
  const { from } = line.conditions;
  const who = patternFor(origin.id, told.outcome.guard);
  const patterns = [...(from?.origins ?? []).map(({ text }) => text), who];
  const outside = (from?.outside ?? []).map(({ text }) => `outside@${text}`);
  return byLine(
    told,
    `${origin.id} called; ${lineName(told)} does not list it. If it is to call this route, the owner adds ${who} to from=`,
    `from=${[...patterns, ...outside].join(',')}`,
  );
}

/** A forwarder that the line names, if it may speak for the origin; else the line is written for the way it came. */
export function otherWay(told: Case): Remedy {
  const line = refusingLine(told);
  const { origin } = told.outcome.findings;
  const via = line?.conditions.via ?? null;
  if (origin === undefined || via === null) return no('none: the route may not be called through these proxies');
  const { guard } = told.outcome;
  const came = origin.forwarders.length === 0 ? 'directly' : `through ${origin.forwarders.join(', ')}`;
  const through = [...told.context.settings.origin.forwarders.values()].find(
    ({ id, origins }) =>
      matchesSome(via.forwarders, id, guard) && origin.kind === 'workload' && matchesSome(origins, origin.id, guard),
  );
  if (through !== undefined)
    return byCaller(
      `the call came ${came}; ${lineName(told)} lets it in through ${through.id}: call through that one`,
      {
        via: [through.id],
      },
    );
  if (via.direct && origin.kind === 'workload')
    return byCaller(`the call came ${came}; ${lineName(told)} lets it in directly: call without a forwarder`, {
      via: [],
    });
  const strangers = origin.forwarders.filter((id) => !matchesSome(via.forwarders, id, guard));
  const added = strangers.length === 0 ? ['direct'] : strangers.map((id) => patternFor(id, guard));
  const words = [...via.forwarders.map(({ text }) => text), ...(via.direct ? ['direct'] : []), ...added];
  return byLine(
    told,
    `the call came ${came}; ${lineName(told)} has via= for another way. If this way is meant too, the owner adds ${added.join(',')} to via=`,
    `via=${words.join(',')}`,
  );
}

export function otherHost(told: Case): Remedy {
  const [host, ...others] = refusingLine(told)?.conditions.host ?? [];
  if (host === undefined) return no('none: the route is not served under this host');
  return byRequest(
    `${lineName(told)} is served under ${[host, ...others].join(' or ')}: the caller must use that host`,
    {
      host,
    },
  );
}

export function otherEnvironment(told: Case): Remedy {
  const { origin } = told.outcome.findings;
  const expected = refusingLine(told)?.conditions.env ?? [];
  if (origin?.kind !== 'workload')
    return no('none: nobody knows the environment of traffic from beyond the mesh, and the line asks for one');
  const domain = trustDomainOf(origin.id);
  const environment = told.context.settings.trust.get(domain)?.environment ?? null;
  if (environment === null && expected[0] !== undefined)
    return byConfig(
      `nobody has said which environment the trust domain ${domain} is: the operator names it (trust.${domain}.environment), if it is ${expected.join(' or ')}`,
      ['trust', domain, 'environment'],
      expected[0],
    );
  return byLine(
    told,
    `none, if ${lineName(told)} means to keep ${environment ?? 'others'} out. Else the owner adds ${environment ?? 'it'} to env=`,
    `env=${[...expected, environment ?? ''].join(',')}`,
  );
}

export const oldToken = (told: Case): Remedy =>
  byToken(`${lineName(told)} takes young tokens only: the caller must fetch a new one for this call`);

export const noUpgrade = (told: Case): Remedy =>
  byLine(
    told,
    `the request asks for another protocol (WebSocket, or HTTP/2 extended CONNECT). If the route speaks one, the owner writes upgrade on ${lineName(told)}; one check then stands for the whole stream`,
    'upgrade',
  );
