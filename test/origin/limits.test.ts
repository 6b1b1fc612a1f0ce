/** Where the limits of a path, a binding and a named workload lie exactly. */
import { describe, expect, it } from 'vitest';
import { readSvid } from '../../src/evidence/certificate.js';
import type { SpiffeId, TokenName } from '../../src/model/ids.js';
import { instantAt } from '../../src/model/instant.js';
import type { VerifiedOrigin } from '../../src/model/origin.js';
import type { VerifiedToken } from '../../src/model/token.js';
import { bind } from '../../src/origin/binding.js';
import { namedWorkload } from '../../src/origin/identity-claim.js';
import { verifyPath } from '../../src/origin/path-validation.js';
import { childrenOf, makeCa, partsOf, signAnew, tlv } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { checkTokenTimes, verifyTokenSignature } from '../../src/origin/token.js';
import { note } from '../../src/origin/x509-authorities.js';
import { readToken } from '../../src/evidence/token.js';
import { issuerSettings, makeIssuer } from '../helpers/tokens.js';

const factsOf = (der: Uint8Array) => {
  const svid = readSvid(der);
  if (!svid.ok) throw new Error(svid.problem);
  return svid.facts;
};
const bundleOf = (root: TestCa) => ({ anchors: [root.der], intermediates: [] });

describe('a path', () => {
  it('may need the tenth certificate that the peer brought, and not the eleventh', async () => {
    const root = await makeCa();
    const intermediate = await makeCa({ parent: root, name: 'Intermediate' });
    const { der } = await intermediate.issue();
    const others = Array.from({ length: 10 }, (_, index) => Buffer.from(`no certificate ${String(index)}`));
    const brought = (before: number): readonly Uint8Array[] => [...others.slice(0, before), intermediate.der];
    expect(verifyPath(factsOf(der), brought(9), bundleOf(root)).ok).toBe(true);
    expect(verifyPath(factsOf(der), brought(10), bundleOf(root)).ok).toBe(false);
  });

  it('counts each intermediate once against a pathLenConstraint', async () => {
    const root = await makeCa({ pathLength: 2 });
    const cas = [root];
    for (const name of ['One', 'Two', 'Three']) cas.push(await makeCa({ parent: cas.at(-1) ?? root, name }));
    const verdicts = await Promise.all(
      cas.map(async (ca) => verifyPath(factsOf((await ca.issue()).der), ca.intermediates, bundleOf(root)).ok),
    );
    expect(verdicts).toEqual([true, true, true, false]);
  });

  it('is valid also where its authorities are valid together for one moment alone', async () => {
    const moment = new Date('2026-06-01T00:00:00Z');
    const root = await makeCa({ notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: moment });
    const until = new Date('2026-12-01T00:00:00Z');
    const touching = await makeCa({ parent: root, name: 'Intermediate', notBefore: moment, notAfter: until });
    const { der } = await touching.issue();
    const path = verifyPath(factsOf(der), touching.intermediates, bundleOf(root));
    expect(path).toMatchObject({ ok: true, value: [{ from: moment.getTime(), until: moment.getTime() }] });
    const later = new Date(moment.getTime() + 1000);
    const apart = await makeCa({ parent: root, name: 'Intermediate', notBefore: later, notAfter: until });
    expect(verifyPath(factsOf((await apart.issue()).der), apart.intermediates, bundleOf(root)).ok).toBe(false);
  });
});

describe('the search for a path', () => {
  /** The helper writes authorityKeyIdentifier as the last extension: without it every authority of the name is tried. */
  function withoutKeyId({ der }: TestSvid, root: TestCa): Uint8Array {
    const [tbs, algorithm] = partsOf(der);
    const parts = childrenOf(tbs);
    const list = childrenOf(childrenOf(parts[7] ?? new Uint8Array())[0] ?? new Uint8Array());
    return signAnew(tlv(0x30, ...parts.slice(0, 7), tlv(0xa3, tlv(0x30, ...list.slice(0, -1)))), algorithm, root.key);
  }

  it('verifies forty signatures, and not one more', async () => {
    const [root, ...impostors] = await Promise.all(Array.from({ length: 41 }, () => makeCa()));
    if (root === undefined) throw new Error('no root');
    const leaf = factsOf(withoutKeyId(await root.issue(), root));
    const found = (tried: number): boolean =>
      verifyPath(leaf, [], { anchors: [...impostors.slice(0, tried), root].map(({ der }) => der), intermediates: [] })
        .ok;
    expect([found(39), found(40)]).toEqual([true, false]);
  });
});

describe('an authority', () => {
  it('is one of its name and key: neither alone makes two of them the same', async () => {
    const root = await makeCa();
    const first = await makeCa({ parent: root, name: 'Same' });
    const sameName = await makeCa({ parent: first, name: 'Same' });
    const sameKey = await makeCa({ parent: first, name: 'Other', key: first.key });
    for (const ca of [sameName, sameKey])
      expect(verifyPath(factsOf((await ca.issue()).der), ca.intermediates, bundleOf(root)).ok).toBe(true);
  });
});

describe('the notes of a search', () => {
  it('are six at most, of 300 characters at most, each once, in their order', () => {
    const notes: string[] = [];
    for (const text of ['x'.repeat(301), 'b', 'b', 'c', 'd', 'e', 'f', 'g']) note(notes, text);
    expect(notes).toEqual(['x'.repeat(300), 'b', 'c', 'd', 'e', 'f']);
  });
});

describe('what is told of a path that is none', () => {
  it('is the reason, and everything that was tried', async () => {
    const [root, stranger, svid] = await Promise.all([makeCa(), makeCa(), makeCa().then((ca) => ca.issue())]);
    const refused = verifyPath(factsOf(svid.der), [Buffer.from('x')], {
      anchors: [root.der, stranger.der],
      intermediates: [],
    });
    expect(refused).toMatchObject({ ok: false, reason: 'peer_untrusted' });
    expect(refused.ok ? '' : refused.detail).toMatch(/^no path from .*; intermediate : /);
    const garbage = { ...factsOf(svid.der), der: Buffer.from('x') };
    expect(verifyPath(garbage, [], bundleOf(root))).toMatchObject({ ok: false, reason: 'peer_untrusted' });
  });
});

const GUARD = 'spiffe://prod.example/ns/shop/sa/orders' as SpiffeId;

const tokenWith = (claims: Record<string, unknown>, settings: Parameters<typeof issuerSettings>[0]): VerifiedToken => ({
  ...{ name: 'f'.repeat(64) as TokenName, issuer: issuerSettings(settings), kid: 'k', issuedAt: 0, expires: 1 },
  ...{ subject: undefined, jti: undefined, txn: undefined, scopes: [], claims, warnAfter: undefined, actors: [] },
});

describe('a named workload', () => {
  const half = { kind: 'template', parts: [{ text: 'spiffe://prod.example/ns/' }, { claim: 'ns' }] } as const;

  it('is made of whole segments, also where a text stands before one claim alone', () => {
    const named = (ns: string) => namedWorkload(tokenWith({ ns }, { identity: half }), GUARD).kind;
    expect([named('shop'), named('shop/sa/boss'), named('..')]).toEqual(['workload', 'foreign', 'foreign']);
  });

  it('is told by what the token said, and by nothing where it said nothing', () => {
    const kubernetes = tokenWith({ 'kubernetes.io': {}, sub: 5 }, { identity: { kind: 'kubernetes' } });
    expect(namedWorkload(kubernetes, GUARD)).toEqual({ kind: 'foreign', text: '' });
  });
});

describe('what is told of a token that does not verify', () => {
  const told = async (header: Record<string, unknown>) => {
    const issuer = await makeIssuer();
    const token = readToken(await issuer.sign({}, header), 'authorization');
    if (!token.ok) throw new Error(token.detail);
    return verifyTokenSignature(token.value, [issuerSettings()], () => new Map());
  };

  it('quotes 80 characters of a stranger’s text, from its beginning', async () => {
    const kid = `ab${'c'.repeat(78)}`;
    expect(await told({ kid })).toMatchObject({ detail: `the issuer has no key "${kid}"` });
    expect(await told({ kid: `${kid}d` })).toMatchObject({ detail: `the issuer has no key "${kid}"` });
  });

  it('names the types that would have been accepted', async () => {
    expect(await told({ typ: 'other' })).toMatchObject({
      reason: 'token_type',
      hint: 'the type must be at+jwt or jwt',
    });
  });

  it('says how long it lives', () => {
    const untimed = { ...tokenWith({}, { maxLifetime: 1000 }), issuedAt: 5000, expires: 9000 };
    expect(checkTokenTimes({ untimed, notBefore: undefined }, instantAt(6000))).toMatchObject({
      reason: 'token_lifetime_excess',
      detail: 'the token lives 4s, at most 1s are accepted',
    });
  });
});

describe('the strongest binding', () => {
  const sha256 = 'ab'.repeat(32);
  const origin = { kind: 'workload', id: 'spiffe://prod.example/ns/shop/sa/frontend', sha256 } as VerifiedOrigin;
  const cnf = { 'x5t#S256': Buffer.from(sha256, 'hex').toString('base64url') };

  it('of a token with a proof needs no pin', () => {
    const bound = bind(tokenWith({ cnf }, {}), { kind: 'none' }, origin, instantAt(0), GUARD);
    expect(bound).toEqual({ ok: true, value: { method: 'exact', pin: undefined } });
  });

  it('of a token without one does', () => {
    expect(bind(tokenWith({}, {}), { kind: 'none' }, origin, instantAt(0), GUARD)).toMatchObject({
      ok: true,
      value: {
        method: 'pin',
        pin: { presenter: { id: 'spiffe://prod.example/ns/shop/sa/frontend', key: undefined }, until: 30_001 },
      },
    });
  });
});
