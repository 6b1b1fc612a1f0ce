import { describe, expect, it } from 'vitest';
import { createTurns, noTurns } from '../../src/state/turns.js';

/** A turn of the event loop in which sockets are looked at. */
const loop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns of the event loop', () => {
  it('give the first one its turn at once, and the next one none in the same turn', () => {
    const turns = createTurns();
    expect(turns.wait()).toBeUndefined();
    turns.taken();
    expect(turns.wait()).toBeInstanceOf(Promise);
  });

  it('are free again after the sockets were looked at', async () => {
    const turns = createTurns();
    turns.taken();
    for (let n = 0; n < 3; n += 1) await loop();
    expect(turns.wait()).toBeUndefined();
  });

  it('let those who wait go one by one, in their order, with the sockets between any two', async () => {
    const turns = createTurns();
    const log: string[] = [];
    let looking = true;
    const look = (): void => {
      if (looking) setImmediate(look);
      log.push('looked');
    };
    look();
    turns.taken();
    const verify = async (name: string): Promise<void> => {
      await turns.wait();
      turns.taken();
      log.push(name);
    };
    await Promise.all(['a', 'b', 'c'].map(verify));
    looking = false;
    await loop();
    expect(log.filter((entry) => entry !== 'looked')).toEqual(['a', 'b', 'c']);
    expect(log.join(' ')).not.toMatch(/[abc] [abc]/);
  });

  it('count who verifies for a socket while others wait: the next one goes after all sockets', async () => {
    const turns = createTurns();
    const log: string[] = [];
    const verify = (name: string): void => {
      turns.taken();
      log.push(name);
    };
    verify('a');
    const waits = turns.wait();
    expect(waits).toBeInstanceOf(Promise);
    const waited = Promise.resolve(waits).then(() => undefined);
    await waited;
    // Whoever waited had nothing to verify; somebody else has, outside of its turn.
    await loop();
    verify('b');
    const next = Promise.resolve(turns.wait()).then(() => verify('c'));
    await loop();
    expect(log).toEqual(['a', 'b']);
    await next;
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('go on where whoever waited had nothing to verify after all', async () => {
    const turns = createTurns();
    turns.taken();
    for (const turn of [turns.wait(), turns.wait(), turns.wait()]) await turn;
    expect(turns.wait()).toBeUndefined();
  });

  it('turn the next one away where as many wait as may, and nobody after they have gone', async () => {
    const turns = createTurns(2);
    turns.taken();
    const waiting = [turns.wait(), turns.wait()];
    expect(turns.wait()).toBe('full');
    for (const turn of waiting) await turn;
    expect(turns.wait()).toBeUndefined();
  });

  it('are not waited for where nobody counts them', () => {
    noTurns.taken();
    expect(noTurns.wait()).toBeUndefined();
  });
});
