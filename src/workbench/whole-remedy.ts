/**
 * A remedy made whole: the proposed change is supposed, the request decided again by the same engine, and what refuses it
 * then is asked for its own remedy, until it is allowed or nothing more should be changed. In: the first remedy, the world
 * that it is for. Out: the remedy with all that comes after it, and what it comes to. Bounded. Kept true by
 * test/workbench/remedy.test.ts, which really makes every change.
 */
import type { Remedy, Further } from './change.js';
import { causeOf } from './failed-step.js';
import { sceneOf } from './scene.js';
import { remedyFor } from './remedy-for.js';
import { suppose } from './suppose.js';
import { snapshotIn } from './supposed.js';
import type { Decide, Supposed } from './supposed.js';

/** More faults than steps: what is still refused then is not one fault after the other. */
const MAX_CHANGES = 8;

export async function wholeRemedy(first: Remedy, world: Supposed, decide: Decide): Promise<Remedy> {
  const further: Further[] = [];
  let last: Remedy = first;
  let now = world;
  for (let count = 0; count < MAX_CHANGES; count += 1) {
    if (last.change === undefined) return { ...first, further, comesTo: { kind: 'refused' } };
    const next = await suppose(last.change, now);
    if ('unknown' in next) return { ...first, further, comesTo: { kind: 'not known', why: next.unknown } };
    const outcome = await decide(next.attributes, next.context.settings, snapshotIn(next));
    if (outcome.verdict.kind === 'allow')
      return { ...first, further, comesTo: { kind: 'allowed', supposing: next.supposing } };
    now = { ...next, outcome };
    const cause = causeOf(outcome.verdict.refusal, outcome.findings.route);
    const told = remedyFor(cause, sceneOf(outcome, now.attributes, now.context));
    if (told.text === last.text) break;
    last = told;
    further.push({ reason: cause.reason, ...told });
  }
  return { ...first, further, comesTo: { kind: 'not known', why: 'another change than these may be needed' } };
}
