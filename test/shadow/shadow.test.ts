import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answerMetadata, decisionRecord, leavesRecord } from '../../src/audit/record.js';
import { requestFacts } from '../../src/audit/request-facts.js';
import type { Line, Policy } from '../../src/model/policy.js';
import type { Snapshot } from '../../src/model/snapshot.js';
import { callFrom, checkRequest, elementOf } from '../helpers/check-request.js';
import type { CallFacts } from '../helpers/check-request.js';
import { openGuard } from '../helpers/offline-guard.js';
import type { Asked, TestGuard } from '../helpers/offline-guard.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';

let ca: TestCa;
let stranger: TestCa;
let issuer: TestIssuer;
let frontend: TestSvid;
let other: TestSvid;
let partner: TestSvid;
let gateway: TestSvid;
let forged: TestSvid;
beforeAll(async () => {
  ca = await makeCa();
  stranger = await makeCa({ name: 'Stranger' });
  issuer = await makeIssuer();
  [frontend, other, partner, gateway, forged] = await Promise.all([
    ca.issue(),
    ca.issue({ id: 'spiffe://prod.example/ns/shop/sa/other' }),
    ca.issue({ id: 'spiffe://prod.example/ns/far/sa/partner' }),
    ca.issue({ id: GATEWAY }),
    stranger.issue(),
  ]);
});

const open: TestGuard[] = [];
afterEach(() => {
  for (const guard of open.splice(0)) guard.close();
});

const LINES = `GET /orders/{id} orders.read
POST /orders orders.write from=ns/shop/sa/frontend
GET /young token age<=1m
GET /bound token bound
GET /host token host=other.example
GET /once token once
GET /ops/x token
GET /secret token data=restricted
GET /stats workload from=ns/monitoring/sa/*
GET /open anyone`;

interface Options {
  readonly policy?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly lines?: string;
  readonly owner?: string;
  readonly now?: () => number;
  readonly bend?: (snapshot: Snapshot) => Snapshot;
}

async function guardWith({
  policy = '',
  files = {},
  lines = LINES,
  owner = '',
  now,
  bend,
}: Options): Promise<TestGuard> {
  const yaml = `
workload: spiffe://prod.example/ns/shop/sa/orders
listen: { check: unix:check.sock, admin: off }
trust: { prod.example: { bundle: prod.pem, ceiling: { data: confidential } } }
origin: { forwarders: [{ id: ${GATEWAY}, origins: ["spiffe://prod.example/ns/shop/**"] }] }
tokens: [{ issuer: https://idp.prod.example, keys: idp.jwks.json, audiences: [orders] }]
policy:
  annotations: annotations
  guardrails: |
    GET /ops/** ops.admin
${policy.includes('ownersMay') ? '' : '  ownersMay: [workload, anyone]\n'}${policy}`;
  const guard = await openGuard(
    yaml,
    {
      'prod.pem': ca.certificate,
      'idp.jwks.json': JSON.stringify(issuer.jwks),
      annotations: `firsthand.dev/scopes=${JSON.stringify(lines)}\nfirsthand.dev/data="internal"\n${owner}`,
      ...files,
    },
    now,
    bend,
  );
  open.push(guard);
  return guard;
}

const call = async (more: Partial<CallFacts> = {}, claims: Record<string, unknown> = {}): Promise<Buffer> =>
  callFrom({
    peer: frontend,
    path: '/orders/1',
    token: await issuer.sign({ scope: 'orders.read', ...claims }),
    ...more,
  });

const recordOf = ({ outcome, attributes }: Asked) =>
  decisionRecord(outcome, attributes && requestFacts(attributes), { path: 'raw', environment: null }, 1);

/** What was answered and what was told: `deny scope_missing`, `allow allowed` or `shadow scope_missing`. */
const said = (asked: Asked): string => {
  const { shadow, decision, reason } = recordOf(asked);
  expect(asked.answer.code === 0).toBe(decision === 'allow');
  return shadow === undefined ? `${decision} ${reason}` : `shadow ${shadow}`;
};

/** A request for each place where a check can be refused after step 1, with the reason that it is refused with. */
const REFUSED: readonly [reason: string, owns: boolean, request: () => Promise<Buffer>][] = [
  ['scope_missing', true, () => call({}, { scope: 'other' })],
  ['caller_not_allowed', true, () => call({ method: 'POST', path: '/orders', peer: other }, { scope: 'orders.write' })],
  ['caller_not_allowed', true, () => call({ path: '/stats' })],
  ['token_too_old', true, () => call({ path: '/young' }, { iat: Math.floor(Date.now() / 1000) - 120 })],
  ['binding_missing', true, () => call({ path: '/bound' })],
  ['host_mismatch', true, () => call({ path: '/host' })],
  ['upgrade_not_declared', true, () => call({ headers: [['upgrade', 'websocket']] })],
  ['guardrail', false, () => call({ path: '/ops/x' })],
  ['data_ceiling', false, () => call({ path: '/secret' })],
  ['route_undeclared', false, () => call({ path: '/nowhere' })],
  ['token_missing', false, () => call({ token: undefined })],
  ['token_audience', false, () => call({}, { aud: 'payments' })],
  ['token_expired', false, () => call({}, { iat: 1_000_000_000, exp: 1_000_000_300 })],
  ['peer_untrusted', false, () => call({ peer: forged })],
  ['peer_unauthenticated', false, async () => checkRequest({ path: '/orders/1' })],
  ['xfcc_anchor', false, () => call({ own: elementOf('spiffe://prod.example/ns/shop/sa/orders', other) })],
  ['xfcc_malformed', false, () => call({ own: 'By="' })],
  ['origin_unresolved', false, () => call({ peer: gateway })],
  ['forwarder_not_allowed', false, () => call({ peer: gateway, behind: [elementOf(GATEWAY, partner)] })],
];

/** Refusals of step 1. */
const UNREADABLE: readonly [reason: string, request: () => Promise<Buffer>][] = [
  ['request_malformed', async () => Buffer.from('no CheckRequest')],
  ['request_malformed', () => call({ method: 'get' })],
  ['path_ambiguous', () => call({ path: '/orders/../x' })],
  ['path_ambiguous', () => call({ path: '/Orders/1' })],
  ['header_ambiguous', () => call({ headers: [['x-http-method-override', 'DELETE']] })],
];

describe("the operator's shadow mode", () => {
  const SHADOW = { policy: '  mode: shadow\n' };

  it.each(REFUSED)('answers OK where %s would have been said, and tells it', async (reason, _owns, request) => {
    const bytes = await request();
    const enforcing = await guardWith({});
    expect(said(await enforcing.ask(bytes))).toBe(`deny ${reason}`);
    const guard = await guardWith(SHADOW);
    const asked = await guard.ask(bytes);
    expect(said(asked)).toBe(`shadow ${reason}`);
    expect(asked.outcome.verdict).not.toHaveProperty('permit');
    expect(asked.answer.metadata).toMatchObject({
      decision: 'allow',
      reason: 'allowed',
      mode: 'shadow',
      shadow: reason,
    });
    expect(leavesRecord(asked.outcome, 0, 0.5)).toBe(true);
  });

  it('does not let the names of a refused caller through, nor those that the request claims', async () => {
    const guard = await guardWith(SHADOW);
    const headers = [
      ['x-firsthand-origin', 'spiffe://prod.example/ns/x/sa/claimed'],
      ['x_firsthand_peer', 'claimed'],
    ] as const;
    const { answer } = await guard.ask(await call({ headers }, { scope: 'other' }));
    expect(answer.headers.map(([name]) => name)).toEqual(['x-firsthand-decision']);
    expect(answer.removed).toEqual(
      expect.arrayContaining(['x-firsthand-origin', 'x-firsthand-peer', 'x_firsthand_peer']),
    );
  });

  it.each(UNREADABLE)('still refuses what can not be read in one way: %s', async (reason, request) => {
    const guard = await guardWith(SHADOW);
    const asked = await guard.ask(await request());
    expect(said(asked)).toBe(`deny ${reason}`);
    expect(recordOf(asked).mode).toBe('shadow');
  });

  it('still refuses what it could not decide in time', async () => {
    const guard = await guardWith(SHADOW);
    expect(said(await guard.ask(await call(), Date.now() - 1))).toBe('deny deadline_exceeded');
  });

  it('still refuses where it broke', async () => {
    const guard = await guardWith({ ...SHADOW, now: () => (open.length > 0 ? broken() : Date.now()) });
    await expect(guard.ask(await call())).rejects.toThrow('broken clock');
  });

  it('answers OK where no valid policy is loaded', async () => {
    const guard = await guardWith({ ...SHADOW, lines: 'GET nonsense' });
    expect(said(await guard.ask(await call()))).toBe('shadow policy_invalid');
    const enforcing = await guardWith({ lines: 'GET nonsense' });
    expect(said(await enforcing.ask(await call()))).toBe('deny policy_invalid');
  });

  it('allows what is allowed as ever, with its names', async () => {
    const guard = await guardWith(SHADOW);
    const asked = await guard.ask(await call());
    expect(said(asked)).toBe('allow allowed');
    expect(Object.fromEntries(asked.answer.headers)).toMatchObject({ 'x-firsthand-origin': frontend.id });
    expect(asked.answer.metadata).toMatchObject({ mode: 'shadow' });
    expect(asked.answer.metadata).not.toHaveProperty('shadow');
  });

  it('writes no pin for what would have been refused', async () => {
    const guard = await guardWith(SHADOW);
    const token = await issuer.sign({ scope: 'other' });
    await guard.ask(await call({ token }));
    expect(guard.engine.pins.size()).toBe(0);
    expect(said(await guard.ask(await call({ peer: other, path: '/bound', token })))).toBe('shadow binding_missing');
  });

  it('keeps the pins of what it allows, and tells of a conflict', async () => {
    const guard = await guardWith(SHADOW);
    const token = await issuer.sign({ scope: 'orders.read' });
    expect(said(await guard.ask(await call({ token })))).toBe('allow allowed');
    expect(said(await guard.ask(await call({ peer: other, token })))).toBe('shadow token_presenter_changed');
    expect(said(await guard.ask(await call({ token })))).toBe('allow allowed');
  });

  it('uses no token up by a refusal', async () => {
    const guard = await guardWith(SHADOW);
    const token = await issuer.sign({ scope: 'orders.read' });
    const upgrade = [['upgrade', 'websocket']] as const;
    expect(said(await guard.ask(await call({ path: '/once', token, headers: upgrade })))).toBe(
      'shadow upgrade_not_declared',
    );
    expect(said(await guard.ask(await call({ path: '/once', token })))).toBe('allow allowed');
    expect(said(await guard.ask(await call({ path: '/once', token })))).toBe('shadow token_replayed');
  });

  it('says the same from the cache', async () => {
    const guard = await guardWith(SHADOW);
    const bytes = await call({}, { scope: 'other' });
    const first = await guard.ask(bytes);
    const second = await guard.ask(bytes);
    expect([first, second].map(({ outcome }) => outcome.cache)).toEqual(['miss', 'hit']);
    expect(said(second)).toBe(said(first));
  });
});

const broken = (): never => {
  throw new Error('broken clock');
};

describe("the owner's shadow mode", () => {
  const OWNER = { policy: '  ownersMay: [workload, anyone, shadow]\n', owner: 'firsthand.dev/mode="shadow"\n' };

  it.each(REFUSED)('covers what the own line refuses, and nothing else: %s, %s', async (reason, owns, request) => {
    const guard = await guardWith(OWNER);
    const asked = await guard.ask(await request());
    expect(said(asked)).toBe(`${owns ? 'shadow' : 'deny'} ${reason}`);
    expect(recordOf(asked).mode).toBe('shadow');
  });

  it.each(UNREADABLE)('still refuses what can not be read in one way: %s', async (reason, request) => {
    const guard = await guardWith(OWNER);
    expect(said(await guard.ask(await request()))).toBe(`deny ${reason}`);
  });

  it('does not cover a guardrail that would refuse beside the line', async () => {
    const guard = await guardWith({ ...OWNER, lines: 'GET /ops/x other.scope' });
    expect(said(await guard.ask(await call({ path: '/ops/x' })))).toBe('deny guardrail');
    expect(said(await guard.ask(await call({ path: '/ops/x' }, { scope: 'ops.admin' })))).toBe('shadow scope_missing');
  });

  it('does not cover pins, used tokens and revocations', async () => {
    const guard = await guardWith(OWNER);
    const token = await issuer.sign({ scope: 'orders.read' });
    expect(said(await guard.ask(await call({ token })))).toBe('allow allowed');
    expect(said(await guard.ask(await call({ peer: other, token })))).toBe('deny token_presenter_changed');
    expect(said(await guard.ask(await call({ path: '/once', token })))).toBe('allow allowed');
    expect(said(await guard.ask(await call({ path: '/once', token })))).toBe('deny token_replayed');
    guard.engine.revocations.revoke({ type: 'identity', value: frontend.id, issuer: undefined, until: Infinity });
    expect(said(await guard.ask(await call({}, { scope: 'other' })))).toBe('deny identity_revoked');
  });

  it('is refused where the operator does not let owners: the policy is invalid', async () => {
    const guard = await guardWith({ owner: OWNER.owner });
    expect(said(await guard.ask(await call()))).toBe('deny policy_invalid');
    expect(guard.sources.problems().get('policy')).toMatch(/3:1: .*does not let owners write shadow/);
  });

  it('ends with the annotation, and a cached decision ends with it', async () => {
    const guard = await guardWith(OWNER);
    const bytes = await call({}, { scope: 'other' });
    expect(said(await guard.ask(bytes))).toBe('shadow scope_missing');
    await guard.write('annotations', `firsthand.dev/scopes=${JSON.stringify(LINES)}\nfirsthand.dev/data="public"\n`);
    expect(said(await guard.ask(bytes))).toBe('deny scope_missing');
  });
});

describe('a candidate', () => {
  const withCandidate = (candidate: string, more: Options = {}): Promise<TestGuard> =>
    guardWith({
      ...more,
      policy: `  ownersMay: [workload, anyone]\n  candidate: next\n${more.policy ?? ''}`,
      files: { next: candidate },
    });
  const candidateOf = async (guard: TestGuard, bytes: Buffer): Promise<string> => {
    const { candidate } = recordOf(await guard.ask(bytes));
    return candidate === undefined ? 'none' : `${candidate.decision} ${candidate.reason} ${candidate.rule ?? '-'}`;
  };

  it('is told in record and metadata, and decides nothing', async () => {
    const guard = await withCandidate('# stricter\nGET /orders/{id} orders.admin');
    const asked = await guard.ask(await call());
    expect(said(asked)).toBe('allow allowed');
    const policy = guard.sources.snapshot().candidate?.revision;
    expect(recordOf(asked).candidate).toEqual({ decision: 'deny', reason: 'scope_missing', rule: 2, policy });
    expect(answerMetadata(asked.outcome)).toMatchObject({
      candidate_decision: 'deny',
      candidate_reason: 'scope_missing',
    });
    expect(asked.answer.metadata).toMatchObject({ mode: 'enforce', candidate_decision: 'deny' });
    expect(leavesRecord(asked.outcome, 0, 0.5)).toBe(true);
  });

  it('may be laxer, and the refusal stays', async () => {
    const guard = await withCandidate('GET /orders/{id} token\nGET /nowhere workload');
    const bytes = await call({}, { scope: 'other' });
    expect(said(await guard.ask(bytes))).toBe('deny scope_missing');
    expect(await candidateOf(guard, bytes)).toBe('allow allowed 1');
    expect(await candidateOf(guard, await call({ path: '/nowhere' }))).toBe('allow allowed_workload 2');
    expect(await candidateOf(guard, await call({ path: '/stats' }))).toBe('deny route_undeclared -');
  });

  it('has a token verified that the enforced line did not look at', async () => {
    const lines = 'GET /stats workload\nGET /open anyone';
    const guard = await withCandidate('GET /stats stats.read\nGET /open token', { lines });
    expect(await candidateOf(guard, await call({ path: '/stats' }, { scope: 'stats.read' }))).toBe('allow allowed 1');
    expect(await candidateOf(guard, await call({ path: '/stats', token: 'e.e.e' }))).toBe('deny token_malformed 1');
    expect(said(await guard.ask(await call({ path: '/stats', token: 'e.e.e' })))).toBe('allow allowed_workload');
    expect(await candidateOf(guard, await call({ path: '/open', peer: forged }))).toBe('deny peer_untrusted 2');
    expect(said(await guard.ask(await call({ path: '/open', peer: forged })))).toBe('allow allowed_anyone');
  });

  it('has the guardrails, the ceilings and the label of the enforced policy', async () => {
    const guard = await withCandidate('GET /ops/x token\nGET /orders/{id} token\nGET /secret token data=restricted');
    expect(await candidateOf(guard, await call({ path: '/ops/x' }))).toBe('deny guardrail 1');
    expect(await candidateOf(guard, await call())).toBe('allow allowed 2');
    expect(await candidateOf(guard, await call({ path: '/secret' }))).toBe('deny data_ceiling 3');
  });

  it('writes no pin and uses no token up', async () => {
    const guard = await withCandidate('GET /orders/{id} token once\nGET /stats token', {
      lines: 'GET /stats workload\nGET /orders/{id} orders.read once',
    });
    const token = await issuer.sign({ scope: 'orders.read' });
    expect(await candidateOf(guard, await call({ path: '/stats', token }))).toBe('allow allowed 2');
    expect(guard.engine.pins.size()).toBe(0);
    // Both lines are the same place to `once`: the candidate is asked before the enforced one writes.
    expect(await candidateOf(guard, await call({ token }))).toBe('allow allowed 1');
    expect(await candidateOf(guard, await call({ token }))).toBe('deny token_replayed 1');
  });

  it('is not asked about what can not be read in one way', async () => {
    const guard = await withCandidate('GET /orders/{id} token');
    expect(await candidateOf(guard, await call({ path: '/orders/../x' }))).toBe('none');
    expect(await candidateOf(guard, await call({ path: '/Orders/1' }))).toBe('none');
  });

  it('counts from the cache like from the steps, and a new one counts at once', async () => {
    const guard = await withCandidate('GET /orders/1 orders.admin\nGET /orders/{id} token');
    const bytes = await call();
    expect(await candidateOf(guard, bytes)).toBe('deny scope_missing 1');
    const second = await guard.ask(bytes);
    expect(second.outcome.cache).toBe('hit');
    expect(second.outcome.candidate).toMatchObject({ reason: 'scope_missing', rule: 1 });
    await guard.write('next', 'GET /orders/{id} token');
    expect(await candidateOf(guard, bytes)).toBe('allow allowed 1');
  });

  it('that is bad is told, and the last good one goes on', async () => {
    const guard = await withCandidate('GET /orders/{id} token');
    await guard.write('next', 'GET nonsense');
    expect(guard.events.at(-1)).toMatchObject([
      'policy_refused',
      { name: 'candidate', problem: expect.stringMatching(/^1:5: /) },
    ]);
    expect(guard.sources.problems().get('candidate')).toContain('1:5: ');
    expect(guard.sources.complete()).toBe(true);
    const asked = await guard.ask(await call());
    expect(asked.outcome.policyStale).toBe(false);
    expect(asked.outcome.candidate).toMatchObject({ decision: 'allow' });
  });

  it('that never was good changes nothing', async () => {
    const guard = await withCandidate('GET nonsense');
    const asked = await guard.ask(await call());
    expect(said(asked)).toBe('allow allowed');
    expect(asked.outcome.candidate).toBeUndefined();
    expect(guard.sources.complete()).toBe(true);
  });

  it('breaks nothing where it breaks', async () => {
    const guard = await withCandidate('GET /orders/{id} token', { bend: trapped });
    const asked = await guard.ask(await call());
    expect(said(asked)).toBe('allow allowed');
    expect(asked.outcome.candidate).toMatchObject({ decision: 'deny', reason: 'internal_error' });
    expect(guard.faults).toHaveLength(1);
  });

  it('is judged as if it were enforced, also in shadow mode', async () => {
    const guard = await withCandidate('GET /orders/{id} orders.admin', { policy: '  mode: shadow\n' });
    const asked = await guard.ask(await call());
    expect(said(asked)).toBe('allow allowed');
    expect(asked.outcome.candidate).toMatchObject({ decision: 'deny', reason: 'scope_missing' });
  });
});

/** A candidate whose lines throw when they are read: only a fault of our own could make one. */
function trapped(snapshot: Snapshot): Snapshot {
  const { candidate } = snapshot;
  if (candidate === undefined) return snapshot;
  const trap = (line: Line): Line => ({
    ...line,
    conditions: {
      ...line.conditions,
      get from(): never {
        throw new Error('a fault in the candidate');
      },
    },
  });
  const route: Policy['route'] = (...asked) => {
    const found = candidate.route(...asked);
    return found.line === undefined ? found : { ...found, line: trap(found.line) };
  };
  return { ...snapshot, candidate: { ...candidate, route } };
}
