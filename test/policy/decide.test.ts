import { describe, expect, it } from 'vitest';
import type { Question, Judgement } from '../../src/model/decision.js';
import type { TrustDomain } from '../../src/model/ids.js';
import { instantAt } from '../../src/model/instant.js';
import type { Instant } from '../../src/model/instant.js';
import { parseScopePattern } from '../../src/model/patterns.js';
import { decide, demandOf, isPermit } from '../../src/policy/decide.js';
import type { CeilingOf } from '../../src/policy/decide.js';
import type { DataLabel } from '../../src/model/settings.js';
import {
  FRONTEND,
  GATEWAY,
  NOW,
  PARTNER,
  compiled,
  credential,
  id,
  must,
  outside,
  questionOf,
  workload,
} from './facts.js';

interface World {
  readonly facts?: Partial<Question>;
  readonly guardrails?: string;
  readonly ceilings?: CeilingOf;
  readonly instant?: Instant;
  readonly data?: DataLabel;
}

const environmentOf = (domain: TrustDomain): string | null => (domain === 'prod.example' ? 'prod' : null);

function verdictOf(text: string, world: World = {}): Judgement {
  const { guardrails = '', ceilings = () => null, instant = instantAt(NOW), data } = world;
  const policy = compiled(text, data === undefined ? { guardrails } : { guardrails, data });
  return decide(questionOf(policy, world.facts), ceilings, environmentOf, instant);
}

const reasonIn = (verdict: Judgement): string =>
  verdict.kind === 'allow' ? verdict.permit.reason : verdict.refusal.reason;

const reasonOf = (text: string, world: World = {}): string => reasonIn(verdictOf(text, world));

function refusalOf(text: string, world: World = {}) {
  const verdict = verdictOf(text, world);
  if (verdict.kind === 'allow') throw new Error('allowed');
  return verdict.refusal;
}

/** A ceiling for partner.example alone. */
const ceiling =
  (scopes: readonly string[] | null, data: DataLabel | null = null): CeilingOf =>
  (domain) =>
    domain === 'partner.example'
      ? { scopes: scopes && scopes.map((scope) => must(parseScopePattern(scope))), data }
      : null;

const holding = (...scopes: string[]): Partial<Question> => ({ credential: credential({ scopes }) });

describe('an allow', () => {
  it('says by which kind of line', () => {
    expect(reasonOf('GET /x a', { facts: holding('a') })).toBe('allowed');
    expect(reasonOf('GET /x a|b', { facts: holding('b') })).toBe('allowed');
    expect(reasonOf('GET /x token')).toBe('allowed');
    expect(reasonOf('GET /x workload', { facts: { credential: undefined } })).toBe('allowed_workload');
    expect(reasonOf('GET /x anyone', { facts: { credential: undefined, origin: undefined } })).toBe('allowed_anyone');
  });

  it('is sealed: only what decide made is a permit, and it can not be changed', () => {
    const verdict = verdictOf('GET /x token');
    if (verdict.kind === 'deny') throw new Error('denied');
    expect(isPermit(verdict.permit)).toBe(true);
    expect(Object.isFrozen(verdict.permit)).toBe(true);
    for (const forged of [
      { ...verdict.permit },
      structuredClone(verdict.permit),
      undefined,
      null,
      'allowed',
      Object.create(verdict.permit),
    ])
      expect(isPermit(forged)).toBe(false);
  });
});

describe('the owner’s line', () => {
  it('must be there', () => {
    expect(reasonOf('POST /x token')).toBe('route_undeclared');
    expect(reasonOf('')).toBe('route_undeclared');
  });

  it('needs what it looks at', () => {
    expect(reasonOf('GET /x token', { facts: { credential: undefined } })).toBe('token_missing');
    expect(reasonOf('GET /x token', { facts: { origin: undefined } })).toBe('origin_unresolved');
    expect(reasonOf('GET /x workload', { facts: { origin: undefined } })).toBe('origin_unresolved');
  });

  it('scopes: all of them, or any of them', () => {
    expect(reasonOf('GET /x a+b', { facts: holding('a', 'b') })).toBe('allowed');
    expect(reasonOf('GET /x a+b', { facts: holding('a') })).toBe('scope_missing');
    expect(reasonOf('GET /x a|b', { facts: holding('c') })).toBe('scope_missing');
    expect(reasonOf('GET /x a', { facts: holding('A') })).toBe('scope_missing');
    expect(reasonOf('GET /x a.*', { facts: holding('a.read') })).toBe('scope_missing');
  });

  it('scopes: the hint says what is held and what is needed, and shows no strange text', () => {
    expect(refusalOf('GET /x orders.write', { facts: holding('orders.read') }).hint).toBe(
      'token has orders.read; line 1 needs orders.write',
    );
    expect(refusalOf('GET /x a', { facts: holding() }).hint).toBe('token has no scope; line 1 needs a');
    expect(refusalOf('GET /x a', { facts: holding('b\r\nx', 'c') }).hint).toBe(
      'token has c and others; line 1 needs a',
    );
    expect(refusalOf('GET /x a', { facts: holding('b\n') }).hint).toBe('token has other scopes; line 1 needs a');
  });

  it('from=: some pattern matches the origin', () => {
    expect(reasonOf('GET /x token from=ns/shop/sa/*')).toBe('allowed');
    expect(reasonOf('GET /x token from=ns/ops/**')).toBe('caller_not_allowed');
    expect(reasonOf('GET /x token from=ns/ops/**,ns/shop/sa/frontend')).toBe('allowed');
    expect(reasonOf('GET /x token from=ns/**', { facts: { origin: workload(PARTNER) } })).toBe('caller_not_allowed');
    expect(reasonOf('GET /x token from=spiffe://partner.example/**', { facts: { origin: workload(PARTNER) } })).toBe(
      'allowed',
    );
    expect(reasonOf('GET /x token from=ns/**', { facts: { guard: undefined } })).toBe('caller_not_allowed');
    expect(reasonOf('GET /x token from=outside@ns/**')).toBe('caller_not_allowed');
  });

  it('lets outside in only behind a forwarder that it names, and never on workload lines', () => {
    const facts = { origin: outside() };
    expect(reasonOf('GET /x token from=outside@ns/edge/sa/gateway', { facts })).toBe('allowed');
    expect(reasonOf('GET /x token from=outside@ns/edge/sa/other', { facts })).toBe('origin_unresolved');
    expect(reasonOf('GET /x token from=ns/**', { facts })).toBe('origin_unresolved');
    expect(reasonOf('GET /x token', { facts })).toBe('origin_unresolved');
    expect(reasonOf('GET /x workload', { facts })).toBe('origin_unresolved');
    expect(reasonOf('GET /x workload from=outside@ns/**', { facts })).toBe('origin_unresolved');
    expect(reasonOf('GET /x anyone', { facts })).toBe('allowed_anyone');
  });

  it('via=: every forwarder matches, none only with direct', () => {
    const through = (...forwarders: ReturnType<typeof id>[]): World => ({
      facts: { origin: workload(FRONTEND, forwarders) },
    });
    expect(reasonOf('GET /x token via=ns/edge/sa/*', through(GATEWAY))).toBe('allowed');
    expect(reasonOf('GET /x token via=ns/edge/sa/*', through(GATEWAY, id('ns/mid/sa/proxy')))).toBe('via_mismatch');
    expect(reasonOf('GET /x token via=ns/edge/sa/*')).toBe('via_mismatch');
    expect(reasonOf('GET /x token via=ns/edge/sa/*,direct')).toBe('allowed');
    expect(reasonOf('GET /x token via=direct')).toBe('allowed');
    expect(reasonOf('GET /x token via=direct', through(GATEWAY))).toBe('via_mismatch');
    expect(reasonOf('GET /x token via=ns/edge/sa/* from=outside@ns/**', { facts: { origin: outside() } })).toBe(
      'allowed',
    );
  });

  it('host=: also on anyone lines', () => {
    expect(reasonOf('GET /x token host=a.example,orders.example')).toBe('allowed');
    expect(reasonOf('GET /x token host=a.example')).toBe('host_mismatch');
    expect(reasonOf('GET /x anyone host=orders.example')).toBe('allowed_anyone');
    expect(reasonOf('GET /x anyone host=a.example')).toBe('host_mismatch');
  });

  it('env=: of the origin’s trust domain, an unknown one fails', () => {
    expect(reasonOf('GET /x token env=staging,prod')).toBe('allowed');
    expect(reasonOf('GET /x token env=staging')).toBe('environment_mismatch');
    expect(reasonOf('GET /x token env=prod', { facts: { origin: workload(PARTNER) } })).toBe('environment_mismatch');
    expect(reasonOf('GET /x token env=null', { facts: { origin: workload(PARTNER) } })).toBe('environment_mismatch');
    expect(reasonOf('GET /x token env=prod from=outside@ns/**', { facts: { origin: outside() } })).toBe(
      'environment_mismatch',
    );
  });

  it('age<=: to the millisecond, and a cached decision ends with it', () => {
    const aged = (age: number): World => ({ facts: { credential: credential({ age }) } });
    expect(reasonOf('GET /x token age<=5m', aged(300_000))).toBe('allowed');
    expect(reasonOf('GET /x token age<=5m', aged(300_001))).toBe('token_too_old');
    expect(reasonOf('GET /x token age<=5m', aged(-5000))).toBe('allowed');
    expect(reasonOf('GET /x token age<=5m', aged(NaN))).toBe('token_too_old');
    const instant = instantAt(NOW);
    verdictOf('GET /x token age<=5m', { ...aged(1000), instant });
    expect(instant.horizon().until).toBe(NOW + 299_001);
  });

  it('bound: exact or window; bound=direct: exact without a forwarder', () => {
    const bound = (method: 'exact' | 'window' | 'identity' | 'pin' | 'none', origin = workload()): World => ({
      facts: { credential: credential({ method }), origin },
    });
    const behind = workload(FRONTEND, [GATEWAY]);
    for (const method of ['exact', 'window'] as const)
      expect(reasonOf('GET /x token bound', bound(method, behind))).toBe('allowed');
    for (const method of ['identity', 'pin', 'none'] as const)
      expect(reasonOf('GET /x token bound', bound(method))).toBe('binding_missing');
    expect(reasonOf('GET /x token bound=direct', bound('exact'))).toBe('allowed');
    expect(reasonOf('GET /x token bound=direct', bound('window'))).toBe('binding_missing');
    expect(reasonOf('GET /x token bound=direct', bound('exact', behind))).toBe('binding_unavailable');
    expect(reasonOf('GET /x token bound=direct', bound('pin', behind))).toBe('binding_missing');
  });

  it('upgrade: only where it is declared', () => {
    const facts = { upgrade: true };
    for (const rule of ['token', 'workload', 'anyone']) {
      expect(reasonOf(`GET /x ${rule}`, { facts })).toBe('upgrade_not_declared');
      expect(reasonOf(`GET /x ${rule} upgrade`, { facts })).toMatch(/^allowed/);
    }
  });

  it('gives the first reason in the order of the contract', () => {
    const line = 'GET /x a from=ns/no via=ns/no host=no env=no age<=1s bound';
    const facts = { credential: credential({ age: 2000, method: 'pin' }), upgrade: true };
    const fixes: [string, string][] = [
      [' a ', ' token '],
      ['from=ns/no', ''],
      ['via=ns/no', ''],
      ['host=no', ''],
      ['env=no', ''],
      ['age<=1s', ''],
      ['bound', ''],
      ['token', 'token upgrade'],
    ];
    const reasons = [reasonOf(line, { facts })];
    let text = line;
    for (const [from, to] of fixes) reasons.push(reasonOf((text = text.replace(from, to)), { facts }));
    expect(reasons).toEqual([
      'scope_missing',
      'caller_not_allowed',
      'via_mismatch',
      'host_mismatch',
      'environment_mismatch',
      'token_too_old',
      'binding_missing',
      'upgrade_not_declared',
      'allowed',
    ]);
  });
});

describe('ceilings', () => {
  const partner = (...scopes: string[]): Partial<Question> => ({
    ...holding(...scopes),
    origin: workload(PARTNER, [GATEWAY]),
  });

  it('data: the route’s label must not lie above', () => {
    const facts = partner();
    expect(reasonOf('GET /x token data=public', { facts, ceilings: ceiling(null, 'public') })).toBe('allowed');
    expect(reasonOf('GET /x token data=internal', { facts, ceilings: ceiling(null, 'public') })).toBe('data_ceiling');
    expect(reasonOf('GET /x workload', { facts, ceilings: ceiling(null, 'confidential') })).toBe('data_ceiling');
    expect(reasonOf('GET /x token', { facts, ceilings: ceiling(null, 'restricted') })).toBe('allowed');
    expect(reasonOf('GET /x token', { facts, ceilings: ceiling(null) })).toBe('allowed');
    expect(reasonOf('GET /x token', { ceilings: ceiling(null, 'public') })).toBe('allowed');
    expect(reasonOf('GET /x token', { data: 'public', facts, ceilings: ceiling(null, 'public') })).toBe('allowed');
  });

  it('scopes: all must lie within', () => {
    const facts = partner('catalog.read', 'orders.read');
    expect(reasonOf('GET /x catalog.read', { facts, ceilings: ceiling(['catalog.*']) })).toBe('allowed');
    expect(reasonOf('GET /x catalog.read+orders.read', { facts, ceilings: ceiling(['catalog.*']) })).toBe(
      'scope_ceiling',
    );
    expect(reasonOf('GET /x catalog.read', { facts, ceilings: ceiling([]) })).toBe('scope_ceiling');
    expect(reasonOf('GET /x token', { facts, ceilings: ceiling([]) })).toBe('allowed');
    expect(reasonOf('GET /x orders.read', { facts: holding('orders.read'), ceilings: ceiling([]) })).toBe('allowed');
  });

  it('scopes: any is satisfied only by a held alternative that lies within', () => {
    const ceilings = ceiling(['catalog.*']);
    const line = 'GET /x catalog.read|orders.read';
    expect(reasonOf(line, { facts: partner('catalog.read'), ceilings })).toBe('allowed');
    expect(reasonOf(line, { facts: partner('catalog.read', 'orders.read'), ceilings })).toBe('allowed');
    expect(reasonOf(line, { facts: partner('orders.read'), ceilings })).toBe('scope_ceiling');
    expect(reasonOf(line, { facts: partner('other'), ceilings })).toBe('scope_missing');
    expect(reasonOf('GET /x orders.read|orders.write', { facts: partner(), ceilings })).toBe('scope_ceiling');
  });

  it('the lowest of all trust domains in the chain counts, of forwarders and the guard too', () => {
    const ceilings: CeilingOf = (domain) =>
      domain === 'partner.example'
        ? { scopes: [must(parseScopePattern('a.*'))], data: 'internal' }
        : { scopes: [must(parseScopePattern('a.read')), must(parseScopePattern('b'))], data: 'confidential' };
    const facts = partner('a.read', 'a.write', 'b');
    expect(reasonOf('GET /x a.read data=internal', { facts, ceilings })).toBe('allowed');
    expect(reasonOf('GET /x a.write data=internal', { facts, ceilings })).toBe('scope_ceiling');
    expect(reasonOf('GET /x b data=internal', { facts, ceilings })).toBe('scope_ceiling');
    expect(reasonOf('GET /x a.read data=confidential', { facts, ceilings })).toBe('data_ceiling');
    const through = { ...holding('a.read'), origin: workload(FRONTEND, [PARTNER]) };
    expect(reasonOf('GET /x a.read data=confidential', { facts: through, ceilings })).toBe('data_ceiling');
  });

  it('come before guardrails, and do not count on anyone lines', () => {
    const ceilings = ceiling([], 'public');
    expect(reasonOf('GET /x token', { facts: partner(), ceilings, guardrails: '* /** other' })).toBe('data_ceiling');
    expect(reasonOf('GET /x anyone', { facts: partner(), ceilings })).toBe('allowed_anyone');
  });

  it('cut the scopes that a guardrail sees', () => {
    const world = { facts: partner('admin', 'a'), guardrails: '* /** admin' };
    expect(reasonOf('GET /x a data=public', { ...world, ceilings: ceiling(['a', 'admin']) })).toBe('allowed');
    expect(reasonOf('GET /x a data=public', { ...world, ceilings: ceiling(['a']) })).toBe('guardrail');
  });
});

describe('guardrails', () => {
  it('must be satisfied, every one that matches', () => {
    expect(reasonOf('GET /x token', { guardrails: '* /** token from=ns/**\nPOST /** admin\n* /y admin' })).toBe(
      'allowed',
    );
    expect(reasonOf('GET /x token', { guardrails: '* /** token\nGET /** token from=ns/ops/**' })).toBe('guardrail');
  });

  it('come before the owner’s line, and name the line and what failed', () => {
    const refusal = refusalOf('GET /x a', { guardrails: '* /** token\n* /** b', facts: holding('c') });
    expect(refusal).toEqual({
      ok: false,
      reason: 'guardrail',
      detail: 'guardrail line 2: scope_missing: token has c; line 2 needs b',
      hint: 'policy.guardrails: token has c; line 2 needs b',
    });
  });

  it.each([
    ['token', { credential: undefined }],
    ['workload', { origin: undefined }],
    ['a', {}],
    ['token from=ns/ops/**', {}],
    ['workload via=ns/edge/**', {}],
    ['anyone host=a.example', {}],
    ['workload env=staging', {}],
    ['token age<=1s', { credential: credential({ age: 1001 }) }],
    ['token bound', { credential: credential({ method: 'pin' }) }],
    ['token bound=direct', { origin: workload(FRONTEND, [GATEWAY]) }],
    ['token', { origin: outside() }],
    ['token from=ns/**', { origin: outside() }],
  ] as [string, Partial<Question>][])('%s fails as a guardrail, also on an anyone line', (rule, facts) => {
    expect(reasonOf('GET /x anyone', { facts, guardrails: `* /** ${rule}` })).toBe('guardrail');
    expect(reasonOf('GET /x anyone', { facts })).toBe('allowed_anyone');
  });

  it('let outside in where they name the forwarder', () => {
    const line = 'GET /x token from=outside@ns/edge/sa/gateway';
    const facts = { origin: outside() };
    expect(reasonOf(line, { facts, guardrails: '* /** token from=ns/**,outside@ns/edge/**' })).toBe('allowed');
    expect(reasonOf(line, { facts, guardrails: '* /** token from=ns/**' })).toBe('guardrail');
  });

  it('never ask for upgrade', () => {
    expect(reasonOf('GET /x token upgrade', { facts: { upgrade: true }, guardrails: '* /** token' })).toBe('allowed');
    expect(reasonOf('GET /x token', { facts: { upgrade: true }, guardrails: '* /** token upgrade' })).toBe(
      'upgrade_not_declared',
    );
  });
});

describe('demandOf', () => {
  const demand = (text: string, guardrails = '') => demandOf(compiled(text, { guardrails }).route('GET', ['x']));

  it('says who looks at the origin and at the token', () => {
    expect(demand('GET /x a')).toEqual({ origin: 'line', token: 'line' });
    expect(demand('GET /x token', '* /** token')).toEqual({ origin: 'line', token: 'line' });
    expect(demand('GET /x workload')).toEqual({ origin: 'line', token: 'no' });
    expect(demand('GET /x workload', '* /** a|b')).toEqual({ origin: 'line', token: 'guardrail' });
    expect(demand('GET /x anyone')).toEqual({ origin: 'no', token: 'no' });
    expect(demand('GET /x anyone', '* /** anyone host=a')).toEqual({ origin: 'no', token: 'no' });
    expect(demand('GET /x anyone', '* /** workload')).toEqual({ origin: 'guardrail', token: 'no' });
    expect(demand('GET /x anyone', '* /** token')).toEqual({ origin: 'guardrail', token: 'guardrail' });
    expect(demand('POST /x anyone', '* /** token')).toEqual({ origin: 'line', token: 'no' });
  });
});
