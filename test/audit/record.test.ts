import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { answerMetadata, decisionRecord, leavesRecord } from '../../src/audit/record.js';
import { requestFacts } from '../../src/audit/request-facts.js';
import * as make from './outcomes.js';

const READ = make.line(3, { kind: 'all', scopes: ['orders.read'] });
const SETTINGS = { path: 'raw', environment: 'prod' } as const;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const facts = (headers: [string, string][] = [], more = {}) => requestFacts(make.attributes(more, headers));
const full = make.outcome(make.allow(READ), {
  route: make.route(READ),
  peer: make.peer(make.GATEWAY, 'b'),
  origin: make.throughGateway,
  token: make.token,
});

describe('the record of an allowed check', () => {
  it('holds every field that the contract names, and no other', () => {
    const request = facts([
      ['x-request-id', 'req-1'],
      ['traceparent', `00-${TRACE}-b7ad6b7169203331-01`],
    ]);
    expect(decisionRecord(full, request, SETTINGS, 123.4)).toStrictEqual({
      time: '2026-01-01T12:00:00.007Z',
      event: 'decision',
      decision: 'allow',
      reason: 'allowed',
      rule: 3,
      origin: make.FRONTEND,
      peer: make.GATEWAY,
      chain: [make.FRONTEND, make.GATEWAY, make.ORDERS],
      scopes_held: ['orders.read', 'profile'],
      scopes_required: ['orders.read'],
      token: 'c'.repeat(64),
      certificate: 'a'.repeat(64),
      id: 'decision-1',
      cache: 'miss',
      mode: 'enforce',
      policy: '0123456789ab',
      issuer: 'https://idp.prod.example',
      subject: 'user-1',
      jti: 'jti-1',
      txn: 'txn-1',
      owner: 'team-shop',
      environment: 'prod',
      method: 'GET',
      host: 'orders.shop.svc:8080',
      path: '/orders/1',
      data: 'internal',
      trace_id: TRACE,
      request_id: 'req-1',
      peer_certificate: 'b'.repeat(64),
      serial: '0a1b',
      not_after: '2026-01-02T03:04:05.000Z',
      latency_us: 123,
      ignored_history: ['spiffe://prod.example/ns/x/sa/claims-to-be'],
      policy_stale: false,
    });
  });

  it('gives the metadata the same answer fields and nothing else', () => {
    const record: Record<string, unknown> = { ...decisionRecord(full, facts(), SETTINGS, 1) };
    const metadata = answerMetadata(full);
    expect(Object.keys(metadata).sort()).toEqual(
      [
        'cache certificate chain decision id mode origin peer policy reason rule',
        'scopes_held scopes_required token',
      ].flatMap((names) => names.split(' ')),
    );
    for (const [name, value] of Object.entries(metadata)) expect(record[name]).toEqual(value);
  });

  it('names no origin and no certificate for outside, but the chain', () => {
    const record = decisionRecord(
      make.outcome(make.allow(READ), { route: make.route(READ), origin: make.outside }),
      facts(),
      SETTINGS,
      1,
    );
    expect(record).not.toHaveProperty('origin');
    expect(record).not.toHaveProperty('certificate');
    expect(record).not.toHaveProperty('serial');
    expect(record.chain).toEqual([make.GATEWAY, make.ORDERS]);
  });

  it.each(['token', 'workload', 'anyone'] as const)('requires no scope on a %s line', (kind) => {
    const of = make.line(1, { kind });
    expect(answerMetadata(make.outcome(make.allow(of), { route: make.route(of) }))).toMatchObject({
      scopes_required: [],
    });
  });

  it('says that the peer was not verified, where it was not', () => {
    const unverified = make.outcome(make.allow(READ), {}, { peerNotVerified: true, policyStale: true });
    expect(decisionRecord(unverified, facts(), SETTINGS, 1)).toMatchObject({
      peer_not_verified: true,
      policy_stale: true,
    });
    expect(decisionRecord(full, facts(), SETTINGS, 1)).not.toHaveProperty('peer_not_verified');
  });
});

describe('the record of a denied check', () => {
  it('is whole where nothing at all was found out', () => {
    const broken = make.outcome(
      make.deny('request_malformed', 'no CheckRequest'),
      {},
      { owner: null, policy: undefined, guard: undefined },
    );
    expect(decisionRecord(broken, undefined, { path: 'raw', environment: null }, 5)).toStrictEqual({
      time: '2026-01-01T12:00:00.007Z',
      event: 'decision',
      decision: 'deny',
      reason: 'request_malformed',
      id: 'decision-1',
      cache: 'miss',
      mode: 'enforce',
      latency_us: 5,
      policy_stale: false,
      detail: 'no CheckRequest',
    });
  });

  it('keeps the words of a token that did not verify under claimed', () => {
    const presented = make.presented('aaaa.bbbb.cccc', {
      iss: 'https://evil.example',
      sub: 'root',
      jti: 'j',
      txn: 't',
      email: 'x@y',
    });
    const refused = make.outcome(make.deny('token_signature', 'wrong'), { presented });
    const record = decisionRecord(refused, facts(), SETTINGS, 1);
    expect(record.claimed).toStrictEqual({ issuer: 'https://evil.example', subject: 'root', jti: 'j', txn: 't' });
    for (const name of ['issuer', 'subject', 'jti', 'txn', 'token']) expect(record).not.toHaveProperty(name);
  });

  it('claims nothing of a token that did verify, or that names nothing as text', () => {
    const presented = make.presented('aaaa.bbbb.cccc', { iss: 'https://evil.example', sub: 'root' });
    const late = make.outcome(make.deny('scope_missing', 'no'), { presented, token: make.token });
    expect(decisionRecord(late, facts(), SETTINGS, 1)).not.toHaveProperty('claimed');
    const odd = make.presented('aaaa.bbbb.cccc', { iss: 7, sub: { a: 1 }, jti: null, txn: ['t'] });
    const refused = make.outcome(make.deny('token_signature', 'wrong'), { presented: odd });
    expect(decisionRecord(refused, facts(), SETTINGS, 1)).not.toHaveProperty('claimed');
  });

  it('is a denial also where a refusal carries the reason of an allow', () => {
    expect(answerMetadata(make.outcome(make.deny('allowed', ''), {}))['decision']).toBe('deny');
  });
});

describe('the path of a record', () => {
  const recorded = (path: string, setting: 'raw' | 'template' | 'none', of = full) =>
    decisionRecord(of, facts([], { path }), { path: setting, environment: null }, 1).path;

  it.each([
    ['/orders/1', '/orders/1'],
    ['/orders/1?token=canary', '/orders/1'],
    ['/orders/1?', '/orders/1'],
    ['/orders/1#token=canary', '/orders/1'],
    ['/orders/1%3Ftoken=canary', '/orders/1'],
    ['/orders/1%253ftoken=canary', '/orders/1'],
    ['/?canary', '/'],
    ['*', '*'],
    ['http://user:canary@host/x', undefined],
    ['?canary', undefined],
  ])('raw shows %s as %s', (path, shown) => expect(recorded(path, 'raw')).toBe(shown));

  it('template shows the line that matched, and nothing where none did', () => {
    expect(recorded('/orders/1?x=1', 'template')).toBe('/orders/{id}');
    const undeclared = make.outcome(make.deny('route_undeclared', ''), { route: make.route(undefined) });
    expect(recorded('/orders/1', 'template', undeclared)).toBeUndefined();
  });

  it('none shows nothing', () => expect(recorded('/orders/1', 'none')).toBeUndefined());
});

describe('the trace id', () => {
  const trace = (...values: string[]) =>
    decisionRecord(full, facts(values.map((value) => ['traceparent', value])), SETTINGS, 1).trace_id;

  it('is read from a valid traceparent, of a later version too', () => {
    expect(trace(`00-${TRACE}-b7ad6b7169203331-00`)).toBe(TRACE);
    expect(trace(`cc-${TRACE}-b7ad6b7169203331-00-what-is-new`)).toBe(TRACE);
  });

  it.each([
    ['upper case', `00-${TRACE.toUpperCase()}-b7ad6b7169203331-00`],
    ['all zero', `00-${'0'.repeat(32)}-b7ad6b7169203331-00`],
    ['a zero parent', `00-${TRACE}-${'0'.repeat(16)}-00`],
    ['version ff', `ff-${TRACE}-b7ad6b7169203331-00`],
    ['a longer version 00', `00-${TRACE}-b7ad6b7169203331-00-x`],
    ['too short', `00-${TRACE.slice(1)}-b7ad6b7169203331-00`],
    ['something else', 'canary'],
  ])('is absent for %s', (_, value) => expect(trace(value)).toBeUndefined());

  it('is absent where the header comes twice', () => {
    const one = `00-${TRACE}-b7ad6b7169203331-00`;
    expect(trace(one, one)).toBeUndefined();
  });
});

describe('bounds', () => {
  it('cuts every text to one KiB on a character boundary and says so', () => {
    const long = '€'.repeat(2000);
    const request = facts([['x-request-id', long]], { method: long, host: long, path: `/${long}` });
    const claimed = { iss: long, sub: long, jti: long, txn: long };
    const refused = make.outcome(
      make.deny('token_signature', long),
      { presented: make.presented('a.b.c', claimed) },
      { owner: long },
    );
    const record = decisionRecord(refused, request, SETTINGS, 1);
    const texts = [record.method, record.host, record.path, record.request_id, record.detail, record.owner];
    for (const text of [...texts, ...Object.values(record.claimed ?? {})]) {
      expect(Buffer.byteLength(text ?? '')).toBeLessThanOrEqual(1024);
      expect(text).toMatch(/^\/?€+…$/);
    }
  });

  it('cuts lists to 32 entries and says so', () => {
    const scopes = Array.from({ length: 1000 }, (_, n) => `s${n}`);
    const many = make.outcome(make.allow(READ), { route: make.route(READ), token: { ...make.token, scopes } });
    const held = decisionRecord(many, facts(), SETTINGS, 1).scopes_held ?? [];
    expect(held).toHaveLength(32);
    expect(held.at(-1)).toBe('…');
    const just = make.outcome(make.allow(READ), { token: { ...make.token, scopes: scopes.slice(0, 32) } });
    expect(decisionRecord(just, facts(), SETTINGS, 1).scopes_held).toEqual(scopes.slice(0, 32));
  });

  it('leaves out a time that no calendar has instead of failing', () => {
    const certificate = { ...make.certificate(make.FRONTEND, 'a'), notAfter: Number.NaN };
    const origin = { ...make.throughGateway, certificate } as typeof make.throughGateway;
    const record = decisionRecord(make.outcome(make.allow(READ), { origin }), facts(), SETTINGS, 1);
    expect(record).not.toHaveProperty('not_after');
  });

  it('is one line of JSON, whatever strangers say', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (a, b) => {
        const request = facts([['x-request-id', a]], { method: b, host: a, path: `/${a}` });
        const refused = make.outcome(make.deny('token_signature', a), {
          presented: make.presented(b, { iss: a, sub: b }),
        });
        const written = JSON.stringify(decisionRecord(refused, request, SETTINGS, 1));
        expect(written).not.toMatch(/[\r\n]/);
        expect(() => JSON.parse(written) as unknown).not.toThrow();
      }),
    );
  });
});

describe('which checks leave a record', () => {
  it('is every denial, and of the allowed ones the share', () => {
    const denied = make.outcome(make.deny('scope_missing', ''), {});
    expect(leavesRecord(denied, 0, 0)).toBe(true);
    expect(leavesRecord(full, 0, 0)).toBe(false);
    expect(leavesRecord(full, 0.01, 0.0099)).toBe(true);
    expect(leavesRecord(full, 0.01, 0.01)).toBe(false);
    expect(leavesRecord(full, 1, 0.999999)).toBe(true);
  });
});

describe('what a verified token says beside its subject', () => {
  const of = (token: Partial<typeof make.token>): ReturnType<typeof decisionRecord> =>
    decisionRecord(make.outcome(make.allow(READ), { token: { ...make.token, ...token } }), undefined, SETTINGS, 1);

  it('is who acts for it: cut in number and length, without anything shaped like a token', () => {
    expect(of({ actors: ['agent of https://a.example', 'bff'] }).act).toEqual(['agent of https://a.example', 'bff']);
    expect(of({}).act).toBeUndefined();
    const { act = [] } = of({ actors: Array.from({ length: 300 }, () => 'x'.repeat(2000)) });
    expect([act.length, act.every((each) => Buffer.byteLength(each) <= 1024)]).toEqual([32, true]);
    expect(of({ actors: [`eyJhbGciOiJFUzI1NiJ9.${'x'.repeat(20)}.y`] }).act).toEqual(['[token]']);
  });

  it('is when it should have been renewed, from that moment on', () => {
    const { time } = make.outcome(make.allow(READ), {});
    expect(of({ warnAfter: time }).warn_after).toBe('2026-01-01T12:00:00.007Z');
    expect(of({ warnAfter: time + 1 }).warn_after).toBeUndefined();
    expect(of({}).warn_after).toBeUndefined();
  });

  it('is nothing while the token is only claimed', () => {
    const claimed = { iss: 'i', act: { sub: 'bff' }, 'kubernetes.io': { warnafter: 1 } };
    const presented = make.presented('a.b.c', claimed);
    const record = decisionRecord(
      make.outcome(make.deny('token_expired', 'old'), { presented }),
      undefined,
      SETTINGS,
      1,
    );
    expect([record.claimed, record.act, record.warn_after]).toEqual([{ issuer: 'i' }, undefined, undefined]);
  });
});
