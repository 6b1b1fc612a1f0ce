/** The seal of a verified origin, and what it tells about the call. */
import { describe, expect, test } from 'vitest';
import { headersOf } from '../../src/model/attributes.js';
import type { ForwardedElement } from '../../src/model/evidence.js';
import { parseSha256Hex, parseSpiffeId, trustDomainOf } from '../../src/model/ids.js';
import type { Sha256Hex, SpiffeId } from '../../src/model/ids.js';
import { instantAt } from '../../src/model/instant.js';
import type { VerifiedOrigin, VerifiedPeer } from '../../src/model/origin.js';
import { parseIdPattern } from '../../src/model/patterns.js';
import { ok, refuse } from '../../src/model/result.js';
import type { Result } from '../../src/model/result.js';
import { isVerifiedOrigin, verifyOrigin } from '../../src/origin/verify.js';

const id = (name: string, domain = 'prod.example'): SpiffeId => parseSpiffeId(`spiffe://${domain}/${name}`) as SpiffeId;
const sha = (digit: string): Sha256Hex => parseSha256Hex(digit.repeat(64)) as Sha256Hex;
const pattern = (text: string) => {
  const parsed = parseIdPattern(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
};

const [A, G, GUARD] = [id('a'), id('g'), id('guard')];
const element = (by: string, uri: string, hash?: string): ForwardedElement => ({
  by: [by],
  uri: [uri],
  hash,
  cert: undefined,
  chain: undefined,
});
const peerOf = (who: SpiffeId): VerifiedPeer => ({
  id: who,
  sha256: sha('1'),
  certificate: {
    id: who,
    der: new Uint8Array(),
    sha256: sha('1'),
    serial: '0a',
    issuer: 'CN=x',
    notBefore: 0,
    notAfter: 9,
  },
});

function verify(
  who: SpiffeId,
  elements: readonly ForwardedElement[],
  guard: SpiffeId | 'not known' = GUARD,
): Result<VerifiedOrigin> {
  const forwarder = {
    id: G,
    origins: [pattern('spiffe://prod.example/**'), pattern('spiffe://far.example/**')],
    behind: new Set<SpiffeId>(),
    originCertificate: 'optional',
  } as const;
  return verifyOrigin(peerOf(who), {
    attributes: {
      principal: who,
      certificate: '',
      destinationPrincipal: '',
      method: 'GET',
      path: '/',
      host: '',
      headers: headersOf([]),
    },
    forwarded: () => ok([...elements, element(GUARD, who)]),
    guard: guard === 'not known' ? undefined : guard,
    settings: {
      workload: null,
      origin: { peer: 'certificate', xfcc: 'append-forward', maxHops: 5, forwarders: new Map([[G, forwarder]]) },
      trust: new Map([
        [
          trustDomainOf(A),
          {
            bundle: { kind: 'file', file: '' },
            intermediates: null,
            environment: null,
            maxCertificateLifetime: null,
            ceiling: null,
          },
        ],
      ]),
    },
    verifyCertificate: () => refuse('peer_untrusted', 'no certificate is asked for here'),
    instant: instantAt(5),
  });
}
const found = (result: Result<VerifiedOrigin>): VerifiedOrigin => {
  if (!result.ok) throw new Error(result.detail);
  return result.value;
};

describe('a verified origin', () => {
  test('is the very object that was made here, and cannot be changed', () => {
    const origin = found(verify(A, []));
    expect(isVerifiedOrigin(origin)).toBe(true);
    expect(isVerifiedOrigin({ ...origin })).toBe(false);
    expect(isVerifiedOrigin(JSON.parse(JSON.stringify(origin)) as VerifiedOrigin)).toBe(false);
    expect(() => Object.assign(origin, { id: GUARD })).toThrow(TypeError);
  });

  test('of a direct call is the peer, with its certificate', () => {
    expect(found(verify(A, []))).toMatchObject({
      ...{ kind: 'workload', id: A, sha256: sha('1'), forwarders: [], chain: [A, GUARD] },
      certificates: [{ sha256: sha('1'), serial: '0a', issuer: 'CN=x' }],
    });
  });

  test('behind a forwarder is known by the hash that the forwarder vouches for', () => {
    expect(found(verify(G, [element(G, A, sha('2'))]))).toMatchObject({
      ...{ kind: 'workload', id: A, sha256: sha('2'), certificate: undefined, forwarders: [G], chain: [A, G, GUARD] },
      certificates: [
        { sha256: sha('1'), serial: '0a', issuer: 'CN=x' },
        { sha256: sha('2'), serial: undefined, issuer: undefined },
      ],
    });
    expect(found(verify(G, [element(G, A)]))).toMatchObject({ kind: 'workload', id: A, sha256: undefined });
  });

  test('may be outside: then the chain begins with the forwarder', () => {
    expect(found(verify(G, []))).toMatchObject({ kind: 'outside', behind: G, chain: [G, GUARD] });
  });

  test('keeps what stands left of it as history', () => {
    const history = [element(A, 'https://x.example/y'), element(G, GUARD)];
    expect(found(verify(A, history)).ignoredHistory).toEqual(['https://x.example/y', GUARD]);
    expect(found(verify(G, [...history, element(G, A)])).ignoredHistory).toEqual(['https://x.example/y', GUARD]);
  });

  test('has a chain without the guard where nobody says who is guarded', () => {
    expect(found(verify(A, [], 'not known')).chain).toEqual([A]);
    expect(found(verify(A, [], GUARD)).chain).toEqual([A, GUARD]);
  });

  test('is of a trust domain that is configured, whoever vouches for it', () => {
    const stranger = verify(G, [element(G, id('a', 'far.example'))]);
    expect(stranger).toMatchObject({ ok: false, reason: 'peer_untrusted' });
    expect(verify(G, [element(G, A)]).ok).toBe(true);
  });
});
