/**
 * Outcome → Answer: which headers the upstream gets to see, and what a denied caller is told. In: the outcome, the request.
 * Out: an answer for write-response.ts. Does NOT decide anything.
 */
import type { Attributes } from '../model/attributes.js';
import type { Outcome } from '../model/decision.js';
import { trustDomainOf } from '../model/ids.js';
import { isAllow } from '../model/reasons.js';
import type { DenyReason } from '../model/reasons.js';
import type { Refusal } from '../model/result.js';
import type { Settings } from '../model/settings.js';
import { denial } from './denial.js';
import type { Answer, HeaderPair, Metadata } from './write-response.js';

export const OURS: readonly string[] = ['x-firsthand-origin', 'x-firsthand-peer', 'x-firsthand-decision'];

export type AnswerSettings = Pick<Settings, 'tokens' | 'denials'>;

/** What an answer depends on besides the decision. */
export interface Asked {
  /** Its caller reads text, not JSON: application/grpc, application/grpc+proto, application/grpc-web … */
  readonly grpc: boolean;
  /** Names of headers that somebody may take for ours. */
  readonly ours: readonly string[];
}

export const askedBy = (attributes: Attributes | undefined): Asked =>
  attributes === undefined
    ? { grpc: false, ours: [] }
    : { grpc: isGrpc(attributes), ours: attributes.headers.names.filter(looksLikeOurs) };

export function answerOf(outcome: Outcome, asked: Asked, settings: AnswerSettings, metadata: Metadata): Answer {
  const { verdict } = outcome;
  if (verdict.kind !== 'deny') return allowed(outcome, asked, settings, metadata);
  const { refusal } = verdict;
  const reason = denyReason(refusal);
  return {
    kind: 'deny',
    reason,
    metadata,
    ...denial({
      reason,
      id: outcome.id,
      hint: refusal.hint,
      detail: detailFor(outcome, settings),
      grpc: asked.grpc,
      scopesRequired: scopesRequired(outcome),
    }),
  };
}

/** A refusal with an allow's reason would be written as an OK. */
function denyReason({ reason }: Refusal): DenyReason {
  if (isAllow(reason)) throw new Error(`${reason} is no reason to refuse`);
  return reason;
}

function allowed(outcome: Outcome, asked: Asked, settings: AnswerSettings, metadata: Metadata): Answer {
  // Nobody vouches for the names in a request that was refused, whatever is answered.
  const { origin, peer } = outcome.verdict.kind === 'allow' ? outcome.findings : {};
  const set: HeaderPair[] = [['x-firsthand-decision', outcome.id]];
  if (origin?.kind === 'workload') set.push(['x-firsthand-origin', origin.id]);
  if (peer !== undefined) set.push(['x-firsthand-peer', peer.id]);
  const kept = new Set(set.map(([name]) => name));
  const remove = new Set(
    [...OURS, ...asked.ours, ...withheldTokens(outcome, settings)].filter((name) => !kept.has(name)),
  );
  return { kind: 'allow', set, remove: [...remove], metadata };
}

/** Some applications cannot tell `x_firsthand_origin` from `x-firsthand-origin`. */
const looksLikeOurs = (name: string): boolean => OURS.includes(name.replaceAll('_', '-'));

/**
 * Where `forward: false` keeps the token from the upstream. On lines that look at no token, nobody knows whose it is: it
 * is removed where no issuer of that place lets it pass.
 */
function withheldTokens({ findings }: Outcome, { tokens }: AnswerSettings): readonly string[] {
  const { token } = findings;
  if (token !== undefined) return token.issuer.forward ? [] : [token.issuer.from];
  return tokens
    .map(({ from }) => from)
    .filter((place) => tokens.every(({ from, forward }) => from !== place || !forward));
}

/** `auto`: callers of our own trust domain may learn the reason, everybody else nothing. */
function detailFor({ findings, guard }: Outcome, { denials }: AnswerSettings): 'none' | 'reason' | 'hint' {
  if (denials !== 'auto') return denials;
  if (findings.peer === undefined || guard === undefined) return 'none';
  return trustDomainOf(findings.peer.id) === trustDomainOf(guard) ? 'reason' : 'none';
}

const isGrpc = ({ headers }: Attributes): boolean =>
  headers.all('content-type').some((value) => value.toLowerCase().startsWith('application/grpc'));

function scopesRequired({ findings }: Outcome): readonly string[] {
  const rule = findings.route?.line?.scopes;
  return rule !== undefined && 'scopes' in rule ? rule.scopes : [];
}
