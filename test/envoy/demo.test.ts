import { describe, expect, it } from 'vitest';
import { demo } from '../demo/demo.js';
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
  it.each(['token-binding', 'cache-caller', 'forwarder-list', 'token-name', 'store'])(
    'ends with 1 under the sabotage %s',
    async (name) => {
      expect(SABOTAGES.map((each) => each.name)).toContain(name);
      expect(await demo(['--sabotage', name], programs)).toBe(1);
    },
  );

  it('ends with 2 for a sabotage that is not known', async () => {
    expect(await demo(['--sabotage', 'no-such-check'], programs)).toBe(2);
  });
});

describe('the theft of a token', () => {
  it('is caught at each of two guards that share a Redis, however the token is spelled', async () => {
    expect(await demo(['--theft'], programs)).toBe(0);
  });
});
