/** A denied request as the remedies look at it, and the few readings that several of them share. */
import { pathSegments, trustDomainOf } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import { matchesId } from '../model/patterns.js';
import type { IdPattern } from '../model/patterns.js';
import type { Line } from '../model/policy.js';
import type { IssuerSettings } from '../model/settings.js';
import { speaksFor } from '../origin/token.js';
import type { Change, Remedy } from './change.js';
import type { Cause } from './failed-step.js';
import { withCondition } from './line-text.js';
import type { Scene } from './scene.js';

export interface Case extends Scene {
  readonly cause: Cause;
}

/** The line that refused: a guardrail, or the owner's. */
export const refusingLine = ({ cause, outcome }: Case): Line | undefined =>
  cause.guardrail ?? outcome.findings.route?.line;

export const lineName = (told: Case): string => {
  const number = refusingLine(told)?.number ?? '?';
  return told.cause.guardrail === undefined ? `line ${number}` : `guardrail ${number}`;
};

/** The owner's line with another condition. A guardrail is the operator's word: no change of it is proposed. */
export function byLine(told: Case, text: string, condition: string): Remedy {
  const line = refusingLine(told);
  const written = line && told.context.lines.get(line.number);
  if (told.cause.guardrail !== undefined)
    return { text: `none: ${lineName(told)} is the mesh operator's rule, ask them; ${text}` };
  if (line === undefined || written === undefined) return { text };
  const change: Change = { kind: 'line', number: line.number, text: withCondition(written, condition) };
  return { text, change };
}

/** As an owner writes it: relative to the guard's trust domain where it is of that one. */
export function patternFor(id: SpiffeId, guard: SpiffeId | undefined): string {
  const own = guard !== undefined && trustDomainOf(guard) === trustDomainOf(id);
  return own ? pathSegments(id).join('/') : id;
}

export const matchesSome = (patterns: readonly IdPattern[], id: SpiffeId, guard: SpiffeId | undefined): boolean =>
  patterns.some((pattern) => matchesId(pattern, id, guard && trustDomainOf(guard)));

/** The issuer of the token that was presented: as verified, else as the token says. */
export function issuerOf({ outcome, context }: Case): IssuerSettings | undefined {
  const { token, presented } = outcome.findings;
  if (token !== undefined) return token.issuer;
  const { tokens } = context.settings;
  if (presented === undefined) return undefined;
  return tokens.find((entry) => entry.from === presented.place && speaksFor(entry, presented.claimed));
}

export const indexOfIssuer = ({ context }: Case, issuer: IssuerSettings): number =>
  context.settings.tokens.indexOf(issuer);

export const listed = (words: readonly string[]): string => words.join(' or ');
