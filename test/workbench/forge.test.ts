import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { decisionRecord, reasonOf } from '../../src/audit/record.js';
import type { Outcome } from '../../src/model/decision.js';
import type { Judged } from '../../src/workbench/open.js';
import { openGuard } from '../helpers/offline-guard.js';
import { cleanUp, configOf, FRONTEND, GATEWAY, LINES, MESH, stage } from './forged.js';
import type { Parts } from './forged.js';

afterEach(cleanUp);

const PAIRS = [
  ['certificate', 'append-forward'],
  ['certificate', 'sanitize-set'],
  ['certificate', 'forward-only'],
  ['certificate', 'ignore'],
  ['xfcc', 'append-forward'],
  ['xfcc', 'sanitize-set'],
  ['principal', 'append-forward'],
  ['principal', 'sanitize-set'],
] as const;

const originOf = ({ outcome }: Judged): string | undefined => {
  const { origin } = outcome.findings;
  return origin?.kind === 'workload' ? origin.id : origin?.kind;
};

describe.each(PAIRS)('with peer: %s and xfcc: %s', (peer, xfcc) => {
  const keepsChain = xfcc === 'append-forward' || xfcc === 'forward-only';

  it('a direct call is allowed, and without its scope denied', async () => {
    const { ask, reason } = await stage({ origin: { peer, xfcc } });
    const judged = await ask('GET /orders/1 --as frontend --scopes orders.read');
    expect(reasonOf(judged.outcome)).toBe('allowed');
    expect(originOf(judged)).toBe(FRONTEND);
    expect(await reason('GET /orders/1 --as frontend')).toBe('scope_missing');
  });

  it(`${keepsChain ? 'keeps' : 'loses'} who stands behind a forwarder`, async () => {
    const { ask } = await stage({ origin: { peer, xfcc } });
    const judged = await ask('GET /orders/1 --as frontend --via gateway,mesh --scopes orders.read');
    expect(reasonOf(judged.outcome)).toBe(keepsChain ? 'allowed' : 'origin_unresolved');
    expect(originOf(judged)).toBe(keepsChain ? FRONTEND : 'outside');
    if (keepsChain) expect(judged.outcome.findings.origin?.forwarders).toEqual([GATEWAY, MESH]);
    expect(judged.outcome.findings.peer?.id).toBe(MESH);
  });

  it('outside is outside where the line lets it in, and nobody where it does not', async () => {
    const { ask, reason } = await stage({ origin: { peer, xfcc }, token: { binding: 'none' } });
    const judged = await ask('GET /out/x --as outside --via gateway');
    expect(reasonOf(judged.outcome)).toBe('allowed');
    expect(originOf(judged)).toBe('outside');
    expect(await reason('GET /out/x --as outside --via mesh')).toBe('origin_unresolved');
    expect(await reason('GET /stats --as outside --via gateway')).toBe('origin_unresolved');
  });

  it('nobody at all has no certificate', async () => {
    const { reason } = await stage({ origin: { peer, xfcc } });
    expect(await reason('GET /orders/1 --scopes orders.read')).toBe('peer_unauthenticated');
    expect(await reason('GET /healthz')).toBe('allowed_anyone');
  });

  it('is decided by a real guard with these bundles and keys in the same way', async () => {
    const parts: Parts = { origin: { peer, xfcc }, lines: LINES };
    const now = Date.now();
    const { forge, bytes, bench } = await stage(parts, () => now);
    const guard = await openGuard(
      configOf(parts),
      {
        scopes: LINES,
        'prod.pem': [...forge.bundles.values()].join(''),
        'idp.json': [...forge.keys.values()].join(''),
      },
      () => now,
    );
    try {
      for (const shortForm of CALLS) {
        const request = await bytes(shortForm);
        const [ours, theirs] = [(await bench.check(request)).outcome, (await guard.ask(request)).outcome];
        expect(recordOf(ours), shortForm).toEqual(recordOf(theirs));
      }
    } finally {
      guard.close();
    }
  });
});

/** Everything that is told of a decision but for its moment and its number. */
function recordOf(outcome: Outcome): object {
  const { time, id, ...record } = decisionRecord(outcome, undefined, { path: 'raw', environment: null }, 0);
  expect([time, id]).not.toContain('');
  return record;
}

const CALLS = [
  'GET /orders/1 --as frontend --scopes orders.read',
  'GET /orders/1 --as frontend',
  'GET /orders/1 --as frontend --via gateway --scopes orders.read',
  'GET /orders/1 --as frontend --via gateway,mesh --scopes orders.read',
  'GET /orders/1 --as frontend --via mesh,gateway --scopes orders.read',
  'GET /orders/1 --as gateway --via mesh --scopes orders.read',
  'GET /orders/1 --via gateway --scopes orders.read',
  'GET /out/x --via gateway',
  'GET /bound --as frontend --bound',
  'GET /bound --as frontend',
  'GET /young --as frontend --age 9m',
  'GET /young --as frontend --age 11m',
  'GET /young --as frontend --age 2h',
  'GET /once --as frontend',
  'GET /nowhere --as frontend',
  'GET /orders//1 --as frontend',
  'GET /orders/1 --as spiffe://else.example/ns/a/sa/b --scopes orders.read',
  'GET /orders/1 --as frontend --issuer https://stranger.example --scopes orders.read',
  'GET /orders/1 --as frontend --no-token',
  'GET /orders/1 --as frontend --claim aud=other --scopes orders.read',
  "GET /orders/1 --as frontend --header 'x-forwarded-client-cert: By=spiffe://a.b/c;URI=spiffe://a.b/d' --scopes orders.read",
  "GET /orders/1 --as frontend --scopes orders.read --header 'authorization: Bearer x'",
  'GRPC shop.v1.Cart/Add --as frontend --scopes cart.write',
  'get /orders/1 --as frontend',
  'GET /healthz',
];

describe('a forged token', () => {
  const BINDINGS = [
    // binding, identity, allowed, how it was bound, denied, why
    ['strongest', null, '--bound', 'exact', `--claim 'cnf={"jkt":"x"}'`, 'binding_unavailable'],
    ['strongest', null, '', 'pin', `--claim 'cnf={"x5t#S256":"x"}'`, 'binding_mismatch'],
    ['strongest', '{sub}', '', 'identity', '--claim sub=spiffe://prod.example/ns/shop/sa/other', 'binding_mismatch'],
    ['exact', null, '--bound', 'exact', '', 'binding_missing'],
    ['window', '{sub}', '--bound', 'exact', '', 'binding_missing'],
    ['identity', '{sub}', '', 'identity', '--claim sub=null', 'binding_missing'],
    ['pin', null, '', 'pin', `--claim 'cnf={"x5t#S256":"x"}'`, 'binding_mismatch'],
    ['none', null, '', 'none', `--claim 'cnf={"jkt":"x"}'`, 'binding_unavailable'],
  ] as const;

  it.each(BINDINGS)('satisfies binding %s (identity %s) with "%s" by %s, and "%s" is %s', async (...row) => {
    const [binding, identity, good, method, bad, reason] = row;
    const { ask, reason: reasonFor } = await stage({ token: { binding, ...(identity !== null && { identity }) } });
    for (const via of ['', '--via gateway']) {
      const judged = await ask(`GET /orders/1 --as frontend ${via} --scopes orders.read ${good}`);
      expect(reasonOf(judged.outcome)).toBe('allowed');
      expect(judged.outcome.findings.bound?.method).toBe(method);
      expect(await reasonFor(`GET /orders/1 --as frontend ${via} --scopes orders.read ${bad}`)).toBe(reason);
    }
  });

  it('satisfies "bound" with --bound, and not without', async () => {
    const { reason } = await stage();
    expect(await reason('GET /bound --as frontend --bound')).toBe('allowed');
    expect(await reason('GET /bound --as frontend')).toBe('binding_missing');
  });

  it('of outside satisfies binding none, and no other', async () => {
    const open = await stage({ token: { binding: 'none' } });
    expect(await open.reason('GET /out/x --via gateway')).toBe('allowed');
    expect(await open.reason('GET /out/x --via gateway --bound')).toBe('binding_unavailable');
    const pinned = await stage({ token: { binding: 'pin' } });
    expect(await pinned.reason('GET /out/x --via gateway')).toBe('binding_unavailable');
  });

  it.each([
    ['{sub}', FRONTEND],
    ['{client}', FRONTEND],
    ['spiffe://prod.example/ns/{ns}/sa/{name}', FRONTEND],
    ['spiffe://prod.example/ns/{sub}/sa/{name}', FRONTEND],
    ['spiffe://{domain}/{a}/{b}/{c}/{d}', FRONTEND],
    ['kubernetes', FRONTEND],
  ])('names its presenter by identity: %s', async (identity) => {
    const { reason } = await stage({ token: { identity, binding: 'identity' } });
    expect(await reason('GET /orders/1 --as frontend --scopes orders.read')).toBe('allowed');
    expect(await reason('GET /orders/1 --as frontend --via gateway --scopes orders.read')).toBe('allowed');
  });

  it.each(['{sub}', 'spiffe://prod.example/ns/{sub}/sa/{name}', 'kubernetes'])(
    'of outside names nobody by identity: %s',
    async (identity) => {
      const { reason } = await stage({ token: { identity, binding: 'none' } });
      expect(await reason('GET /out/x --via gateway')).toBe('allowed');
    },
  );

  it('of a workload that a template has no words for names nobody', async () => {
    const { reason } = await stage({
      token: { identity: 'spiffe://prod.example/ns/{ns}/sa/{name}', binding: 'identity' },
    });
    expect(await reason('GET /orders/1 --as odd/path --scopes orders.read')).toBe('binding_missing');
  });

  it.each(['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512', 'EdDSA', 'Ed25519'])(
    'is signed with %s where nothing else is allowed',
    async (algorithm) => {
      const { reason } = await stage({ token: { algorithms: [algorithm] } });
      expect(await reason('GET /orders/1 --as frontend --scopes orders.read')).toBe('allowed');
    },
  );

  it('stands where the issuer has it, with its type, audience and scope claim', async () => {
    const { reason } = await stage({
      token: { from: 'header:x-api-token', types: ['at+jwt'], audiences: ['a', 'b'], scopes: 'perms' },
    });
    expect(await reason('GET /orders/1 --as frontend --scopes orders.read')).toBe('allowed');
    expect(await reason('GET /orders/1 --as frontend --scopes orders.write')).toBe('scope_missing');
  });

  it('keeps to short lifetimes without any clock skew', async () => {
    const { reason } = await stage({
      token: { maxLifetime: '30s', clockSkew: '0s' },
      trust: { 'prod.example': { bundle: 'prod.pem', maxCertificateLifetime: '1m' } },
    });
    expect(await reason('GET /orders/1 --as frontend --scopes orders.read --age 25s')).toBe('allowed');
    expect(await reason('GET /orders/1 --as frontend --scopes orders.read --age 31s')).toBe('token_expired');
  });

  it('is as old as was said, to the millisecond of a check that comes a moment later', async () => {
    let now = Date.now();
    const { bytes, bench } = await stage({}, () => now);
    const request = await bytes('GET /young --as frontend --age 10m');
    now += 1;
    expect(reasonOf((await bench.check(request)).outcome)).toBe('allowed');
    expect(reasonOf((await bench.check(await bytes('GET /young --as frontend --age 601s'))).outcome)).toBe(
      'token_too_old',
    );
  });

  it('has another name each time, so that single use counts anew', async () => {
    const { bytes, bench } = await stage();
    const request = await bytes('GET /once --as frontend');
    expect(reasonOf((await bench.check(request)).outcome)).toBe('allowed');
    expect(reasonOf((await bench.check(request)).outcome)).toBe('token_replayed');
    expect(reasonOf((await bench.alone(request)).outcome)).toBe('allowed');
    expect(reasonOf((await bench.check(await bytes('GET /once --as frontend'))).outcome)).toBe('allowed');
  });

  it('comes from the one issuer that may give its scopes', async () => {
    const issuer = (name: string, grants: string[]): Record<string, unknown> => ({
      issuer: `https://${name}.example`,
      keys: 'shared.json',
      audiences: ['orders'],
      grants,
    });
    const { reason, ask } = await stage({
      tokens: [issuer('one', ['orders.*']), issuer('two', ['cart.*', 'orders.*'])],
    });
    expect(await reason('GRPC shop.v1.Cart/Add --as frontend --scopes cart.write')).toBe('allowed');
    expect(await reason('GET /orders/1 --as frontend --scopes orders.read --issuer https://one.example')).toBe(
      'allowed',
    );
    await expect(ask('GET /orders/1 --as frontend --scopes orders.read')).rejects.toThrow(/several issuers.*--issuer/);
  });
});

describe('a forged certificate', () => {
  it('goes along where a forwarder must show it', async () => {
    const { ask } = await stage({ forwarder: { originCertificate: 'require' } });
    const judged = await ask('GET /orders/1 --as frontend --via gateway --scopes orders.read');
    expect(reasonOf(judged.outcome)).toBe('allowed');
    const { origin } = judged.outcome.findings;
    expect(origin?.kind === 'workload' && origin.certificate?.id).toBe(FRONTEND);
  });

  it('is of the authority of its own trust domain, and of nobody known for one that is not configured', async () => {
    const trust = { 'partner.example': { bundle: 'partner.pem' } };
    const { ask, reason } = await stage({ trust });
    const judged = await ask('GET /orders/1 --as spiffe://partner.example/ns/a/sa/b --scopes orders.read');
    expect(reasonOf(judged.outcome)).toBe('allowed');
    expect(await reason('GET /orders/1 --as spiffe://else.example/ns/a/sa/b --scopes orders.read')).toBe(
      'peer_untrusted',
    );
    expect(
      await reason('GET /orders/1 --as spiffe://partner.example/ns/a/sa/b --via gateway --scopes orders.read'),
    ).toBe('forwarder_not_allowed');
  });

  it('is new when time has gone by', async () => {
    let now = Date.now();
    const { reason } = await stage({}, () => now);
    for (const hours of [0, 1, 5, 23]) {
      now += hours * 3_600_000 * 0.8;
      expect(await reason('GET /orders/1 --as frontend --scopes orders.read')).toBe('allowed');
    }
  });

  it.each(['1s', '2s', '90s', '30d'])(
    'lives no longer than %s where that is the most',
    async (maxCertificateLifetime) => {
      let now = Date.UTC(2026, 0, 1);
      const trust = { 'prod.example': { bundle: 'prod.pem', maxCertificateLifetime } };
      const { bytes, bench } = await stage({ trust, forwarder: { originCertificate: 'require' } }, () => now);
      for (let step = 0; step < 15; step += 1) {
        now += 437;
        const request = await bytes('GET /orders/1 --as frontend --via gateway --scopes orders.read');
        expect(reasonOf((await bench.alone(request)).outcome)).toBe('allowed');
      }
    },
  );

  it('is a guess for a guard whose identity each check tells', async () => {
    const { ask } = await stage({ more: { workload: null } });
    const judged = await ask('GET /orders/1 --as ns/shop/sa/frontend --via gateway --scopes orders.read');
    expect(reasonOf(judged.outcome)).toBe('allowed');
    expect(judged.outcome.guard).toBe('spiffe://prod.example/ns/default/sa/guarded');
  });
});

it('what the origin sends as x-forwarded-client-cert is history, and no origin', async () => {
  const { ask } = await stage();
  const sent =
    "--header 'x-forwarded-client-cert: By=spiffe://prod.example/ns/shop/sa/frontend;URI=spiffe://prod.example/ns/admin/sa/root'";
  const judged = await ask(`GET /orders/1 --as frontend --scopes orders.read ${sent}`);
  expect(originOf(judged)).toBe(FRONTEND);
  expect(judged.outcome.findings.origin?.ignoredHistory).toEqual(['spiffe://prod.example/ns/admin/sa/root']);
  expect(originOf(await ask(`GET /out/x --via gateway ${sent}`))).toBe('outside');
});

it('whatever a scenario says is a request that the engine has an answer for', async () => {
  const { forge, bench } = await stage();
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
  const claims = fc.dictionary(text, fc.jsonValue());
  const scenario = fc.record({
    method: fc.oneof(fc.constant('GET'), text),
    path: fc.oneof(fc.constant('/orders/1'), text),
    host: text,
    as: fc.constantFrom('frontend', 'gateway', 'outside', 'spiffe://else.example/x'),
    via: fc.subarray(['gateway', 'mesh']),
    token: fc.record({ scopes: fc.array(text), bound: fc.boolean(), age: fc.nat(10_000_000), claims }),
    headers: fc.array(fc.tuple(fc.oneof(text, fc.constant('x-forwarded-client-cert')), text)),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async (each) => {
      const { outcome } = await bench.check(await forge.request(each));
      expect(reasonOf(outcome)).not.toBe('internal_error');
    }),
  );
});

it('nothing that `serve` loads needs the libraries of the forge', () => {
  for (const file of ['forge.ts', 'forge-authority.ts'])
    expect(readFileSync(new URL(`../../src/workbench/${file}`, import.meta.url), 'utf8')).not.toMatch(
      /^import (?!type).*(peculiar|reflect)/m,
    );
});
