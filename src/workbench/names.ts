/**
 * Whom a scenario's words mean. In: `frontend`, `ns/shop/sa/frontend`, a SPIFFE ID or `outside`, and the settings. Out: a
 * SPIFFE ID, or what is wrong in one sentence. Does NOT ask whether anybody by that name exists, is trusted or listed.
 */
import { parseSpiffeId, parseTrustDomain, pathSegments, trustDomainOf } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import { nearest } from '../model/nearest.js';
import type { IssuerSettings, Settings } from '../model/settings.js';
import { matchesScope } from '../model/patterns.js';
import type { Scenario, ScenarioToken } from './scenario.js';

export const OUTSIDE = 'outside';

/** A problem is told as an object, because every name is a text too. */
export interface Problem {
  readonly problem: string;
}

export type NameSettings = Pick<Settings, 'workload' | 'trust' | 'origin'>;

/** Who is guarded; where the configuration leaves that to each check, somebody of the first trust domain. */
export function guardedWorkload({ workload, trust }: Pick<Settings, 'workload' | 'trust'>): SpiffeId {
  if (workload !== null) return workload;
  const domain = [...trust.keys()][0] ?? parseTrustDomain('example');
  return `spiffe://${domain}/ns/default/sa/guarded` as SpiffeId;
}

/** The workload that `text` names. A bare name is a listed forwarder of that last segment, else a neighbour of the guard. */
export function workloadNamed(text: string, settings: NameSettings): SpiffeId | Problem {
  const guard = guardedWorkload(settings);
  if (text.includes('://')) return parsed(text, text);
  if (text.includes('/')) return parsed(`spiffe://${trustDomainOf(guard)}/${text.replace(/^\//, '')}`, text);
  const forwarders = forwardersNamed(text, settings);
  if (forwarders.length > 1)
    return { problem: `${text} is the last segment of ${forwarders.join(' and ')}: write one` };
  return forwarders[0] ?? parsed([...guard.split('/').slice(0, -1), text].join('/'), text);
}

/** Who is listed need not be spelled out; a bare name that nobody is listed under is a slip of the pen. */
export function forwarderNamed(text: string, settings: NameSettings): SpiffeId | Problem {
  if (text.includes('/') || forwardersNamed(text, settings).length > 0) return workloadNamed(text, settings);
  const listed = [...settings.origin.forwarders.keys()].map(lastSegment);
  const meant = nearest(text, listed);
  if (meant !== undefined) return { problem: `no forwarder is listed as ${text}: did you mean ${meant}?` };
  const known = listed.length === 0 ? 'origin.forwarders is empty' : `listed are ${listed.join(', ')}`;
  return {
    problem: `no forwarder is listed as ${text} (${known}); for any other workload write its path, such as ns/shop/sa/${text}`,
  };
}

const lastSegment = (id: SpiffeId): string => pathSegments(id).at(-1) ?? '';

const forwardersNamed = (name: string, { origin }: NameSettings): SpiffeId[] =>
  [...origin.forwarders.keys()].filter((id) => lastSegment(id) === name);

function parsed(id: string, text: string): SpiffeId | Problem {
  return (
    parseSpiffeId(id) ?? {
      problem: `${JSON.stringify(text)} names no workload: write spiffe://prod.example/ns/shop/sa/frontend, ns/shop/sa/frontend, frontend or outside`,
    }
  );
}

/** The configured issuer of a scenario's token: as named, else the only one that may give all its scopes. */
export function issuerNamed(
  { issuer, scopes }: Pick<ScenarioToken, 'issuer' | 'scopes'>,
  { tokens }: Pick<Settings, 'tokens'>,
): IssuerSettings | string | Problem {
  if (issuer !== undefined) return tokens.find((entry) => entry.issuer === issuer) ?? unlisted(issuer, tokens);
  const able = tokens.filter(({ grants }) =>
    scopes.every((scope) => grants.some((grant) => matchesScope(grant, scope))),
  );
  const fitting = able.length === 0 ? tokens : able;
  const [first, second] = new Set(fitting.map((entry) => entry.issuer));
  const entry = fitting[0];
  if (entry === undefined || first === undefined)
    return { problem: 'no issuer is configured in tokens: leave the token out (--no-token)' };
  if (second === undefined) return entry;
  return {
    problem: `several issuers could give this token: name one (--issuer ${first}), or leave the token out (--no-token)`,
  };
}

/** A stranger's name, to see it refused; what is no URL is rather a slip of the pen. */
function unlisted(issuer: string, tokens: readonly IssuerSettings[]): string | Problem {
  if (issuer.includes('://')) return issuer;
  const known = [...new Set(tokens.map((entry) => entry.issuer))];
  return { problem: `no issuer is configured as ${issuer}: configured are ${known.join(', ') || 'none'}` };
}

/** What is wrong with a scenario before anything is forged for it, and in which part; undefined where nothing is. */
export function scenarioProblem(
  { as, via, token }: Pick<Scenario, 'as' | 'via' | 'token'>,
  settings: NameSettings & Pick<Settings, 'tokens'>,
): (Problem & { readonly about: 'as' | 'via' | 'issuer' }) | undefined {
  const who = as === OUTSIDE ? undefined : workloadNamed(as, settings);
  if (isProblem(who)) return { ...who, about: 'as' };
  const through = via.map((name) => forwarderNamed(name, settings)).find(isProblem);
  if (through !== undefined) return { ...through, about: 'via' };
  const issuer = token === undefined ? undefined : issuerNamed(token, settings);
  return isProblem(issuer) ? { ...issuer, about: 'issuer' } : undefined;
}

export const isProblem = (found: unknown): found is Problem =>
  typeof found === 'object' && found !== null && 'problem' in found;
