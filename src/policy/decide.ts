import type { Judgement, Permit, Question } from '../model/decision.js';
import type { TrustDomain } from '../model/ids.js';
import type { Instant } from '../model/instant.js';
import type { Line } from '../model/policy.js';
import type { AllowReason } from '../model/reasons.js';
import { refuse } from '../model/result.js';
import type { Refusal } from '../model/result.js';
import { aboveCeiling, ceilingOver, isWithin } from './ceilings.js';
import type { CeilingOf } from './ceilings.js';
import { looksAtOrigin } from './demand.js';
import { unmet } from './unmet.js';
import type { Facts } from './unmet.js';

export { demandOf } from './demand.js';
export type { Demand } from './demand.js';
export type { CeilingOf } from './ceilings.js';

/**
 * The decision (contract section 5, step 7). In: the route, and what earlier steps verified. Out: a sealed permit, or
 * the first thing against it: ceilings, then every guardrail, then the owner's line. Refuses whatever needs a fact that
 * is not there. It does NOT verify origin or token, and does not ask revocations, pins or `once`: check.ts does.
 */
export function decide(
  question: Question,
  ceilingOf: CeilingOf,
  environmentOf: (domain: TrustDomain) => string | null,
  instant: Instant,
): Judgement {
  const { route, origin, credential } = question;
  const { line, guardrails } = route;
  if (line === undefined) return deny(refuse('route_undeclared', 'no line matches the method and path'));
  const ceiling = ceilingOver(origin?.chain ?? [], ceilingOf);
  const scopes = credential?.token.scopes ?? [];
  // An anyone line looks at nobody, so that there is nobody whose ceiling could count.
  const above = looksAtOrigin(line) ? aboveCeiling(route, ceiling, scopes) : undefined;
  if (above !== undefined) return deny(above);
  const facts: Facts = { question, held: scopes.filter((scope) => isWithin(ceiling, scope)), environmentOf, instant };
  for (const guardrail of guardrails) {
    const missing = unmet(guardrail, facts);
    if (missing !== undefined) return deny(asGuardrail(guardrail, missing));
  }
  const missing = unmet(line, facts) ?? unmetUpgrade(line, question.upgrade);
  return missing === undefined ? allow(line) : { ...deny(missing), ...(isOwnLine(missing) && { ownLine: true }) };
}

const deny = (refusal: Refusal): Judgement & { kind: 'deny' } => ({ kind: 'deny', refusal });

/**
 * Ceilings and guardrails are satisfied by then. A missing origin or token is no matter of the line, but of what it is
 * asked about: the steps before this one refuse that on their own account.
 */
const isOwnLine = ({ reason }: Refusal): boolean => reason !== 'origin_unresolved' && reason !== 'token_missing';

/** Guardrails count their lines in policy.guardrails: a hint must not be taken for one about the owner's annotation. */
function asGuardrail(guardrail: Line, missing: Refusal): Refusal {
  const detail = `guardrail line ${String(guardrail.number)}: ${missing.reason}: ${missing.detail}`;
  return refuse('guardrail', detail, `policy.guardrails: ${missing.hint ?? missing.reason}`);
}

/** Only the owner's line says whether a route speaks another protocol. */
function unmetUpgrade(line: Line, upgrade: boolean): Refusal | undefined {
  if (!upgrade || line.conditions.upgrade) return undefined;
  const hint = `the request asks for a protocol upgrade; line ${String(line.number)} does not have upgrade`;
  return refuse('upgrade_not_declared', hint, hint);
}

/** The seal: whatever is not in here was not decided here. Kept true by test/policy/decide.test.ts. */
const permits = new WeakSet<Permit>();

function allow(line: Line): Judgement {
  const permit = Object.freeze({ reason: allowReason(line), line }) as Permit;
  permits.add(permit);
  return { kind: 'allow', permit };
}

function allowReason({ scopes }: Line): AllowReason {
  switch (scopes.kind) {
    case 'all':
    case 'any':
    case 'token':
      return 'allowed';
    case 'workload':
      return 'allowed_workload';
    case 'anyone':
      return 'allowed_anyone';
  }
}

export const isPermit = (value: unknown): value is Permit =>
  typeof value === 'object' && value !== null && permits.has(value as Permit);
