/**
 * The story of one check. In: what was read of a CheckRequest. Out: an Outcome, always; a fault anywhere denies with
 * internal_error, and so does a caller that no longer waits (deadline_exceeded). The steps themselves are in steps.ts.
 */
import type { Ask, CheckDependencies, Draft } from './ask.js';
import { decideBeside } from './candidate.js';
import type { Attributes } from './model/attributes.js';
import type { Decision, Mode, Outcome } from './model/decision.js';
import { parseSpiffeId } from './model/ids.js';
import type { SpiffeId } from './model/ids.js';
import { instantAt } from './model/instant.js';
import type { Route } from './model/policy.js';
import { refuse } from './model/result.js';
import type { Refusal, Result } from './model/result.js';
import type { Settings } from './model/settings.js';
import type { Snapshot } from './model/snapshot.js';
import { commit, isRecallable, recall, recallKey } from './recall.js';
import { readShape } from './request/shape.js';
import { answeredIn, modeOf } from './shadow.js';
import { notYet } from './state/decision-cache.js';
import type { CachedDecision } from './state/decision-cache.js';
import { decideAnew, deny } from './steps.js';
import { heard, run } from './waiting.js';
import type { Soon, Steps } from './waiting.js';

/** At once where nothing has to be waited for: what was decided before, what can not be read, what nobody else is asked about. */
export type Check = (request: Result<Attributes>, deadline: number | undefined) => Outcome | Promise<Outcome>;

/** Checks that are being decided at once; beyond, the guard is overloaded and says so instead of queueing. */
const MAX_IN_FLIGHT = 10_000;

export function createCheck(deps: CheckDependencies): Check {
  let inFlight = 0;
  return (request, deadline) => {
    const now = deps.now();
    const snapshot = deps.snapshot();
    const guard = request.ok ? guardOf(request.value, deps.settings) : (deps.settings.workload ?? undefined);
    const around = { id: deps.newId(), time: now, ...circumstancesOf(snapshot, guard, deps.settings) };
    const broken = (fault: unknown): Outcome => {
      deps.onFault(fault);
      return { ...undecided(refuse('internal_error', 'a fault, see the operational log')), ...around };
    };
    try {
      const begun = begin(request, snapshot, deps, now);
      if (begun.kind === 'answered') return { ...begun.answered, ...around };
      if (inFlight >= MAX_IN_FLIGHT) return { ...undecided(overloaded), ...around };
      const kept = run(decideAndKeep(begun, deps, deadline));
      if (!(kept instanceof Promise)) return { ...kept, ...around };
      inFlight += 1;
      return kept.then((answered) => ({ ...answered, ...around }), broken).finally(() => (inFlight -= 1));
    } catch (fault) {
      return broken(fault);
    }
  };
}

/** What an outcome says of the guard and its policy, whoever asks. */
export const circumstancesOf = (
  snapshot: Snapshot,
  guard: SpiffeId | undefined,
  { origin, policy }: Pick<Settings, 'origin' | 'policy'>,
): Circumstances => ({
  policy: snapshot.policy?.revision,
  policyStale: snapshot.policyStale,
  owner: snapshot.policy?.owner ?? null,
  guard,
  peerNotVerified: origin.peer === 'principal',
  mode: modeOf(policy.mode, snapshot.policy?.mode),
});

export type Circumstances = Pick<Outcome, 'policy' | 'policyStale' | 'owner' | 'guard' | 'peerNotVerified' | 'mode'>;

const overloaded = refuse('deadline_exceeded', `more than ${MAX_IN_FLIGHT} checks at once`);
const late = refuse('deadline_exceeded', 'the deadline of the call passed before the decision');

/** Who is guarded: as configured, or the identity of this Envoy's own certificate. */
export const guardOf = (attributes: Attributes, settings: Pick<Settings, 'workload'>): SpiffeId | undefined =>
  settings.workload ?? parseSpiffeId(attributes.destinationPrincipal);

export type Answered = Pick<Outcome, 'verdict' | 'findings' | 'candidate' | 'cache'>;

/** Nothing was decided, or step 1 refused: such a refusal counts in every mode. */
const undecided = (refusal: Refusal, route?: Route): Answered => ({
  ...deny(refusal, route === undefined ? {} : { route }),
  candidate: undefined,
  cache: 'miss',
});

/** The steps are to be gone; `key` is undefined where the decision may not be kept. */
interface Open {
  readonly kind: 'open';
  readonly ask: Ask;
  readonly key: string | undefined;
  readonly mode: Mode;
}
type Begun = { readonly kind: 'answered'; readonly answered: Answered } | Open;

const answered = (what: Answered): Begun => ({ kind: 'answered', answered: what });

/** As far as nothing has to be waited for. */
function begin(request: Result<Attributes>, snapshot: Snapshot, deps: CheckDependencies, now: number): Begun {
  // 1. shape
  if (!request.ok) return answered(undecided(request));
  const attributes = request.value;
  const shape = readShape(attributes, deps.settings);
  if (!shape.ok) return answered(undecided(shape));
  const { policy } = snapshot;
  const mode = modeOf(deps.settings.policy.mode, policy?.mode);
  if (policy === undefined)
    return answered({ ...answeredIn(mode, deny(policyInvalid, {})), candidate: undefined, cache: 'miss' });
  const route = policy.route(shape.value.method, shape.value.segments);
  if (route.ambiguous) return answered(undecided(caseAmbiguous, route));

  const ask: Ask = {
    attributes,
    shape: shape.value,
    route,
    beside: snapshot.candidate?.route(shape.value.method, shape.value.segments),
    guard: guardOf(attributes, deps.settings),
    snapshot,
    deps,
    instant: instantAt(now, deps.deaf),
  };
  const key = isRecallable(ask) ? recallKey(ask) : undefined;
  const found = key === undefined ? undefined : recall(key, now, deps);
  return found === undefined ? { kind: 'open', ask, key, mode } : answered(foundIn(mode, found));
}

/** What is answered with a decision that was made before. */
export const foundIn = (mode: Mode, { decision, beside }: CachedDecision): Answered => ({
  ...answeredIn(mode, decision),
  candidate: beside?.verdict,
  cache: 'hit',
});

function* decideAndKeep(
  { ask, key, mode }: Open,
  deps: CheckDependencies,
  deadline: number | undefined,
): Steps<Answered> {
  const draft = yield* heard(before(deadline, deps.now, () => decideAnew(ask)));
  // Before anything is written, so that both are asked about the same pins and used tokens.
  const beside = yield* decideBeside(ask, (work) => before(deadline, deps.now, work));
  const decision = inTime(yield* heard(commit(draft, ask, mode)), deadline, deps.now);
  const cacheable = draft.cacheable && beside?.cacheable !== false && decision.verdict === draft.verdict;
  if (key !== undefined && cacheable) {
    const horizon = ask.instant.horizon();
    const { names } = draft;
    deps.cache.store(key, { decision, beside, horizon, madeAt: ask.instant.now, names, cleared: notYet() });
  }
  return { ...answeredIn(mode, decision), candidate: beside?.verdict, cache: 'miss' };
}

const policyInvalid = refuse('policy_invalid', 'no valid policy is loaded');

const caseAmbiguous = refuse(
  'path_ambiguous',
  'a reader that ignores case would select another line',
  'the path differs from a declared one only in upper and lower case',
);

/** A store elsewhere takes its time; nobody hears an allow after the deadline, so it is none. */
const inTime = (decision: Decision, deadline: number | undefined, now: () => number): Decision =>
  deadline === undefined || now() < deadline ? decision : deny(late, {});

/** What setTimeout takes; with more it fires at once. */
const LONGEST_WAIT = 2 ** 31 - 1;

const tooLate: Draft = { ...deny(late, {}), cacheable: false };

/**
 * The draft, or `deadline_exceeded` as soon as the caller no longer waits. Work that held the thread ends before a timer is
 * heard; an allow must not write a pin for a call that is over, so the clock is looked at in any case.
 */
function before(deadline: number | undefined, now: () => number, work: () => Soon<Draft>): Soon<Draft> {
  if (deadline === undefined) return work();
  if (deadline - now() <= 0) return tooLate;
  const draft = work();
  if (draft instanceof Promise) return race(draft, deadline, now);
  return now() < deadline ? draft : tooLate;
}

function race(work: Promise<Draft>, deadline: number, now: () => number): Promise<Draft> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(tooLate), Math.min(Math.max(deadline - now(), 1), LONGEST_WAIT));
    const ended = work.finally(() => clearTimeout(timer));
    ended.then((draft) => resolve(now() < deadline ? draft : tooLate), reject);
  });
}
