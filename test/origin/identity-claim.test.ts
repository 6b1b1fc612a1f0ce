import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpiffeId, TokenName, TrustDomain } from '../../src/model/ids.js';
import type { IdentityRule, IssuerSettings } from '../../src/model/settings.js';
import type { VerifiedToken } from '../../src/model/token.js';
import { isNamed, namedWorkload } from '../../src/origin/identity-claim.js';
import { issuerSettings } from '../helpers/tokens.js';

const GUARD = 'spiffe://prod.example/ns/shop/sa/orders' as SpiffeId;
const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';

const SUB: IdentityRule = { kind: 'template', parts: [{ claim: 'sub' }] };
const NAMES: IdentityRule = {
  kind: 'template',
  parts: [{ text: 'spiffe://prod.example/ns/' }, { claim: 'ns' }, { text: '/sa/' }, { claim: 'name' }],
};
const KUBERNETES: IdentityRule = { kind: 'kubernetes' };

const domains = (...names: string[]): Partial<IssuerSettings> => ({ domains: names as TrustDomain[] });

const tokenOf = (claims: Record<string, unknown>, settings: Partial<IssuerSettings>): VerifiedToken => ({
  name: '0'.repeat(64) as TokenName,
  issuer: issuerSettings(settings),
  kid: 'k',
  subject: undefined,
  jti: undefined,
  txn: undefined,
  issuedAt: 0,
  expires: 1,
  scopes: [],
  warnAfter: undefined,
  actors: [],
  claims,
});

/** The ID of a workload, else the kind. */
function named(
  identity: IdentityRule | null,
  claims: Record<string, unknown>,
  settings: Partial<IssuerSettings> = {},
): string {
  const result = namedWorkload(tokenOf(claims, { identity, ...settings }), GUARD);
  return result.kind === 'workload' ? result.id : result.kind;
}

describe('the workload that a token names', () => {
  it('is none without a rule', () => {
    expect(named(null, { sub: FRONTEND })).toBe('none');
  });

  it('is a claim that is a SPIFFE ID', () => {
    expect(named(SUB, { sub: FRONTEND })).toBe(FRONTEND);
  });

  it('is none where the claim is missing, no text, or nothing like a SPIFFE ID', () => {
    for (const sub of [undefined, null, 7, [FRONTEND], '', 'user:alice', 'https://x/y', ` ${FRONTEND}`])
      expect(named(SUB, { sub })).toBe('none');
    expect(named(SUB, {})).toBe('none');
  });

  it('is foreign where the claim looks like a SPIFFE ID and is not one of a workload', () => {
    const texts = ['spiffe://', 'spiffe://prod.example', 'spiffe://prod.example/', `${FRONTEND}/`, `${FRONTEND}/../x`];
    const others = [FRONTEND.toUpperCase(), FRONTEND.replace('spiffe', 'Spiffe'), `${FRONTEND}?a`, `${FRONTEND}%41`];
    for (const sub of [...texts, ...others, 'spiffe://Prod.example/a', 'spiffe://prod.example:1/a'])
      expect(named(SUB, { sub })).toBe('foreign');
  });

  it('is foreign outside the accepted trust domains', () => {
    const partner = 'spiffe://partner.example/ns/a/sa/b';
    expect(named(SUB, { sub: partner })).toBe('foreign');
    expect(named(SUB, { sub: partner }, domains('partner.example'))).toBe(partner);
    expect(named(SUB, { sub: FRONTEND }, domains('partner.example'))).toBe('foreign');
    expect(named(SUB, { sub: FRONTEND }, domains('partner.example', 'prod.example'))).toBe(FRONTEND);
    expect(named(SUB, { sub: FRONTEND }, domains())).toBe('foreign');
  });

  it('is foreign where the own trust domain is not known', () => {
    const result = namedWorkload(tokenOf({ sub: FRONTEND }, { identity: SUB }), undefined);
    expect(result).toEqual({ kind: 'foreign', text: FRONTEND });
  });
});

describe('a template of several parts', () => {
  it('is filled from claims', () => {
    expect(named(NAMES, { ns: 'shop', name: 'frontend' })).toBe(FRONTEND);
  });

  it('names none where a claim is missing or no text', () => {
    for (const claims of [{ ns: 'shop' }, { ns: 'shop', name: 1 }, { ns: null, name: 'frontend' }, {}])
      expect(named(NAMES, claims)).toBe('none');
  });

  it('takes one path segment for each claim, so that none can move the others', () => {
    for (const ns of ['', '.', '..', 'shop/sa/frontend', 'a/b', '/', 'shop ', 'sh%6fp', 'shop?', 'é'])
      expect(named(NAMES, { ns, name: 'frontend' })).toBe('foreign');
    expect(named(NAMES, { ns: 'shop/sa', name: 'x' })).toBe('foreign');
    for (const ns of ['...', 'A', '-', '_.9'])
      expect(named(NAMES, { ns, name: 'x' })).toBe(`spiffe://prod.example/ns/${ns}/sa/x`);
  });

  it('never yields an ID of another shape than the template', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('a/b', '..', 'x/sa/y', 'shop'));
    fc.assert(
      fc.property(text, text, (ns, name) => {
        const result = named(NAMES, { ns, name });
        if (result !== 'none' && result !== 'foreign')
          expect(result.split('/')).toEqual(['spiffe:', '', 'prod.example', 'ns', ns, 'sa', name]);
      }),
    );
  });
});

describe('a Kubernetes token', () => {
  const claims = (namespace: unknown, name: unknown, sub: unknown): Record<string, unknown> => ({
    sub,
    'kubernetes.io': { namespace, serviceaccount: { name, uid: 'u' }, pod: { name: 'p', uid: 'v' } },
  });
  const right = claims('shop', 'frontend', 'system:serviceaccount:shop:frontend');

  it('names its service account in the own trust domain', () => {
    expect(named(KUBERNETES, right)).toBe(FRONTEND);
  });

  it('names it in the one domain that is configured', () => {
    expect(named(KUBERNETES, right, domains('cluster.local'))).toBe('spiffe://cluster.local/ns/shop/sa/frontend');
    expect(named(KUBERNETES, right, domains('a.example', 'b.example'))).toBe('foreign');
    expect(named(KUBERNETES, right, domains())).toBe('foreign');
  });

  it('is foreign where its claims disagree or are not whole', () => {
    for (const wrong of [
      claims('shop', 'frontend', 'system:serviceaccount:shop:admin'),
      claims('ops', 'frontend', 'system:serviceaccount:shop:frontend'),
      claims('shop', 'frontend', 'frontend'),
      claims('shop', 'frontend', undefined),
      claims('shop', undefined, 'system:serviceaccount:shop:frontend'),
      claims(['shop'], 'frontend', 'system:serviceaccount:shop:frontend'),
      claims('a/b', 'c', 'system:serviceaccount:a/b:c'),
      claims('', '', 'system:serviceaccount::'),
      claims('..', 'c', 'system:serviceaccount:..:c'),
      { sub: 'system:serviceaccount:shop:frontend' },
      { sub: 'system:serviceaccount:shop:frontend', 'kubernetes.io': null },
      { sub: 'system:serviceaccount:shop:frontend', 'kubernetes.io': 'shop' },
      {
        sub: 'system:serviceaccount:shop:frontend',
        'kubernetes.io': { namespace: 'shop', serviceaccount: 'frontend' },
      },
      { sub: 'system:serviceaccount:shop:frontend', kubernetes: { io: { namespace: 'shop' } } },
    ])
      expect(named(KUBERNETES, wrong)).toBe('foreign');
  });

  it('names none where it speaks of no service account', () => {
    expect(named(KUBERNETES, { sub: 'user:alice' })).toBe('none');
    expect(named(KUBERNETES, {})).toBe('none');
  });

  it('names its pod where the ID of the origin tells the pod, and any pod where it does not', () => {
    const ofPod = (pod: unknown): Record<string, unknown> => ({
      sub: 'system:serviceaccount:shop:frontend',
      'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'frontend' }, pod },
    });
    const may = (pod: unknown, origin: string): boolean =>
      isNamed(namedWorkload(tokenOf(ofPod(pod), { identity: KUBERNETES }), GUARD), origin as SpiffeId);
    const mine = { name: 'frontend-1', uid: '0b1e-1' };
    expect(may(mine, FRONTEND)).toBe(true);
    expect(may(mine, `${FRONTEND}/pod/0b1e-1`)).toBe(true);
    for (const other of ['/pod/0b1e-2', '/pod/frontend-1', '/pod', '/pod/0b1e-1/x', '/node/0b1e-1', '2'])
      expect(may(mine, `${FRONTEND}${other}`)).toBe(false);
    for (const bad of [
      undefined,
      null,
      {},
      'v',
      { uid: 7 },
      { uid: '' },
      { uid: '../x' },
      { uid: 'a/b' },
      { uid: '.' },
    ]) {
      const result = namedWorkload(tokenOf(ofPod(bad), { identity: KUBERNETES }), GUARD);
      expect(result).toEqual({ kind: 'workload', id: FRONTEND });
      expect(may(bad, `${FRONTEND}/pod/v`)).toBe(false);
    }
    expect(may({ uid: 'x'.repeat(2048) }, FRONTEND)).toBe(true);
  });
});
