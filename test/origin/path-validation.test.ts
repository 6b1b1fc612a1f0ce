import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPemText, readSvid } from '../../src/evidence/certificate.js';
import type { CertificateFacts } from '../../src/model/evidence.js';
import type { Bundle, PathWindow } from '../../src/model/ports.js';
import type { Result } from '../../src/model/result.js';
import { verifyPath } from '../../src/origin/path-validation.js';
import {
  childrenOf,
  KEY_USAGE,
  makeCa,
  makeKey,
  partsOf,
  rawExtension,
  SERVER_AUTH,
  signAnew,
  tlv,
} from '../helpers/pki.js';
import type { CaOptions, SvidOptions, TestAlgorithm, TestCa, TestSvid } from '../helpers/pki.js';

function factsOf(der: Uint8Array): CertificateFacts {
  const svid = readSvid(der);
  if (!svid.ok) throw new Error(svid.problem);
  return svid.facts;
}

const bundleOf = (...anchors: TestCa[]): Bundle => ({ anchors: anchors.map(({ der }) => der), intermediates: [] });
const day = (text: string): Date => new Date(`${text}T00:00:00Z`);

let root: TestCa;
let intermediate: TestCa;
let svid: TestSvid;
beforeAll(async () => {
  root = await makeCa();
  intermediate = await makeCa({ parent: root, name: 'Intermediate' });
  svid = await root.issue();
});

const verify = (
  der: Uint8Array,
  bundle: Bundle,
  presented: readonly Uint8Array[] = [],
): Result<readonly PathWindow[]> => verifyPath(factsOf(der), presented, bundle);

/** A chain root → bent intermediate → leaf, as the peer presents it. */
async function throughIntermediate(options: CaOptions, leaf: SvidOptions = {}): Promise<Result<readonly PathWindow[]>> {
  const ca = await makeCa({ parent: root, name: 'Intermediate', ...options });
  const issued = await ca.issue(leaf);
  return verify(issued.der, bundleOf(root), ca.intermediates);
}

function expectRefused(result: Result<unknown>, detail: string): void {
  expect(result).toMatchObject({ ok: false, reason: 'peer_untrusted' });
  expect(result.ok ? '' : result.detail).toContain(detail);
}

describe('a path', () => {
  it('leads from a leaf to the anchor that signed it', () => {
    expect(verify(svid.der, bundleOf(root))).toMatchObject({ ok: true });
  });

  it('leads through a presented intermediate, or one that the operator configured, and not without', async () => {
    const { der } = await intermediate.issue();
    expect(verify(der, bundleOf(root), [intermediate.der]).ok).toBe(true);
    expect(verifyPath(factsOf(der), [], { anchors: [root.der], intermediates: [intermediate.der] }).ok).toBe(true);
    expectRefused(verify(der, bundleOf(root)), 'no path');
  });

  it('leads through intermediates in any order, with the leaf, the root and useless ones among them', async () => {
    const lower = await makeCa({ parent: intermediate, name: 'Lower' });
    const { der } = await lower.issue();
    const stranger = await makeCa({ name: 'Stranger' });
    const presented = [stranger.der, root.der, Buffer.from('garbage'), intermediate.der, der, lower.der];
    expect(verify(der, bundleOf(root), presented).ok).toBe(true);
  });

  it('ends at an intermediate that is itself the anchor', async () => {
    const { der } = await intermediate.issue();
    expect(verify(der, bundleOf(intermediate)).ok).toBe(true);
    expect(verify(der, bundleOf(intermediate), [intermediate.der, root.der]).ok).toBe(true);
  });

  it.each<[TestAlgorithm, TestAlgorithm]>([
    ['P-256', 'P-256'],
    ['P-384', 'P-256'],
    ['P-521', 'P-256'],
    ['RSA', 'RSA'],
    ['RSA-PSS', 'P-256'],
    ['Ed25519', 'Ed25519'],
    ['P-256', 'Ed25519'],
  ])('of a %s authority over a %s leaf verifies, and a rogue one does not', async (above, below) => {
    const ca = await makeCa({ algorithm: above });
    const rogue = await makeCa({ algorithm: above });
    const { der } = await ca.issue({ algorithm: below });
    expect(verify(der, bundleOf(ca)).ok).toBe(true);
    expectRefused(verify(der, bundleOf(rogue)), 'no path');
  });

  it('is found among several anchors of the same name, as after a rotation', async () => {
    const next = await makeCa();
    expect(verify(svid.der, bundleOf(next, root)).ok).toBe(true);
    expect(verify((await next.issue()).der, bundleOf(next, root)).ok).toBe(true);
    expectRefused(verify(svid.der, bundleOf(next)), 'no path');
  });
});

describe('no path leads', () => {
  it('to an empty bundle', () => {
    expectRefused(verify(svid.der, { anchors: [], intermediates: [root.der] }, [root.der]), 'is empty');
  });

  it('to a root that the peer brought along', async () => {
    const rogue = await makeCa();
    expectRefused(verify((await rogue.issue()).der, bundleOf(root), [rogue.der]), 'no path');
  });

  it('to a rogue authority of the same name, even with the key id of the real one', async () => {
    const rogue = await makeCa({ key: await makeKey() });
    const plain = await rogue.issue();
    const [tbs, algorithm] = partsOf(svid.der);
    const forged = signAnew(tbs, algorithm, rogue.key);
    expectRefused(verify(plain.der, bundleOf(root)), 'no path');
    expectRefused(verify(forged, bundleOf(root)), 'its key did not make the signature');
  });

  it('where another trust domain signed the right ID', async () => {
    const partner = await makeCa({ name: 'Partner Root CA', trustDomain: 'partner.example' });
    const { der } = await partner.issue({ id: svid.id });
    expectRefused(verify(der, bundleOf(root), [partner.der]), 'no path');
  });

  it('from a leaf that is itself in the bundle', () => {
    expectRefused(verify(svid.der, { anchors: [svid.der], intermediates: [] }), 'no path');
  });

  it('from a leaf that was signed by another leaf', async () => {
    const key = await makeKey();
    const parent = await root.issue({ key, subject: 'CN=not a CA' });
    const [tbs, algorithm] = partsOf(svid.der);
    const name = childrenOf(partsOf(parent.der)[0])[5] ?? Buffer.alloc(0);
    const parts = childrenOf(tbs).map((part, index) => (index === 3 ? name : part));
    const child = signAnew(tlv(0x30, ...parts), algorithm, key);
    expectRefused(verify(child, bundleOf(root), [parent.der]), 'it is not a CA');
  });

  it('where one octet of the signed part changed', () => {
    const at = Buffer.from(svid.der).indexOf('frontend');
    const changed = Uint8Array.from(svid.der, (octet, index) => (index === at ? 0x67 : octet));
    expectRefused(verify(changed, bundleOf(root)), 'its key did not make the signature');
  });
});

/** One case for each check that libraries leave out, and beside it the nearest authority that is right. */
describe('an intermediate', () => {
  it.each<[string, CaOptions]>([
    ['as it should be', {}],
    ['without a URI name', { uris: [] }],
    ['that may sign certificates only', { keyUsage: KEY_USAGE.keyCertSign }],
    ['with clientAuth among its purposes', { eku: ['1.3.6.1.5.5.7.3.2'] }],
    ['with any purpose', { eku: ['2.5.29.37.0'] }],
    ['with room for no further authority', { pathLength: 0 }],
    [
      'with an unknown extension that is not critical',
      { extensions: [rawExtension('1.2.3.4', false, Buffer.from('0500', 'hex'))] },
    ],
  ])('%s is accepted', async (_, options) => {
    expect((await throughIntermediate(options)).ok).toBe(true);
  });

  it.each<[string, CaOptions, string]>([
    ['with cA false', { isCa: false }, 'it is not a CA'],
    ['without basicConstraints', { isCa: null }, 'it is not a CA'],
    ['without keyUsage', { keyUsage: null }, 'keyCertSign'],
    ['without keyCertSign', { keyUsage: KEY_USAGE.cRLSign | KEY_USAGE.digitalSignature }, 'keyCertSign'],
    ['with other purposes only', { eku: [SERVER_AUTH] }, 'clientAuth'],
    [
      'with an unknown critical extension',
      { criticalUnknownExtension: true },
      'critical extension 1.3.6.1.4.1.55555.1.1',
    ],
    [
      'with critical name constraints',
      { extensions: [rawExtension('2.5.29.30', true, Buffer.from('3000', 'hex'))] },
      'name constraints',
    ],
    [
      'with name constraints',
      { extensions: [rawExtension('2.5.29.30', false, Buffer.from('3000', 'hex'))] },
      'name constraints',
    ],
    [
      'with an extension twice',
      { extensions: [rawExtension('2.5.29.14', false, Buffer.from('040101', 'hex'))] },
      'comes twice',
    ],
    ['with a SPIFFE ID that has a path', { uris: ['spiffe://prod.example/ca'] }, 'another URI name'],
    ['of another trust domain', { uris: ['spiffe://partner.example'] }, 'another URI name'],
    ['of two trust domains', { uris: ['spiffe://prod.example', 'spiffe://partner.example'] }, 'another URI name'],
    ['with a weak key', { algorithm: 'RSA-1024' }, '1024 bits'],
    ['with a SHA-1 signature', { hash: 'SHA-1' }, 'signature algorithm'],
    ['without a subject', { subject: '' }, 'without a subject'],
  ])('%s is refused', async (_, options, detail) => {
    expectRefused(await throughIntermediate(options), detail);
  });

  it('with trailing bytes is refused', async () => {
    const { der } = await intermediate.issue();
    expectRefused(
      verify(der, bundleOf(root), [Buffer.concat([intermediate.der, Buffer.from([0])])]),
      'followed by other bytes',
    );
  });

  it('of another name is no issuer, though its key made the signature', async () => {
    const twin = await makeCa({ parent: root, name: 'Another Name', key: intermediate.key });
    const { der } = await intermediate.issue();
    expectRefused(verify(der, bundleOf(root), [twin.der]), 'no path');
  });
});

describe('pathLenConstraint', () => {
  it('counts the authorities below, not the leaf', async () => {
    const upper = await makeCa({ parent: root, name: 'Upper', pathLength: 0 });
    const lower = await makeCa({ parent: upper, name: 'Lower' });
    expect(verify((await upper.issue()).der, bundleOf(root), upper.intermediates).ok).toBe(true);
    expectRefused(verify((await lower.issue()).der, bundleOf(root), lower.intermediates), 'pathLenConstraint');
  });

  it('of the anchor counts too', async () => {
    const tight = await makeCa({ pathLength: 0 });
    const below = await makeCa({ parent: tight, name: 'Below' });
    expect(verify((await tight.issue()).der, bundleOf(tight)).ok).toBe(true);
    expectRefused(verify((await below.issue()).der, bundleOf(tight), below.intermediates), 'pathLenConstraint');
  });

  it('does not count an authority that certified itself anew', async () => {
    const tight = await makeCa({ pathLength: 0 });
    const renewed = await makeCa({ parent: tight, name: tight.name });
    const { der } = await renewed.issue();
    expect(verify(der, bundleOf(tight), [renewed.der]).ok).toBe(true);
  });
});

describe('the window', () => {
  it('is when all authorities are valid, and says nothing of the leaf', async () => {
    const wide = await makeCa({ notBefore: day('2026-01-01'), notAfter: day('2027-01-01') });
    const narrow = await makeCa({
      parent: wide,
      name: 'Narrow',
      notBefore: day('2026-03-01'),
      notAfter: day('2026-04-01'),
    });
    const leaf = { notBefore: day('2026-03-10'), notAfter: day('2026-03-11') };
    expect(verify((await wide.issue(leaf)).der, bundleOf(wide))).toEqual({
      ok: true,
      value: [{ from: day('2026-01-01').getTime(), until: day('2027-01-01').getTime() }],
    });
    expect(verify((await narrow.issue(leaf)).der, bundleOf(wide), [narrow.der])).toEqual({
      ok: true,
      value: [{ from: day('2026-03-01').getTime(), until: day('2026-04-01').getTime() }],
    });
  });

  it('of an expired intermediate lies in the past', async () => {
    const result = await throughIntermediate({ notBefore: day('2020-01-01'), notAfter: day('2020-02-01') });
    // The root of these tests is valid around now, so the two are never valid together.
    expectRefused(result, 'never valid together');
  });

  it('is there for each path: two anchors of one name and key give two', async () => {
    const first = await makeCa({ notBefore: day('2026-01-01'), notAfter: day('2026-02-01') });
    const second = await makeCa({ key: first.key, notBefore: day('2026-01-15'), notAfter: day('2026-06-01') });
    const result = verify((await first.issue()).der, bundleOf(first, second));
    expect(result).toEqual({
      ok: true,
      value: [
        { from: day('2026-01-01').getTime(), until: day('2026-02-01').getTime() },
        { from: day('2026-01-15').getTime(), until: day('2026-06-01').getTime() },
      ],
    });
  });

  it('is there through a cross-signed intermediate', async () => {
    const oldRoot = await makeCa({ name: 'Old Root', notAfter: day('2040-01-01') });
    const cross = await makeCa({ parent: oldRoot, name: root.name, key: root.key });
    const result = verify(svid.der, bundleOf(root, oldRoot), [cross.der]);
    expect(result.ok && result.value.length).toBe(2);
    expect(verify(svid.der, bundleOf(oldRoot), [cross.der]).ok).toBe(true);
  });
});

describe('the search is bounded', () => {
  it('accepts eight authorities and refuses nine', async () => {
    let ca = root;
    for (let level = 2; level <= 8; level += 1) ca = await makeCa({ parent: ca, name: `Level ${level}` });
    expect(verify((await ca.issue()).der, bundleOf(root), ca.intermediates).ok).toBe(true);
    ca = await makeCa({ parent: ca, name: 'Level 9' });
    expectRefused(verify((await ca.issue()).der, bundleOf(root), ca.intermediates), 'no path');
  });

  it('where authorities sign each other in circles', async () => {
    const keys = await Promise.all([1, 2, 3].map(() => makeKey()));
    const rings = await Promise.all(keys.map((key) => makeCa({ name: 'Ring', key, trustDomain: 'prod.example' })));
    const noIds = { isCa: true, keyUsage: KEY_USAGE.keyCertSign, subject: rings[0]?.subject ?? '', uris: [] };
    const crossed: Uint8Array[] = [];
    for (const issuer of rings) for (const key of keys) crossed.push((await issuer.issue({ ...noIds, key })).der);
    const leaf = await rings[0]?.issue();
    const start = performance.now();
    expectRefused(verify(leaf?.der ?? new Uint8Array(), bundleOf(root), crossed), 'no path');
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('by the number of signatures, also without key ids to tell authorities apart', async () => {
    const impostors = await Promise.all(Array.from({ length: 45 }, () => makeCa()));
    const [tbs, algorithm] = partsOf(svid.der);
    const parts = childrenOf(tbs);
    const noExtensionsButNeeded = await root.issue({ key: svid.key });
    expect(verify(noExtensionsButNeeded.der, bundleOf(...impostors, root)).ok).toBe(true);
    const stripped = signAnew(tlv(0x30, ...parts.slice(0, 7), withoutAuthorityKeyId(parts[7])), algorithm, root.key);
    expect(verify(stripped, bundleOf(root)).ok).toBe(true);
    expect(verify(stripped, bundleOf(...impostors.slice(0, 39), root)).ok).toBe(true);
    const exhausted = verify(stripped, bundleOf(...impostors, root));
    expectRefused(exhausted, 'over 40 signatures');
  });

  /** The helper writes authorityKeyIdentifier as the last extension. */
  function withoutAuthorityKeyId(extensions: Uint8Array | undefined): Uint8Array {
    const [list] = childrenOf(extensions ?? new Uint8Array());
    return tlv(0xa3, tlv(0x30, ...childrenOf(list ?? new Uint8Array()).slice(0, -1)));
  }
});

describe('presented bytes', () => {
  it('change nothing where they are garbage, and never make it throw', async () => {
    const { der } = await intermediate.issue();
    const bend = fc.record({ at: fc.nat(intermediate.der.length - 1), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bend, (noise, { at, to }) => {
        fc.pre(intermediate.der[at] !== to);
        const bent = Uint8Array.from(intermediate.der, (octet, index) => (index === at ? to : octet));
        expect(verify(der, bundleOf(root), [noise, bent]).ok).toBe(false);
        expect(verify(der, bundleOf(root), [noise, bent, intermediate.der]).ok).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the recorded certificates', () => {
  const ders = (name: string): readonly Uint8Array[] => {
    const pem = readPemText(readFileSync(new URL(`../captures/pki/${name}.crt`, import.meta.url), 'utf8'));
    return pem.ok ? pem.certificates : [];
  };
  const outcome = (name: string, anchor: string, presented: readonly Uint8Array[]): string => {
    const [leaf] = ders(name);
    const result = verify(leaf ?? new Uint8Array(), { anchors: ders(anchor), intermediates: [] }, presented);
    return result.ok ? 'trusted' : result.reason;
  };

  it.each([
    ['frontend', 'root-ca', 'trusted'],
    ['frontend-rotated', 'root-ca', 'trusted'],
    ['frontend-rsa', 'root-ca', 'trusted'],
    ['frontend-expired', 'root-ca', 'trusted'],
    ['frontend-staging', 'root-ca', 'trusted'],
    ['gateway', 'root-ca', 'trusted'],
    ['checkout', 'root-ca', 'trusted'],
    ['payments', 'root-ca', 'trusted'],
    ['agent', 'root-ca', 'trusted'],
    ['istio-frontend', 'root-ca', 'trusted'],
    ['weird-dns', 'root-ca', 'trusted'],
    ['weird-subject', 'root-ca', 'trusted'],
    ['partner-reporter', 'partner-ca', 'trusted'],
    ['partner-reporter', 'root-ca', 'peer_untrusted'],
    ['frontend', 'partner-ca', 'peer_untrusted'],
    ['frontend', 'rogue-ca', 'peer_untrusted'],
    ['frontend-rogue', 'root-ca', 'peer_untrusted'],
    ['frontend-rogue', 'rogue-ca', 'trusted'],
    ['frontend-intermediate', 'root-ca', 'peer_untrusted'],
    ['frontend-intermediate', 'intermediate-ca', 'trusted'],
  ])('%s against %s is %s', (name, anchor, expected) => {
    expect(outcome(name, anchor, [])).toBe(expected);
  });

  it('frontend-intermediate is trusted with the chain that it sends', () => {
    const chain = ders('frontend-intermediate-chain');
    expect(chain.length).toBe(2);
    expect(outcome('frontend-intermediate', 'root-ca', chain)).toBe('trusted');
    expect(outcome('frontend-intermediate', 'partner-ca', chain)).toBe('peer_untrusted');
  });

  it('the rogue leaf is not trusted because it brings the rogue root', () => {
    expect(outcome('frontend-rogue', 'root-ca', ders('rogue-ca'))).toBe('peer_untrusted');
  });
});
