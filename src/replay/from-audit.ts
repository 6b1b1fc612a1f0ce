/**
 * An audit record, decided again as far as its fields carry. In: the record, the config. Out: the answer that config gives
 * by the last step, or why it can't be known. Refusals of the steps before it count as recorded, where the config still
 * takes those steps. Not in a record, so undecidable where it is asked for: a token's age and binding, a token or origin
 * that nobody looked at then, a path that was recorded as a template. An upgrade is assumed only where one was refused.
 */
import type { Decision } from '../model/decision.js';
import type { SpiffeId } from '../model/ids.js';
import { instantAt } from '../model/instant.js';
import { readPath } from '../model/path.js';
import type { Line, Route } from '../model/policy.js';
import type { Reason } from '../model/reasons.js';
import { refuse } from '../model/result.js';
import type { Refusal } from '../model/result.js';
import type { Credential } from '../model/token.js';
import { mayPresent } from '../origin/presenter.js';
import { decide, demandOf } from '../policy/decide.js';
import type { Demand } from '../policy/decide.js';
import { unmetOutside } from '../policy/unmet-origin.js';
import { hostName } from '../request/shape.js';
import type { AuditedCheck } from './audited.js';
import { rememberedOrigin, rememberedToken } from './remembered.js';
import { toldIn } from './redecide.js';
import { same, toldBy } from './told.js';
import type { Against, Replayed } from './told.js';

/** What a decision comes to: a refusal or a permit, or the words for what is missing. */
type Found = { readonly decision: Decision } | { readonly why: string; readonly atBest?: Decision };

export function fromAudit(record: AuditedCheck, against: Against): Replayed {
  const routed = routeOf(record, against);
  if ('why' in routed) return { kind: 'undecidable', why: routed.why, atBest: undefined, line: undefined };
  if ('now' in routed) return { kind: 'decided', now: toldIn(record), line: undefined };
  if ('refusal' in routed) return { kind: 'decided', now: toldBy(denied(routed.refusal), against), line: undefined };
  const { route } = routed;
  const found = route.ambiguous ? no(asRecorded('path_ambiguous')) : decideRoute(record, route, against);
  const { line } = route;
  if ('decision' in found) return { kind: 'decided', now: toldBy(found.decision, against), line };
  const atBest = found.atBest && toldBy(found.atBest, against);
  // The policy is the recorded one: what it asked for then it got, or it said so.
  const asBefore =
    atBest !== undefined && (same(atBest, toldIn(record)) || OF_TOKEN_CONDITIONS.has(refusedFor(record) ?? 'allowed'));
  if (asBefore && isSamePolicy(record, against)) return { kind: 'decided', now: toldIn(record), line };
  return { kind: 'undecidable', why: found.why, atBest, line };
}

/** What `age<=` and `bound` refuse with; step 5 has the latter two as well. */
const OF_TOKEN_CONDITIONS: ReadonlySet<Reason> = new Set<Reason>([
  'token_too_old',
  'binding_missing',
  'binding_unavailable',
]);

const refusedFor = ({ decision, reason, shadow }: AuditedCheck): Reason | undefined =>
  shadow ?? (decision === 'deny' ? reason : undefined);

const isSamePolicy = ({ policy }: AuditedCheck, { snapshot }: Against): boolean =>
  policy !== undefined && policy === snapshot.policy?.revision;

const denied = (refusal: Refusal): Decision => ({ verdict: { kind: 'deny', refusal }, findings: {} });
const no = (refusal: Refusal): Found => ({ decision: denied(refusal) });
const asRecorded = (reason: Reason): Refusal => refuse(reason, 'as recorded');

const UNREADABLE: ReadonlySet<Reason> = new Set<Reason>(['request_malformed', 'path_ambiguous', 'header_ambiguous']);

type Routed =
  | { readonly route: Route }
  | { readonly why: string }
  /** Without valid lines. */
  | { readonly refusal: Refusal }
  /** Step 1 refused, and does so again. */
  | { readonly now: true };

function routeOf(record: AuditedCheck, { snapshot }: Against): Routed {
  const { method, path } = record;
  const refused = refusedFor(record);
  const segments = path === undefined ? undefined : readPath(path);
  const route =
    segments?.ok !== true || method === undefined || snapshot.policy === undefined
      ? undefined
      : snapshot.policy.route(method, segments.segments);
  // A path whose case is ambiguous may be so no more with other lines.
  if (refused === 'path_ambiguous' && route !== undefined && !route.ambiguous)
    return { why: 'the path was ambiguous when this was recorded' };
  if (refused !== undefined && UNREADABLE.has(refused)) return { now: true };
  if (snapshot.policy === undefined) return { refusal: refuse('policy_invalid', 'no valid policy is loaded') };
  if (path === undefined || method === undefined) return { why: 'the record has no path or no method' };
  if (/\/(\{[^/]*\}|\*\*)(\/|$)/.test(path)) return { why: 'the record has a template in place of the path' };
  return route === undefined ? { why: 'the path in the record can not be read' } : { route };
}

function decideRoute(record: AuditedCheck, route: Route, against: Against): Found {
  const { settings } = against;
  const demand = demandOf(route);
  const remembered = rememberedOrigin(record);
  const guard = settings.workload ?? remembered?.guard;
  if (demand.origin === 'no') return decideLast(record, route, against, undefined, undefined, guard);
  const before = refusedBefore(record, demand);
  if (remembered === undefined)
    return before?.step === 'origin'
      ? no(before.refusal)
      : guardrailAgain(record, demand.origin, against, 'its origin was not verified when this was recorded');
  const { origin } = remembered;
  const outside = demand.origin === 'line' ? unmetOutside(route.line, origin, guard) : undefined;
  if (outside !== undefined) return no(outside);
  if (route.line === undefined) return no(refuse('route_undeclared', 'no line declares it'));
  if (before !== undefined && before.step !== 'token') return no(before.refusal);
  if (demand.token === 'no') return decideLast(record, route, against, origin, undefined, guard);
  if (before !== undefined) return no(before.refusal);
  const found = rememberedToken(record, settings);
  switch (found.kind) {
    case 'not verified':
      return guardrailAgain(record, demand.token, against, 'its token was not verified when this was recorded');
    case 'cut':
      return { why: 'the record does not hold all scopes of the token' };
    case 'stranger':
      return no(by(demand.token, asRecorded('token_issuer_unknown')));
    case 'token': {
      const may = mayPresent(found.token, origin, guard);
      if (!may.ok) return no(by(demand.token, may));
      const refused = refusedFor(record);
      if (refused === 'binding_missing' || refused === 'binding_unavailable')
        return isSamePolicy(record, against)
          ? no(by(demand.token, asRecorded(refused)))
          : { why: "the record does not say the token's age and binding" };
      const credential: Credential = { token: found.token, bound: { method: 'none', pin: undefined } };
      return decideLast(record, route, against, origin, credential, guard);
    }
  }
}

/** Where only a guardrail asked for what was never verified, its refusal was about that; the same guardrails ask again. */
function guardrailAgain(record: AuditedCheck, who: Demand['origin'], against: Against, why: string): Found {
  const refused = record.shadow ?? record.reason;
  const again = refused === 'guardrail' && who === 'guardrail' && isSamePolicy(record, against);
  return again ? no(asRecorded('guardrail')) : { why };
}

type Question = Parameters<typeof decide>[0];

function decideLast(
  record: AuditedCheck,
  route: Route,
  { settings }: Against,
  origin: Question['origin'],
  credential: Credential | undefined,
  guard: SpiffeId | undefined,
): Found {
  const upgrade = (record.shadow ?? record.reason) === 'upgrade_not_declared';
  const verdict = (asked: Route): Decision['verdict'] =>
    decide(
      { route: asked, origin, credential, host: hostName(record.host ?? ''), upgrade, guard },
      (domain) => settings.trust.get(domain)?.ceiling ?? null,
      (domain) => settings.trust.get(domain)?.environment ?? null,
      instantAt(Date.parse(record.time)),
    );
  const decision = (asked: Route): Decision => ({ verdict: verdict(asked), findings: { route } });
  if (credential === undefined || !asksTheToken(route)) return { decision: decision(route) };
  // Whatever else refuses, refuses whatever the token's age and binding are.
  const atBest = decision(withoutTokenConditions(route));
  if (atBest.verdict.kind === 'deny') return { decision: atBest };
  return { why: "the record does not say the token's age and binding", atBest };
}

const linesOf = ({ line, guardrails }: Route): readonly Line[] =>
  line === undefined ? guardrails : [line, ...guardrails];

const asksTheToken = (route: Route): boolean =>
  linesOf(route).some(({ conditions }) => conditions.maxAge !== null || conditions.bound !== null);

function withoutTokenConditions(route: Route): Route {
  const lax = (line: Line): Line => ({ ...line, conditions: { ...line.conditions, maxAge: null, bound: null } });
  return { ...route, line: route.line && lax(route.line), guardrails: route.guardrails.map(lax) };
}

/** What fails although only a guardrail asked for it is the guardrail's refusal. */
const by = (who: Demand['token'], refusal: Refusal): Refusal =>
  who === 'guardrail' ? refuse('guardrail', refusal.detail) : refusal;

/** Steps 2 and 3. */
const OF_ORIGIN = /^(peer_|xfcc_|chain_|origin_certificate_invalid$|forwarder_not_allowed$|bundle_unavailable$)/;
/** Steps 4 to 6, as far as they are about the token. */
const OF_TOKEN =
  /^(token_(?!too_old)|binding_mismatch$|credentials_conflict$|keys_unavailable$|store_unavailable$|transaction_revoked$)/;
/** Step 6, about the chain. */
const OF_CHAIN = /^(identity_revoked|certificate_revoked|revocation_stale)$/;

type Before = { readonly step: 'origin' | 'token' | 'chain'; readonly refusal: Refusal };

/** The recorded refusal of a step before the last. `presenter_not_allowed` and what step 7 says are asked anew. */
function refusedBefore(record: AuditedCheck, demand: Demand): Before | undefined {
  const refused = refusedFor(record);
  if (refused === undefined) return undefined;
  const refusal = asRecorded(refused);
  if (OF_ORIGIN.test(refused)) return { step: 'origin', refusal: by(demand.origin, refusal) };
  if (OF_CHAIN.test(refused)) return { step: 'chain', refusal: by(demand.origin, refusal) };
  return OF_TOKEN.test(refused) ? { step: 'token', refusal: by(demand.token, refusal) } : undefined;
}
