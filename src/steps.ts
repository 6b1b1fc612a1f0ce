/**
 * Steps 2 to 7 of contract section 5, in their order, for a request that can be read in one way only. In: the request, its
 * route, the moment. Out: a draft; the first step that fails gives the reason. Writes nothing: recall.ts commits.
 */
import type { Ask, Draft } from './ask.js';
import { readForwarded } from './evidence/forwarded.js';
import { tokenIn } from './evidence/token.js';
import type { Decision, Findings, Judgement } from './model/decision.js';
import type { SpiffeId } from './model/ids.js';
import type { VerifiedOrigin } from './model/origin.js';
import type { RevocableNames } from './model/ports.js';
import { httpStatus } from './model/reasons.js';
import type { Reason } from './model/reasons.js';
import { refuse } from './model/result.js';
import type { Refusal } from './model/result.js';
import type { Settings } from './model/settings.js';
import type { Bound, Credential, VerifiedToken } from './model/token.js';
import { bind, mayPresent } from './origin/binding.js';
import { namedWorkload } from './origin/identity-claim.js';
import { verifyPeer } from './origin/peer.js';
import type { PeerQuestion } from './origin/peer.js';
import { checkTokenTimes } from './origin/token.js';
import { verifyOrigin } from './origin/verify.js';
import { decide, demandOf } from './policy/decide.js';
import { unmetOutside } from './policy/unmet-origin.js';
import { comparePin, usedBefore } from './recall.js';
import { FORWARDED_HEADER } from './request/shape.js';
import { needsFreshRevocations, staleRevocations } from './stale.js';
import { heard, run } from './waiting.js';
import type { Soon, Steps } from './waiting.js';

/** Steps 2 to 7, without writing anything; at once where nothing has to be waited for. */
export const decideAnew = (ask: Ask): Soon<Draft> => run(decide2to7(ask));

function* decide2to7(ask: Ask): Steps<Draft> {
  const { route, deps, instant } = ask;
  const demand = demandOf(route);
  // Filled as the steps go on, and handed out once: at the end, whichever that is.
  const found: { -readonly [part in keyof Findings]: Findings[part] } = { route };
  let names: RevocableNames | undefined;
  const no = (refusal: Refusal, by: 'line' | 'guardrail' | 'no', cacheable = isPure(refusal.reason)): Draft => ({
    ...deny(by === 'guardrail' ? asGuardrail(refusal) : refusal, found),
    cacheable,
    ...(names === undefined ? {} : { names }),
  });

  let origin: VerifiedOrigin | undefined;
  let credential: Credential | undefined;
  let changed: Refusal | undefined;
  if (demand.origin !== 'no') {
    const turn = deps.turns?.wait();
    if (turn === 'full') return no(overloaded, demand.origin);
    if (turn !== undefined) yield turn;
    // 2. peer
    const question = peerQuestion(ask);
    const peer = verifyPeer(question);
    if (!peer.ok) return no(peer, demand.origin);
    found.peer = peer.value;
    // 3. origin
    const verified = verifyOrigin(peer.value, question);
    if (!verified.ok) return no(verified, demand.origin);
    origin = verified.value;
    found.origin = origin;
    const unresolved = demand.origin === 'line' ? unmetOutside(route.line, origin, ask.guard) : undefined;
    if (unresolved !== undefined) return no(unresolved, 'line');
    if (route.line === undefined) return no(routeUndeclared(ask), 'line');
  }
  if (demand.token !== 'no' && origin !== undefined) {
    // 4. credential
    const presented = tokenIn(ask.attributes.headers, tokenPlaces(deps.settings));
    if (!presented.ok) return no(presented, demand.token);
    if (presented.value === undefined) return no(tokenMissing, demand.token);
    found.presented = presented.value;
    const signed = yield* heard(deps.verifyTokenSignature(ask.snapshot)(presented.value, deps.settings.tokens));
    if (!signed.ok) return no(signed, demand.token);
    const token = checkTokenTimes(signed.value, instant);
    if (!token.ok) return no(token, demand.token);
    found.token = token.value;
    const may = mayPresent(token.value, origin, ask.guard);
    if (!may.ok) return no(may, demand.token);
    // 5. binding
    const named = namedWorkload(token.value, ask.guard);
    const bound = bind(token.value, named, origin, instant, ask.guard);
    if (!bound.ok) return no(bound, demand.token);
    const held = yield* heard(comparePin(bound.value, ask));
    if (!held.ok && !mayContest(held, bound.value)) return no(held, demand.token);
    // The refusal is given in any case; the steps after it say whether it would have been an allow.
    if (!held.ok) changed = held;
    credential = { token: token.value, bound: bound.value };
    found.bound = bound.value;
  }
  // 6. state
  if (origin !== undefined) {
    names = revocableNames(origin, credential?.token, ask.guard);
    const live = deps.isRevoked(names, instant.now);
    const stale = live.ok && deps.revocationsStale?.(instant.now) === true && needsFreshRevocations(route);
    if (stale && changed === undefined) return no(staleRevocations, demand.origin);
    if (!live.ok && changed === undefined) return no(live, aboutToken(live.reason) ? demand.token : demand.origin);
    const unused = live.ok ? yield* heard(usedBefore(ask, credential)) : live;
    if (!unused.ok) return no(changed ?? unused, demand.token);
  }
  // 7. policy
  const verdict = decide(
    { route, origin, credential, host: ask.shape.host, upgrade: ask.shape.upgrade, guard: ask.guard },
    (domain) => deps.settings.trust.get(domain)?.ceiling ?? null,
    (domain) => deps.settings.trust.get(domain)?.environment ?? null,
    instant,
  );
  if (changed !== undefined) return { ...no(changed, demand.token), ...contestOf(verdict, credential) };
  const findings = verdict.kind === 'allow' ? lasting(found) : found;
  return { verdict, findings, cacheable: true, ...(names === undefined ? {} : { names }) };
}

/**
 * What an allow is remembered with: a token's own words are long, and say nothing more once they are verified. All in one
 * literal, so that thousands of them share one hidden class.
 */
function lasting(found: Findings): Findings {
  const { route, peer, origin, token, bound } = found;
  const complete = route !== undefined && peer !== undefined && origin !== undefined;
  return complete && token !== undefined && bound !== undefined ? { route, peer, origin, token, bound } : found;
}

/** With `onConflict: both` a conflict is marked, but only by what would have been allowed otherwise. */
const mayContest = ({ reason }: Refusal, { pin }: Bound): boolean =>
  reason === 'token_presenter_changed' && pin?.onConflict === 'both';

const contestOf = (verdict: Judgement, credential: Credential | undefined): Pick<Draft, 'contest'> =>
  verdict.kind === 'allow' && credential?.bound.pin !== undefined ? { contest: credential.bound.pin } : {};

function peerQuestion({ attributes, deps, guard, snapshot, instant }: Ask): PeerQuestion {
  let read: ReturnType<typeof readForwarded> | undefined;
  return {
    attributes,
    forwarded: () =>
      (read ??= (deps.readForwarded ?? readForwarded)(attributes.headers.all(FORWARDED_HEADER)[0] ?? '')),
    guard,
    settings: deps.settings,
    verifyCertificate: deps.verifyCertificate(snapshot),
    instant,
  };
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

const overloaded = refuse('deadline_exceeded', 'too many signatures are waiting to be verified');

const tokenPlaces = (settings: Settings): readonly string[] => [...new Set(settings.tokens.map(({ from }) => from))];

/** Everything of a call that a revocation can name. */
export function revocableNames(
  origin: VerifiedOrigin,
  token: VerifiedToken | undefined,
  guard: SpiffeId | undefined,
): RevocableNames {
  const named = token && namedWorkload(token, guard);
  return {
    identities: origin.chain,
    certificates: origin.certificates,
    token: token && {
      name: token.name,
      token,
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
  'token_key_unknown',
  'keys_unavailable',
  'bundle_unavailable',
  'store_unavailable',
  'revocation_stale',
  'policy_invalid',
  'deadline_exceeded',
  'internal_error',
]);
const isPure = (reason: Reason): boolean => !IMPURE.has(reason);

export const deny = (refusal: Refusal, findings: Findings): Decision => ({
  verdict: { kind: 'deny', refusal },
  findings,
});
