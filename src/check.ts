/**
 * The story of one check. In: what was read of a CheckRequest. Out: an Outcome, always; a fault anywhere denies with
 * internal_error, and so does a caller that no longer waits (deadline_exceeded). The steps themselves are in steps.ts.
 */
import type { Ask, CheckDependencies, Draft } from './ask.js';
import type { Attributes } from './model/attributes.js';
import type { Decision, Outcome } from './model/decision.js';
import { parseSpiffeId } from './model/ids.js';
import type { SpiffeId } from './model/ids.js';
import { instantAt } from './model/instant.js';
import { refuse } from './model/result.js';
import type { Result } from './model/result.js';
import type { Settings } from './model/settings.js';
import type { Snapshot } from './model/snapshot.js';
import { commit, isRecallable, recall, recallKey } from './recall.js';
import { readShape } from './request/shape.js';
import { CLOCK_STEP } from './state/decision-cache.js';
import { decideAnew, deny } from './steps.js';

export type Check = (request: Result<Attributes>, deadline: number | undefined) => Promise<Outcome>;

/** Checks that are being decided at once; beyond, the guard is overloaded and says so instead of queueing. */
const MAX_IN_FLIGHT = 10_000;

export function createCheck(deps: CheckDependencies): Check {
  let inFlight = 0;
  let latest = -Infinity;
  return async (request, deadline) => {
    const now = deps.now();
    if (now < latest - CLOCK_STEP) {
      deps.cache.clear();
      deps.onClockStep?.();
    }
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

  const draft = await before(deadline, deps.now, () => decideAnew(ask));
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

const miss = (decision: Decision): Answered => ({
  verdict: decision.verdict,
  findings: decision.findings,
  cache: 'miss',
});

/** What setTimeout takes; with more it fires at once. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** The draft, or `deadline_exceeded` as soon as the caller no longer waits. */
async function before(deadline: number | undefined, now: () => number, work: () => Promise<Draft>): Promise<Draft> {
  const tooLate: Draft = { ...deny(late, {}), cacheable: false };
  if (deadline === undefined) return work();
  const left = deadline - now();
  if (left <= 0) return tooLate;
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<Draft>((resolve) => {
    timer = setTimeout(() => resolve(tooLate), Math.min(left, LONGEST_WAIT));
  });
  try {
    const draft = await Promise.race([work(), passed]);
    // Work that held the thread ends before the timer is heard; an allow must not write a pin for a call that is over.
    return now() < deadline ? draft : tooLate;
  } finally {
    clearTimeout(timer);
  }
}
