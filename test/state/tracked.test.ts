import { describe, expect, it } from 'vitest';
import type { Source } from '../../src/state/source.js';
import { track } from '../../src/state/tracked.js';
import type { Kind } from '../../src/state/tracked.js';

interface Settable {
  value?: readonly string[];
  problem?: string;
}

const sourceOf = (kind: Source<unknown>['kind'], state: Settable): Source<readonly string[]> => ({
  kind,
  from: 'somewhere',
  current: () => state.value,
  problem: () => state.problem,
  loadedAt: () => 0,
  poll: () => Promise.resolve(),
});

/** What is told after each state. */
function tells(kind: Kind, where: Source<unknown>['kind'], states: readonly Settable[], names = ['a']): string[] {
  const state: Settable = {};
  const tracked = track(kind, names, sourceOf(where, state), (value) => value);
  return states.map((next) => {
    delete state.value;
    delete state.problem;
    Object.assign(state, next);
    return tracked
      .notice(0)
      .told.map(([event, { name, added, removed }]) =>
        [event, name, ...added.map((part) => `+${part}`), ...removed.map((part) => `-${part}`)].join(' '),
      )
      .join(', ');
  });
}

const [one, two] = [['k1'], ['k2']];

describe('what is told of a file', () => {
  it('is each load, and each thing that is wrong', () => {
    const states = [{ value: one }, { value: one, problem: 'x' }, { value: one, problem: 'y' }, { value: two }];
    expect(tells('keys', 'file', states)).toEqual([
      'keys_changed a +k1',
      'keys_refused a',
      'keys_refused a',
      'keys_changed a +k2 -k1',
    ]);
  });

  it('is a policy that grew too old as a refusal, keys as removed', () => {
    const states = [{ value: one }, { value: one, problem: 'x' }, { problem: 'x' }];
    expect(tells('policy', 'file', states)).toEqual([
      'policy_loaded a +k1',
      'policy_refused a',
      'policy_refused a -k1',
    ]);
    expect(tells('trust', 'file', states)).toEqual([
      'bundle_changed a +k1',
      'bundle_refused a',
      'bundle_changed a -k1',
    ]);
  });

  it('is told to every issuer that has it', () => {
    expect(tells('keys', 'file', [{ value: one }], ['a', 'b'])).toEqual(['keys_changed a +k1, keys_changed b +k1']);
  });
});

describe('what is told of a source elsewhere', () => {
  it('is nothing before it was asked, and one refusal in whatever words until it is good again', () => {
    const states = [
      { problem: 'not yet' },
      { problem: 'refused' },
      { problem: 'timeout' },
      { value: one },
      { value: one },
      { value: one, problem: 'refused' },
      { value: one, problem: 'timeout' },
      { value: one },
      { value: one, problem: 'refused' },
    ];
    expect(tells('keys', 'remote', states)).toEqual([
      '',
      'keys_refused a',
      '',
      'keys_changed a +k1',
      '',
      'keys_refused a',
      '',
      'source_recovered a',
      'keys_refused a',
    ]);
  });
});
