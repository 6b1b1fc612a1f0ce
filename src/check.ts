/**
 * The story of one check: the steps of contract section 5 in their order. The only file that knows the order.
 * In: the bytes of a CheckRequest. Out: an Outcome, always; a fault anywhere denies with internal_error.
 */
import { tokenIn } from './evidence/token.js';
import { readForwarded } from './evidence/forwarded.js';
import type { Attributes } from './model/attributes.js';
import type { Decision, Findings, Outcome } from './model/decision.js';
import { parseSpiffeId, trustDomainOf } from './model/ids.js';
import type { SpiffeId } from './model/ids.js';
import { instantAt } from './model/instant.js';
import type { HorizonPart } from './model/instant.js';
import type { VerifiedOrigin } from './model/origin.js';
import type { IsRevoked, Pins, RevocableNames, Uses, VerifyCertificate } from './model/ports.js';
import { httpStatus } from './model/reasons.js';
import type { Reason } from './model/reasons.js';
import { refuse } from './model/result.js';
import type { Refusal, Result } from './model/result.js';
import type { Settings } from './model/settings.js';
import type { Snapshot } from './model/snapshot.js';
import type { Credential } from './model/token.js';
import { bind, mayPresent } from './origin/binding.js';
import { matchesId } from './model/patterns.js';
import { namedWorkload } from './origin/identity-claim.js';
import { verifyPeer } from './origin/peer.js';
import type { PeerQuestion } from './origin/peer.js';
import { checkTokenTimes } from './origin/token.js';
import type { VerifyTokenSignature } from './origin/token.js';
import { verifyOrigin } from './origin/verify.js';
import { decide, demandOf } from './policy/decide.js';
import { FORWARDED_HEADER, readShape } from './request/shape.js';
import { commit, isRecallable, recall, recallKey, usedBefore } from './recall.js';
import type { Ask, Draft } from './recall.js';
import { CLOCK_STEP } from './state/decision-cache.js';
import type { DecisionCache, KeyPart } from './state/decision-cache.js';

export interface CheckDependencies {
  readonly settings: Settings;
  readonly snapshot: () => Snapshot;
  readonly verifyCertificate: (snapshot: Snapshot) => VerifyCertificate;
  readonly verifyTokenSignature: (snapshot: Snapshot) => VerifyTokenSignature;
  readonly pins: Pins;
  readonly uses: Uses;
  readonly isRevoked: IsRevoked;
  readonly cache: DecisionCache;
  /** ms since 1970; read once for each check. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly onFault: (fault: unknown) => void;
  /** For the tests that prove that each part of the key and of the expiry is needed. */
  readonly keyParts?: readonly KeyPart[];
  readonly deaf?: HorizonPart;
}

export type Check = (request: Result<Attributes>, deadline: number | undefined) => Promise<Outcome>;

/** Checks that are being decided at once; beyond, the guard is overloaded and says so instead of queueing. */
const MAX_IN_FLIGHT = 10_000;

export function createCheck(deps: CheckDependencies): Check {
  let inFlight = 0;
  let latest = -Infinity;
  return async (request, deadline) => {
    const now = deps.now();
    if (now < latest - CLOCK_STEP) deps.cache.clear();
    latest = now;
    const snapshot = deps.snapshot();
    const circumstances = {
      id: deps.newId(),
      time: now,
      policy: snapshot.policy?.revision,
      policyStale: snapshot.policyStale,
      owner: snapshot.policy?.owner ?? null,
      guard: request.ok ? guardOf(request.value, deps.settings) : (deps.settings.workload ?? undefined),
      peerNotVerified: deps.settings.origin.peer === 'principal',
    };
    inFlight += 1;
    try {
      if (inFlight > MAX_IN_FLIGHT) return { ...deny(overloaded, {}), cache: 'miss', ...circumstances };
      const answered = await answer(request, snapshot, deps, now, deadline);
      return { ...answered, ...circumstances };
    } catch (fault) {
      deps.onFault(fault);
      return {
        ...deny(refuse('internal_error', 'a fault, see the operational log'), {}),
        cache: 'miss',
        ...circumstances,
      };
    } finally {
      inFlight -= 1;
    }
  };
}

const overloaded = refuse('deadline_exceeded', `more than ${MAX_IN_FLIGHT} checks at once`);
const late = refuse('deadline_exceeded', 'the deadline of the call passed before the decision');

/** Who is guarded: as configured, or the identity of this Envoy's own certificate. */
export const guardOf = (attributes: Attributes, settings: Pick<Settings, 'workload'>): SpiffeId | undefined =>
  settings.workload ?? parseSpiffeId(attributes.destinationPrincipal);

type Answered = Decision & Pick<Outcome, 'cache'>;

async function answer(
  request: Result<Attributes>,
  snapshot: Snapshot,
  deps: CheckDependencies,
  now: number,
  deadline: number | undefined,
): Promise<Answered> {
  // 1. shape
  if (!request.ok) return miss(deny(request, {}));
  const attributes = request.value;
  const shape = readShape(attributes, deps.settings);
  if (!shape.ok) return miss(deny(shape, {}));
  if (snapshot.policy === undefined) return miss(deny(refuse('policy_invalid', 'no valid policy is loaded'), {}));
  const route = snapshot.policy.route(shape.value.method, shape.value.segments);
  if (route.ambiguous) return miss(deny(caseAmbiguous, { route }));

  const ask: Ask = {
    attributes,
    shape: shape.value,
    route,
    guard: guardOf(attributes, deps.settings),
    snapshot,
    deps,
    instant: instantAt(now, deps.deaf),
  };
  const key = isRecallable(route) ? recallKey(ask) : undefined;
  const found = key === undefined ? undefined : recall(key, ask);
  if (found !== undefined) return { ...found, cache: 'hit' };

  const draft = await before(deadline, deps.now, () => drafting(ask));
  const decision = commit(draft, ask);
  if (key !== undefined && draft.cacheable && decision.verdict === draft.verdict) {
    deps.cache.store(key, { decision, horizon: ask.instant.horizon(), madeAt: now, names: draft.names });
  }
  return miss(decision);
}

const caseAmbiguous = refuse(
  'path_ambiguous',
  'a reader that ignores case would select another line',
  'the path differs from a declared one only in upper and lower case',
);

/** Steps 2 to 7, without writing anything. */
async function drafting(ask: Ask): Promise<Draft> {
  const { route, deps, instant } = ask;
  const demand = demandOf(route);
  let found: Findings = { route };
  let names: RevocableNames | undefined;
  const no = (refusal: Refusal, by: 'line' | 'guardrail' | 'no', cacheable = isPure(refusal.reason)): Draft => ({
    ...deny(by === 'guardrail' ? asGuardrail(refusal) : refusal, found),
    cacheable,
    ...(names === undefined ? {} : { names }),
  });

  let origin: VerifiedOrigin | undefined;
  let credential: Credential | undefined;
  if (demand.origin !== 'no') {
    // 2. peer
    const question = peerQuestion(ask);
    const peer = verifyPeer(question);
    if (!peer.ok) return no(peer, demand.origin);
    found = { ...found, peer: peer.value };
    // 3. origin
    const verified = verifyOrigin(peer.value, question);
    if (!verified.ok) return no(verified, demand.origin);
    origin = verified.value;
    found = { ...found, origin };
    const unresolved = demand.origin === 'line' ? outsideRefused(origin, ask) : undefined;
    if (unresolved !== undefined) return no(unresolved, 'line');
    if (route.line === undefined) return no(routeUndeclared(ask), 'line');
  }
  if (demand.token !== 'no' && origin !== undefined) {
    // 4. credential
    const presented = tokenIn(ask.attributes.headers, tokenPlaces(deps.settings));
    if (!presented.ok) return no(presented, demand.token);
    if (presented.value === undefined) return no(tokenMissing, demand.token);
    found = { ...found, presented: presented.value };
    const signed = await deps.verifyTokenSignature(ask.snapshot)(presented.value, deps.settings.tokens);
    if (!signed.ok) return no(signed, demand.token);
    const token = checkTokenTimes(signed.value, instant);
    if (!token.ok) return no(token, demand.token);
    found = { ...found, token: token.value };
    const may = mayPresent(token.value, origin, ask.guard);
    if (!may.ok) return no(may, demand.token);
    // 5. binding
    const named = namedWorkload(token.value, ask.guard);
    const bound = bind(token.value, named, origin, deps.pins, instant, ask.guard);
    if (!bound.ok) return no(bound, demand.token);
    credential = { token: token.value, bound: bound.value };
    found = { ...found, bound: bound.value };
  }
  // 6. state
  if (origin !== undefined) {
    names = revocableNames(origin, credential, ask);
    const live = deps.isRevoked(names, instant.now);
    if (!live.ok) return no(live, aboutToken(live.reason) ? demand.token : demand.origin);
    const unused = usedBefore(ask, credential);
    if (!unused.ok) return no(unused, demand.token);
  }
  // 7. policy
  const verdict = decide(
    { route, origin, credential, host: ask.shape.host, upgrade: ask.shape.upgrade, guard: ask.guard },
    (domain) => deps.settings.trust.get(domain)?.ceiling ?? null,
    (domain) => deps.settings.trust.get(domain)?.environment ?? null,
    instant,
  );
  return { verdict, findings: found, cacheable: true, ...(names === undefined ? {} : { names }) };
}

function peerQuestion({ attributes, deps, guard, snapshot, instant }: Ask): PeerQuestion {
  let read: ReturnType<typeof readForwarded> | undefined;
  return {
    attributes,
    forwarded: () => (read ??= readForwarded(attributes.headers.all(FORWARDED_HEADER)[0] ?? '')),
    guard,
    settings: deps.settings,
    verifyCertificate: deps.verifyCertificate(snapshot),
    instant,
  };
}

/** Outside is no origin: it passes only on lines whose `from=` names the forwarder it stands behind. */
function outsideRefused(origin: VerifiedOrigin, { route, guard }: Ask): Refusal | undefined {
  if (origin.kind === 'workload') return undefined;
  const own = guard && trustDomainOf(guard);
  const named = route.line?.conditions.from?.outside.some((pattern) => matchesId(pattern, origin.behind, own)) ?? false;
  if (named && route.line?.scopes.kind !== 'workload') return undefined;
  return refuse(
    'origin_unresolved',
    `no workload stands behind the forwarder ${origin.behind}`,
    `the forwarder ${origin.behind} forwarded no workload's identity; a line lets outside traffic in with from=outside@…`,
  );
}

const routeUndeclared = ({ attributes }: Ask): Refusal =>
  refuse(
    'route_undeclared',
    `no line for ${attributes.method} and this path`,
    `no line of firsthand.dev/scopes declares ${attributes.method} on this path`,
  );

const tokenMissing = refuse(
  'token_missing',
  'no configured place holds a token',
  'send the token as "authorization: Bearer …"',
);

const tokenPlaces = (settings: Settings): readonly string[] => [...new Set(settings.tokens.map(({ from }) => from))];

function revocableNames(origin: VerifiedOrigin, credential: Credential | undefined, { guard }: Ask): RevocableNames {
  const named = credential && namedWorkload(credential.token, guard);
  return {
    identities: origin.chain.filter((id) => id !== guard),
    certificates: origin.certificates,
    token: credential && {
      name: credential.token.name,
      token: credential.token,
      identity: named?.kind === 'workload' ? named.id : undefined,
    },
  };
}

const aboutToken = (reason: Reason): boolean => reason === 'token_revoked' || reason === 'transaction_revoked';

/** What fails although only a guardrail asked for it is the guardrail's refusal; a broken guard stays a broken guard. */
function asGuardrail(refusal: Refusal): Refusal {
  const status = httpStatus(refusal.reason);
  if (status === 503 || status === 413) return refusal;
  return refuse('guardrail', `a guardrail asked for it: ${refusal.reason}: ${refusal.detail}`, refusal.hint);
}

/** Reasons that depend on what a cached copy would not notice changing. */
const IMPURE: ReadonlySet<Reason> = new Set<Reason>([
  'token_revoked',
  'identity_revoked',
  'certificate_revoked',
  'transaction_revoked',
  'token_replayed',
  'token_presenter_changed',
  'keys_unavailable',
  'bundle_unavailable',
  'store_unavailable',
  'revocation_stale',
  'policy_invalid',
  'deadline_exceeded',
  'internal_error',
]);
const isPure = (reason: Reason): boolean => !IMPURE.has(reason);

const deny = (refusal: Refusal, findings: Findings): Decision => ({ verdict: { kind: 'deny', refusal }, findings });
const miss = (decision: Decision): Answered => ({
  verdict: decision.verdict,
  findings: decision.findings,
  cache: 'miss',
});

/** The draft, or `deadline_exceeded` as soon as the caller no longer waits. */
async function before(deadline: number | undefined, now: () => number, work: () => Promise<Draft>): Promise<Draft> {
  const tooLate: Draft = { ...deny(late, {}), cacheable: false };
  if (deadline === undefined) return work();
  const left = deadline - now();
  if (left <= 0) return tooLate;
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<Draft>((resolve) => {
    timer = setTimeout(() => resolve(tooLate), left);
  });
  try {
    return await Promise.race([work(), passed]);
  } finally {
    clearTimeout(timer);
  }
}
