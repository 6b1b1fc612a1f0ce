import { describe, expect, it } from 'vitest';
import { demo } from '../demo/demo.js';
import { THEFT } from '../demo/pieces.js';
import { play } from '../demo/play.js';
import { setTheftStage } from '../demo/theft-stage.js';
import { SABOTAGES } from '../mutation/sabotage.js';
import { ensure } from '../setup.mjs';

const programs = ensure({ envoy: true, build: true, redis: true });

describe('the demo', () => {
  it('ends with 0: each row is as expected', async () => {
    expect(await demo([], programs)).toBe(0);
  });

  it('ends with 0 on a Workload API too', async () => {
    expect(await demo(['--spiffe'], programs)).toBe(0);
  });

  // All of them take minutes: npm run demo -- --sabotage all.
  it.each(['token-binding', 'cache-caller', 'forwarder-list'])('ends with 1 under the sabotage %s', async (name) => {
    expect(SABOTAGES.map((each) => each.name)).toContain(name);
    expect(await demo(['--sabotage', name], programs)).toBe(1);
  });

  it('ends with 2 for a sabotage that is not known', async () => {
    expect(await demo(['--sabotage', 'no-such-check'], programs)).toBe(2);
  });
});

describe('the theft of a token', () => {
  it('is caught at each of two guards that share a Redis, however the token is spelled', async () => {
    expect(await demo(['--theft'], programs)).toBe(0);
  });

  it('is seen too late only where its owner never was, and the guards share nothing', async () => {
    const alone = { ...THEFT, setStage: () => setTheftStage(programs, 'alone') };
    const { verdicts, remarks } = await play(programs, alone);
    const wrong = verdicts.filter(({ differences }) => differences.length > 0);
    expect(wrong.map(({ performance }) => performance.row.name)).toEqual([
      'stolen, at the second that never saw it',
      'its owner comes there after the thief',
    ]);
    expect(remarks.filter((remark) => !remark.startsWith('the guard said'))).toEqual([]);
  });
});
