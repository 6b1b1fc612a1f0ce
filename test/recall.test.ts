/** What may be remembered, and what may be answered OK at all: only what was decided, about an origin that was verified. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Ask, Draft } from '../src/ask.js';
import type { Decision, Permit } from '../src/model/decision.js';
import type { Policy } from '../src/model/policy.js';
import { refuse } from '../src/model/result.js';
import { decide } from '../src/policy/decide.js';
import { instantAt } from '../src/model/instant.js';
import { commit, isRecallable } from '../src/recall.js';
import { callFrom } from './helpers/check-request.js';
import { compiled, NOW as POLICY_NOW, questionOf, workload } from './policy/facts.js';
import { boundTo, houseOf, makeCast } from './properties/house.js';
import type { Cast } from './properties/house.js';

const recallable = (lines: string, guardrails = ''): boolean =>
  isRecallable({ route: compiled(lines, { guardrails }).route('GET', ['x']), beside: undefined });

describe('a route', () => {
  it('may be remembered where somebody is looked at, and nobody asked for more', () => {
    expect(recallable('GET /x token')).toBe(true);
    expect(recallable('GET /x workload', 'GET /x token')).toBe(true);
    expect(recallable('GET /x anyone', 'GET /x workload')).toBe(true);
    expect(recallable('GET /y token')).toBe(true);
    expect(recallable('GET /x anyone')).toBe(false);
  });

  it.each(['fresh', 'once'])('may not where its line or any one guardrail has %s', (word) => {
    expect(recallable(`GET /x token ${word}`)).toBe(false);
    expect(recallable(`GET /x token ${word}`, 'GET /x token')).toBe(false);
    expect(recallable('GET /x token', `GET /x token ${word}`)).toBe(false);
    expect(recallable('GET /x token', `GET /x token\n* /x token ${word}`)).toBe(false);
    expect(recallable('GET /y token', `GET /x token ${word}`)).toBe(false);
    expect(recallable('GET /x token', `GET /y token ${word}`)).toBe(true);
  });
});

describe('an OK', () => {
  const policy: Policy = compiled('GET /x token\nGET /open anyone');
  const draftOf = (path: string, changes: Partial<Decision['findings']> = {}): { draft: Draft; ask: Ask } => {
    const question = questionOf(policy, {}, path);
    const verdict = decide(
      question,
      () => null,
      () => null,
      instantAt(POLICY_NOW),
    );
    if (verdict.kind === 'deny') throw new Error(verdict.refusal.detail);
    const { route } = question;
    return { draft: { verdict, findings: { route, ...changes }, cacheable: true }, ask: { route } as Ask };
  };

  it('needs the permit that was given, not one that looks like it', async () => {
    const { draft, ask } = draftOf('/open');
    expect((await commit(draft, ask, 'enforce')).verdict).toBe(draft.verdict);
    if (draft.verdict.kind === 'deny') throw new Error('denied');
    const copy: Draft = { ...draft, verdict: { kind: 'allow', permit: { ...draft.verdict.permit } as Permit } };
    await expect(async () => commit(copy, ask, 'enforce')).rejects.toThrow('an allow without a seal');
  });

  it('needs the origin that was verified, not one that looks like it, wherever somebody is looked at', async () => {
    const { draft, ask } = draftOf('/x', { origin: workload() });
    await expect(async () => commit(draft, ask, 'enforce')).rejects.toThrow('an allow without a seal');
    const without = draftOf('/x');
    await expect(async () => commit(without.draft, without.ask, 'enforce')).rejects.toThrow('an allow without a seal');
  });

  it('is not needed for a deny', async () => {
    const { ask } = draftOf('/x');
    const denied: Draft = {
      verdict: { kind: 'deny', refusal: refuse('scope_missing', '') },
      findings: {},
      cacheable: true,
    };
    expect(await commit(denied, ask, 'enforce')).toEqual({ verdict: denied.verdict, findings: {} });
  });
});

describe('what was remembered', () => {
  let cast: Cast;
  let pinned: string;
  let bound: string;
  beforeAll(async () => {
    cast = await makeCast();
    pinned = await cast.second.sign({ scope: 'a' });
    bound = await cast.idp.sign({ scope: 'a', ...boundTo(cast.frontend) });
  });
  const caches = async (lines: string, guardrails: string, token: string): Promise<string[]> => {
    const house = houseOf(cast, { lines, guardrails });
    const said: string[] = [];
    for (let times = 0; times < 2; times += 1) {
      const bytes = callFrom({ peer: cast.frontend, path: '/x', token });
      const { outcome, reason } = await house.ask(bytes);
      said.push(`${reason} ${outcome.cache}`);
    }
    return said;
  };

  it('is found the second time, an OK as well as a deny', async () => {
    expect(await caches('GET /x a', '', bound)).toEqual(['allowed miss', 'allowed hit']);
    expect(await caches('GET /x b', '', bound)).toEqual(['scope_missing miss', 'scope_missing hit']);
    expect(await caches('GET /x a fresh', 'GET /x a', bound)).toEqual(['allowed miss', 'allowed miss']);
    expect(await caches('GET /x a', 'GET /x a fresh', bound)).toEqual(['allowed miss', 'allowed miss']);
  });

  it('keeps to the pin that was written meanwhile', async () => {
    const house = houseOf(cast, { lines: 'GET /x a\nGET /y b' });
    const ask = async (path: string, peer = cast.frontend): Promise<string> => {
      const { outcome, reason } = await house.ask(callFrom({ peer, path, headers: [['x-token', pinned]] }));
      return `${reason} ${outcome.cache}`;
    };
    // Denied for its scope: compared with the pins, and nothing written.
    expect([await ask('/y', cast.batch), await ask('/y', cast.batch)]).toEqual([
      'scope_missing miss',
      'scope_missing hit',
    ]);
    expect([await ask('/x'), await ask('/x')]).toEqual(['allowed miss', 'allowed hit']);
    expect(await ask('/y', cast.batch)).toBe('token_presenter_changed miss');
    expect(await ask('/x', cast.batch)).toBe('token_presenter_changed miss');
    expect(await ask('/x')).toBe('allowed hit');
  });

  it('is asked of revocations each time', async () => {
    const house = houseOf(cast, { lines: 'GET /x a' });
    const bytes = callFrom({ peer: cast.frontend, path: '/x', token: bound });
    const first = await house.ask(bytes);
    expect((await house.ask(bytes)).outcome.cache).toBe('hit');
    const revocation = { type: 'identity', value: cast.frontend.id, issuer: undefined, until: Infinity } as const;
    house.revocations.revoke(revocation);
    expect((await house.ask(bytes)).reason).toBe('identity_revoked');
    house.revocations.unrevoke(revocation);
    const again = await house.ask(bytes);
    expect([again.reason, again.outcome.cache]).toEqual(['allowed', 'hit']);
    expect(again.outcome.id).not.toBe(first.outcome.id);
  });
});
