/**
 * Trust that moves under a steady load: ten rotations of roots and JWT authorities, while the agent drops its streams, sends
 * nonsense, restarts. What is right is said by the schedule of this file alone. A change may take a moment to count: within
 * that window both verdicts are right, until the new one was seen once; from then on only that one is.
 */
import { expect, test } from 'vitest';
import { makeCa } from '../helpers/pki.js';
import type { TestCa } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import type { WorkloadApiServer } from '../helpers/workload-api.js';
import { PROD, sceneWith } from './spiffe-scene.js';
import type { Scene } from './spiffe-scene.js';

const TURNS = 10;
/** For what an agent sends to count, ms. Generous: the machine may be busy, and a stream that was dropped comes back first. */
const WINDOW = 3000;
/** Calls of each kind after a change was seen, to see that it stays. */
const AFTER = 15;

interface Generation {
  readonly ca: TestCa;
  readonly authority: TestIssuer;
  /** The very same bytes again and again: remembered decisions must follow too. */
  readonly call: Buffer;
}

async function generation({ call }: Scene, turn: number): Promise<Generation> {
  const [ca, authority] = [await makeCa({ name: `Root ${turn}` }), await makeIssuer({ kid: `authority-${turn}` })];
  return { ca, authority, call: await call(ca, authority) };
}

/** Asks until the verdict is the new one, and then a while longer; counts what is wrong by the schedule. */
function loadOn({ guard, call }: Scene) {
  const count = { checks: 0, wrong: [] as string[], longest: 0 };
  const ask = async (bytes: Buffer): Promise<unknown> => {
    count.checks += 1;
    return guard.reasonFor(bytes);
  };
  const must = async (bytes: Buffer, allowed: boolean): Promise<void> => {
    const reason = await ask(bytes);
    const right = allowed ? reason === 'allowed' : reason === 'peer_untrusted' || reason === 'token_key_unknown';
    if (!right) count.wrong.push(`${count.checks}: ${String(reason)}`);
  };
  const fresh = ({ ca, authority }: Generation): Promise<Buffer> => call(ca, authority);
  return {
    count,
    must,
    fresh,
    /** `steady` holds before and after; `turning` becomes `allowed`. */
    async turns(turning: Generation, allowed: boolean, steady: readonly (readonly [Generation, boolean])[]) {
      const begun = performance.now();
      while (((await ask(turning.call)) === 'allowed') !== allowed) {
        if (performance.now() - begun > WINDOW) throw new Error(`still not ${allowed} after ${WINDOW} ms`);
        for (const [each, right] of steady) await must(each.call, right);
      }
      count.longest = Math.max(count.longest, performance.now() - begun);
      for (let left = AFTER; left > 0; left -= 1) {
        await must(turning.call, allowed);
        await must(await fresh(turning), allowed);
        for (const [each, right] of steady) await must(each.call, right);
      }
    },
  };
}

const publish = (agent: WorkloadApiServer, generations: readonly Generation[]): void => {
  agent.x509({ [PROD]: generations.map(({ ca }) => ca) });
  agent.jwt({ [PROD]: generations.map(({ authority }) => authority) });
};

test('zero wrong decisions over ten rotations on a Workload API that is not well', { timeout: 60_000 }, async () => {
  const scene = await sceneWith();
  const { count, must, turns } = loadOn(scene);
  const stranger = await generation(scene, 99);
  let agent = await scene.agent();
  let old = await generation(scene, 0);
  publish(agent, [old]);
  await turns(old, true, []);
  await must(stranger.call, false);
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const next = await generation(scene, turn);
    await must(next.call, false);
    if (turn % 3 === 0) agent.drop();
    if (turn % 3 === 1)
      for (const method of ['FetchX509Bundles', 'FetchJWTBundles'] as const)
        agent.say(method, { kind: 'bytes', bytes: Buffer.from('nonsense') });
    if (turn === 5) {
      await agent.stop();
      for (let left = AFTER; left > 0; left -= 1) await must(old.call, true);
      agent = await scene.agent();
    }
    publish(agent, [old, next]);
    await turns(next, true, [
      [old, true],
      [stranger, false],
    ]);
    publish(agent, [next]);
    await turns(old, false, [
      [next, true],
      [stranger, false],
    ]);
    old = next;
  }
  console.log(
    `${count.checks} checks, ${TURNS} rotations, ${count.wrong.length} wrong, a change counted within ${Math.ceil(count.longest)} ms`,
  );
  expect(count.wrong).toEqual([]);
  await scene.end();
});
