/** For every reason: the step, the facts, and a remedy. Each proposed change is applied, and the engine then allows. */
import { beforeAll, describe, expect, it } from 'vitest';
import { reasonOf } from '../../src/audit/record.js';
import type { Outcome } from '../../src/model/decision.js';
import { isAllow, REASONS } from '../../src/model/reasons.js';
import type { Reason } from '../../src/model/reasons.js';
import { refuse } from '../../src/model/result.js';
import { storyOf } from '../../src/workbench/story.js';
import { denials } from './denials.js';
import { applied, judge, makeWorld, situation } from './situation.js';
import type { World } from './situation.js';

/** Where nobody can know what comes of the change before it is made. */
const UNKNOWN: ReadonlySet<string> = new Set([
  'lines that are wrong',
  'no certificate',
  'a forwarder that forwards no URI',
  'a token of another spelling',
]);

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

describe('the smallest change', () => {
  it('allows the situation that all the others differ from in one thing', async () => {
    const { outcome } = await judge(world, situation);
    expect(reasonOf(outcome)).toBe('allowed');
  });

  it.each(denials)('$reason: $name', async ({ name, reason, step, scene, change, says }) => {
    const { outcome, story } = await judge(world, scene);
    expect([reasonOf(outcome), detailOf(outcome)]).toEqual([reason, expect.anything()]);
    expect(story.failed).toBe(step);
    expect(story.remedy?.text).toMatch(says);
    expect(story.remedy?.change?.kind ?? null).toBe(change);
    if (step !== undefined) expect(story.steps.find((each) => each.step === step)?.saw).not.toEqual([]);
    if (story.remedy?.change === undefined) return;
    expect([story.remedy.comesTo?.kind, story.remedy.further]).toEqual([
      UNKNOWN.has(name) ? 'not known' : 'allowed',
      [],
    ]);
    const after = await judge(world, applied(story.remedy.change, scene));
    expect([after.outcome.verdict.kind, reasonOf(after.outcome), detailOf(after.outcome)]).toEqual([
      'allow',
      expect.anything(),
      '',
    ]);
  });

  it('says of stale revocations that nobody at the request can help', async () => {
    const { outcome, attributes, context } = await judge(world, situation);
    const refusal = refuse('revocation_stale', 'no answer for 70 s');
    const stale: Outcome = { ...outcome, verdict: { kind: 'deny', refusal } };
    const story = storyOf(stale, attributes, context);
    expect(story.failed).toBe('state');
    expect(story.remedy).toEqual({ text: expect.stringContaining('none but time') as string });
  });

  it('has a row for every reason that this version can give', () => {
    const given = new Set<Reason>(denials.map(({ reason }) => reason));
    const missing = (Object.keys(REASONS) as Reason[]).filter((reason) => !isAllow(reason) && !given.has(reason));
    // Revocations come from a file, whose absence is an empty list: nothing can be stale yet.
    expect(missing).toEqual(['revocation_stale']);
  });
});

const detailOf = ({ verdict }: Awaited<ReturnType<typeof judge>>['outcome']): string =>
  verdict.kind === 'allow' ? '' : verdict.refusal.detail;
