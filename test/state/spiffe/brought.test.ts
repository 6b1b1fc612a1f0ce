import { describe, expect, it } from 'vitest';
import { createBrought } from '../../../src/state/spiffe/brought.js';
import type { News } from '../../../src/state/spiffe/brought.js';

const MAX = 1000;
const value = (id: string): News<{ id: string }> => ({ kind: 'new', id, read: () => ({ ok: true, value: { id } }) });
const unreadable: News<{ id: string }> = { kind: 'new', id: 'x', read: () => ({ ok: false, problem: 'unreadable' }) };
const lost: News<{ id: string }> = { kind: 'lost', problem: 'lost' };
const gone: News<{ id: string }> = { kind: 'gone', problem: 'denied', instead: undefined };

function scene() {
  const { source, bring } = createBrought<{ id: string }>({
    from: 'somebody',
    maxStale: MAX,
    waiting: 'waiting',
    again: () => undefined,
    close: () => undefined,
  });
  const at = async (now: number) => {
    await source.poll(now);
    return [source.current(now)?.id, source.problem()];
  };
  return { source, bring, at };
}

describe('a value that is brought', () => {
  it('counts once it was looked at, and not before', async () => {
    const { source, bring, at } = scene();
    expect(await at(0)).toEqual([undefined, 'waiting']);
    bring(value('a'));
    expect([source.current(1), source.problem()]).toEqual([undefined, 'waiting']);
    expect(await at(1)).toEqual(['a', undefined]);
  });

  it('is not hidden by its bringer going away before anybody looked', async () => {
    const { bring, at } = scene();
    bring(value('a'));
    bring(lost);
    expect(await at(0)).toEqual(['a', 'lost']);
    bring(value('b'));
    bring(lost);
    expect(await at(1)).toEqual(['b', 'lost']);
  });

  it('stays taken back, whatever happens to its bringer before anybody looked', async () => {
    const { bring, at } = scene();
    bring(value('a'));
    await at(0);
    bring(gone);
    bring(lost);
    expect((await at(1))[0]).toBeUndefined();
  });

  it('is the last of several that came between two looks', async () => {
    const { bring, at } = scene();
    bring(value('a'));
    bring(gone);
    bring(lost);
    bring(value('b'));
    expect(await at(0)).toEqual(['b', undefined]);
  });

  it('goes on for maxStale after it was vouched for last: lost, or followed by what can not be read', async () => {
    for (const bad of [lost, unreadable]) {
      const { source, bring, at } = scene();
      bring(value('a'));
      await at(0);
      await at(500);
      expect(source.loadedAt()).toBe(500);
      bring(bad);
      expect((await at(600))[0]).toBe('a');
      bring(bad);
      expect((await at(600 + MAX))[0]).toBe('a');
      expect((await at(601 + MAX))[0]).toBeUndefined();
      expect(source.loadedAt()).toBe(500);
      bring(value('a'));
      expect(await at(602 + MAX)).toEqual(['a', undefined]);
    }
  });
});
