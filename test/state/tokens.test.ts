import { describe, expect, it } from 'vitest';
import type { TokenText } from '../../src/model/evidence.js';
import type { TokenName } from '../../src/model/ids.js';
import { ok, refuse } from '../../src/model/result.js';
import type { Result } from '../../src/model/result.js';
import type { Snapshot } from '../../src/model/snapshot.js';
import { createTokens } from '../../src/state/tokens.js';
import { createTurns } from '../../src/state/turns.js';

const tokenOf = (text: string, place = 'authorization'): TokenText => ({
  text,
  header: { alg: 'ES256', typ: undefined, kid: undefined },
  claimed: {},
  name: 'name' as TokenName,
  place,
});
const snapshotOf = (keys: string): Snapshot => ({
  policy: undefined,
  candidate: undefined,
  policyStale: false,
  findBundle: () => 'unknown',
  findKeys: () => 'unavailable',
  versions: { policy: '1', candidate: '1', trust: '1', keys },
});

type Answer = Result<string> | Promise<Result<string>>;

/** What was verified, in order. */
function counted(answer: (text: string) => Answer) {
  const asked: string[] = [];
  const verify = ({ text }: TokenText): Answer => {
    asked.push(text);
    return answer(text);
  };
  return { asked, verify };
}

describe('verified tokens', () => {
  it('are verified once for each text, place and version of the keys', async () => {
    const { asked, verify } = counted((text) => ok(text));
    const tokens = createTokens<string>(verify, 100);
    const ask = (text: string, place?: string, keys = '1') => tokens.verify(snapshotOf(keys))(tokenOf(text, place), []);
    expect([ask('a'), ask('a')]).toEqual([ok('a'), ok('a')]);
    expect(asked).toEqual(['a']);
    await Promise.all([ask('b'), ask('a', 'x-token'), ask('a', undefined, '2')]);
    expect(asked).toEqual(['a', 'b', 'a', 'a']);
  });

  it('are verified once where many ask before the first answer', async () => {
    let answer: (result: Result<string>) => void = () => undefined;
    const { asked, verify } = counted(() => new Promise((resolve) => (answer = resolve)));
    const tokens = createTokens<string>(verify, 100);
    const ask = () => tokens.verify(snapshotOf('1'))(tokenOf('a'), []);
    const asking = Promise.all([ask(), ask(), ask()]);
    answer(ok('late'));
    expect(await asking).toEqual([ok('late'), ok('late'), ok('late')]);
    expect(asked).toEqual(['a']);
    expect(ask()).toEqual(ok('late'));
  });

  it('take turns: the second in one turn waits, and a third one for the same token waits with it', async () => {
    const { asked, verify } = counted((text) => ok(text));
    const tokens = createTokens<string>(verify, 100, createTurns());
    const ask = (text: string) => tokens.verify(snapshotOf('1'))(tokenOf(text), []);
    expect(ask('a')).toEqual(ok('a'));
    const second = [ask('b'), ask('b')];
    expect(asked).toEqual(['a']);
    for (const answer of second) expect(await answer).toEqual(ok('b'));
    expect(asked).toEqual(['a', 'b']);
  });

  it('are turned away where too many wait, without being remembered as bad', async () => {
    const { verify } = counted((text) => ok(text));
    const tokens = createTokens<string>(verify, 100, createTurns(1));
    const ask = (text: string) => tokens.verify(snapshotOf('1'))(tokenOf(text), []);
    const known = [ask('a'), ask('b')];
    expect(ask('c')).toMatchObject({ ok: false, reason: 'deadline_exceeded' });
    expect(ask('a')).toEqual(ok('a'));
    for (const answer of known) await answer;
    expect(await ask('c')).toEqual(ok('c'));
  });

  it('are asked again after a fault, and where there were no keys', async () => {
    const answers: (() => Answer)[] = [
      () => refuse('keys_unavailable', 'none'),
      () => Promise.resolve(refuse('keys_unavailable', 'none')),
      () => Promise.reject(new Error('broken')),
      () => ok('right'),
    ];
    const { asked, verify } = counted(() => answers[asked.length - 1]?.() ?? ok('never'));
    const tokens = createTokens<string>(verify, 100);
    const ask = async () => tokens.verify(snapshotOf('1'))(tokenOf('a'), []);
    expect(await ask()).toMatchObject({ reason: 'keys_unavailable' });
    expect(await ask()).toMatchObject({ reason: 'keys_unavailable' });
    await expect(ask()).rejects.toThrow('broken');
    expect(await ask()).toEqual(ok('right'));
    expect(await ask()).toEqual(ok('right'));
    expect(asked).toHaveLength(4);
  });

  it('that are right are not pushed out by ever so many that are wrong', async () => {
    const { asked, verify } = counted((text) => (text === 'right' ? ok(text) : refuse('token_signature', 'wrong')));
    const tokens = createTokens<string>(verify, 16);
    const ask = (text: string) => tokens.verify(snapshotOf('1'))(tokenOf(text), []);
    await ask('right');
    for (let n = 0; n < 100; n += 1) await ask(`wrong ${n}`);
    await ask('right');
    expect(asked.filter((text) => text === 'right')).toHaveLength(1);
    expect(tokens.size()).toBeLessThanOrEqual(32);
  });
});
