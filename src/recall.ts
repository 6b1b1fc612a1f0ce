/**
 * Around the story: finding a decision that was made before, and writing what the final allow must write.
 * A found decision is asked of revocations and pins once more; whatever they say against it sends the request the whole
 * way, so that the reason is the one that the uncached engine gives.
 */
import { hash } from 'node:crypto';
import type { Ask, CheckDependencies, Draft } from './ask.js';
import type { Decision, Findings, Mode } from './model/decision.js';
import { trustDomainOf } from './model/ids.js';
import type { Sha256Hex } from './model/ids.js';
import type { VerifiedOrigin, WorkloadOrigin } from './model/origin.js';
import type { Claims, PinClaim, Presentation, Use } from './model/pin.js';
import type { Line, Route } from './model/policy.js';
import type { Answer, PinKnowledge } from './model/ports.js';
import { ok, refuse } from './model/result.js';
import type { Refusal, Result } from './model/result.js';
import type { Bound, Credential, VerifiedToken } from './model/token.js';
import { isVerifiedOrigin } from './origin/verify.js';
import { demandOf, isPermit } from './policy/decide.js';
import { FORWARDED_HEADER } from './request/shape.js';
import { decisionKey } from './state/decision-cache.js';
import type { CachedDecision, KeyInputs } from './state/decision-cache.js';
import { needsFreshRevocations } from './stale.js';
import { heard, run } from './waiting.js';
import type { Soon, Steps } from './waiting.js';

const linesOf = (route: Route): readonly Line[] =>
  route.line === undefined ? route.guardrails : [route.line, ...route.guardrails];

/** `fresh` is decided anew each time, and so is `once`; what looks at nobody is cheaper to decide than to find. */
export const isRecallable = ({ route, beside }: Pick<Ask, 'route' | 'beside'>): boolean =>
  demandOf(route).origin !== 'no' && mayRepeat(route) && (beside === undefined || mayRepeat(beside));

const mayRepeat = (route: Route): boolean =>
  !linesOf(route).some(({ conditions }) => conditions.fresh || conditions.once);

/** The parts of a key that method and path select. */
export const routeInputs = (
  route: Route,
  beside: Route | undefined,
): Pick<KeyInputs, 'line' | 'guardrails' | 'candidateLine'> => ({
  line: String(route.line?.number ?? ''),
  guardrails: route.guardrails.map(({ number }) => number).join(),
  // Both policies have the same guardrails; but which case counts as ambiguous depends on all the lines.
  candidateLine: beside === undefined ? '' : `${beside.line?.number ?? ''} ${beside.ambiguous}`,
});

/** No token counts where neither policy looks at one. */
export const isBlind = ({ route, beside }: Pick<Ask, 'route' | 'beside'>): boolean =>
  [route, beside].every((each) => each === undefined || demandOf(each).token === 'no');

export type KeyQuestion = Pick<Ask, 'attributes' | 'shape' | 'route' | 'beside' | 'snapshot' | 'deps'>;

export function recallKey({ attributes, shape, route, beside, snapshot, deps }: KeyQuestion): string {
  const { headers } = attributes;
  const credentials = isBlind({ route, beside }) ? [] : deps.settings.tokens.map(({ from }) => headers.all(from));
  return decisionKey(
    {
      ...snapshot.versions,
      ...routeInputs(route, beside),
      principal: attributes.principal,
      certificate: attributes.certificate,
      destination: attributes.destinationPrincipal,
      forwarded: JSON.stringify(headers.all(FORWARDED_HEADER)),
      credentials: JSON.stringify(credentials),
      host: shape.host,
      upgrade: String(shape.upgrade),
    },
    deps.keyParts,
  );
}

/** Whom a decision that was found is asked about once more. */
export type RecallDependencies = Pick<
  CheckDependencies,
  'cache' | 'isRevoked' | 'standing' | 'revocationsStale' | 'onFallen' | 'pins'
>;

export function recall(key: string, now: number, deps: RecallDependencies): CachedDecision | undefined {
  const entry = deps.cache.find(key, now);
  if (entry === undefined || !isStillClear(entry, now, deps)) return undefined;
  const { decision, beside } = entry;
  if (beside !== undefined && !standsWith(peekPin(beside, now, deps))) return undefined;
  const pin = peekPin(decision, now, deps);
  return (decision.verdict.kind === 'allow' ? pin === 'holds' : standsWith(pin)) ? entry : undefined;
}

/**
 * Revocations are asked on each hit. While none is added they can only end: names that were clear under the same standing
 * are clear at every later moment. A clock that steps back may bring one back to life, so then they are asked again.
 */
function isStillClear(entry: CachedDecision, now: number, deps: RecallDependencies): boolean {
  const { names, beside, cleared } = entry;
  const { isRevoked, standing, onFallen } = deps;
  const current = standing?.(now) ?? NaN;
  if (cleared !== undefined && cleared.standing === current && now >= cleared.from) return true;
  if (deps.revocationsStale?.(now) === true && !mayBeUsedStale(entry, now)) return false;
  for (const each of [names, beside?.names]) {
    if (each === undefined || isRevoked(each, now).ok) continue;
    if (cleared?.fallen !== true) onFallen?.(each, now);
    if (cleared !== undefined) cleared.fallen = true;
    return false;
  }
  if (cleared !== undefined) [cleared.standing, cleared.from] = [current, now];
  return true;
}

/** While revocations may have been missed, decisions are made anew after this, ms. */
const STALE_MAX_AGE = 5000;

const mayBeUsedStale = ({ decision, beside, madeAt }: CachedDecision, now: number): boolean =>
  now - madeAt < STALE_MAX_AGE &&
  ![decision, beside].some((each) => each !== undefined && needsFreshRevocations(each.findings.route));

/** An allow needs its pin; what writes none only needs that nobody else has it. */
const standsWith = (pin: PinKnowledge): boolean => pin === 'holds' || pin === 'free';

/**
 * Writes what only the final allow may write, or that presenters differ where an allow would have been written otherwise.
 * In: a draft, and whether refusals count. Out: the decision, which may have become a deny.
 */
export const commit = (draft: Draft, ask: Ask, mode: Mode): Soon<Decision> => run(committing(draft, ask, mode));

function* committing(draft: Draft, ask: Ask, mode: Mode): Steps<Decision> {
  const { verdict, findings } = draft;
  if (verdict.kind === 'deny') {
    if (draft.contest !== undefined && mode !== 'shadow')
      yield* heard(ask.deps.contestPin(draft.contest, ask.instant.now));
    return { verdict, findings };
  }
  if (!isSealed(draft, ask.route)) throw new Error('an allow without a seal');
  const claims = claimsOf(findings, ask);
  if (!claims.ok) return { verdict: { kind: 'deny', refusal: claims }, findings };
  const written = yield* heard(writeClaims(claims.value, ask));
  if (!written.ok) return { verdict: { kind: 'deny', refusal: written }, findings };
  return { verdict, findings: written.value === 'first' ? { ...findings, pinnedNow: true } : findings };
}

/** A permit that decide.ts gave, on an origin that verify.ts made, wherever anything asks for one. */
function isSealed({ verdict, findings }: Decision, route: Route): boolean {
  if (verdict.kind === 'deny' || !isPermit(verdict.permit)) return false;
  if (demandOf(route).origin === 'no') return true;
  return findings.origin !== undefined && isVerifiedOrigin(findings.origin);
}

const nothing = ok(undefined);

/** Most allows write nothing, and ask nobody. */
const writeClaims = (claims: Claims, { deps, instant }: Ask): Answer<'first' | 'known'> =>
  claims.pin === undefined && claims.uses.length === 0 ? known : deps.writeClaims(claims, instant.now);

const known = ok('known' as const);

function claimsOf(findings: Findings, ask: Ask): Result<Claims> {
  const { token, bound, origin } = findings;
  const uses: Use[] = [];
  for (const line of onceLines(ask.route)) {
    if (token === undefined) return noToken;
    uses.push(useOf(token, line));
  }
  if (bound?.pin === undefined || origin?.kind !== 'workload') return ok({ pin: undefined, uses });
  return ok({ pin: { claim: bound.pin, presentation: presentationOf(bound.pin, origin, ask) }, uses });
}

const presentationOf = (
  { presenter }: PinClaim,
  { id, chain }: WorkloadOrigin & VerifiedOrigin,
  ask: Ask,
): Presentation => ({
  presenter,
  environment: ask.deps.settings.trust.get(trustDomainOf(id))?.environment ?? null,
  chain: hash('sha256', chain.join('\n'), 'hex') as Sha256Hex,
  at: ask.instant.now,
});

/** Of a decision that no pin was asked for, nothing could object. */
function peekPin({ findings }: Pick<Decision, 'findings'>, now: number, { pins }: RecallDependencies): PinKnowledge {
  const pin = findings.bound?.pin;
  return pin === undefined ? 'holds' : pins.peek(pin, now);
}

/** Step 5, where nothing but a pin ties the token to its origin. */
export const comparePin = ({ pin }: Bound, { deps, instant }: Ask): Answer<void> =>
  pin === undefined ? nothing : deps.pins.compare(pin, instant.now);

/** Single use counts for each audience and line. */
const useOf = (token: VerifiedToken, line: Line): Use => ({
  name: `${token.name} ${token.issuer.audiences.join(',')} ${JSON.stringify([line.methods, line.path.text])}`,
  until: token.expires + token.issuer.clockSkew,
});

const onceLines = (route: Route): readonly Line[] => linesOf(route).filter(({ conditions }) => conditions.once);

/** Step 6: whether the token was used on one of the lines that allow it once. */
export const usedBefore = (ask: Ask, credential: Credential | undefined): Answer<void> =>
  run(usedOn(onceLines(ask.route), credential, ask));

function* usedOn(
  lines: readonly Line[],
  credential: Credential | undefined,
  { deps, instant }: Ask,
): Steps<Result<void>> {
  for (const line of lines) {
    if (credential === undefined) return noToken;
    const result = yield* heard(deps.uses.unused(useOf(credential.token, line), instant.now));
    if (!result.ok) return result;
  }
  return nothing;
}

const noToken: Refusal = refuse('internal_error', 'a line that allows one use looked at no token');
