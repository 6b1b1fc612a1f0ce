/** The moments of a certificate, to the millisecond; who is accepted as a peer is in test/hostile/modes.test.ts. */
import { describe, expect, test } from 'vitest';
import { headersOf } from '../../src/model/attributes.js';
import type { CertificateFacts } from '../../src/model/evidence.js';
import { parseSha256Hex, parseSpiffeId, trustDomainOf } from '../../src/model/ids.js';
import { instantAt } from '../../src/model/instant.js';
import type { PathWindow } from '../../src/model/ports.js';
import { ok, refuse } from '../../src/model/result.js';
import { hasOwnElement, verifyPeer } from '../../src/origin/peer.js';

const ID = parseSpiffeId('spiffe://prod.example/a');
const SHA = parseSha256Hex('ab'.repeat(32));
if (ID === undefined || SHA === undefined) throw new Error('constants');

const FROM = 1_000_000;
const UNTIL = 2_000_000;
const facts: CertificateFacts = {
  id: ID,
  der: new Uint8Array(),
  sha256: SHA,
  serial: '01',
  issuer: 'CN=x',
  notBefore: FROM,
  notAfter: UNTIL,
};
const ALWAYS: PathWindow = { from: -Infinity, until: Infinity };

interface Facts {
  readonly now: number;
  readonly windows?: readonly PathWindow[];
  readonly maxCertificateLifetime?: number | null;
}
function ask({ now, windows = [ALWAYS], maxCertificateLifetime = null }: Facts) {
  const instant = instantAt(now);
  const result = verifyPeer({
    attributes: {
      principal: facts.id,
      certificate: 'x',
      destinationPrincipal: '',
      method: 'GET',
      path: '/',
      host: '',
      headers: headersOf([]),
    },
    forwarded: () => refuse('internal_error', 'never read with xfcc: ignore'),
    guard: undefined,
    settings: {
      workload: null,
      origin: { peer: 'certificate', xfcc: 'ignore', maxHops: 5, forwarders: new Map() },
      trust: new Map([
        [
          trustDomainOf(facts.id),
          {
            bundle: { kind: 'file', file: '' },
            intermediates: null,
            environment: null,
            maxCertificateLifetime,
            ceiling: null,
          },
        ],
      ]),
    },
    verifyCertificate: () => ok({ facts, windows }),
    instant,
  });
  return { reason: result.ok ? 'ok' : result.reason, horizon: instant.horizon() };
}

describe('a certificate', () => {
  test.each([
    [FROM - 1, 'peer_expired'],
    [FROM, 'ok'],
    [UNTIL, 'ok'],
    [UNTIL + 1, 'peer_expired'],
  ])('at %d is %s: both ends are valid', (now, reason) => {
    expect(ask({ now }).reason).toBe(reason);
  });

  test('says for how long the answer holds', () => {
    expect(ask({ now: FROM - 1 }).horizon).toEqual({ from: -Infinity, until: FROM });
    expect(ask({ now: FROM }).horizon).toEqual({ from: FROM, until: UNTIL + 1 });
    expect(ask({ now: UNTIL + 1 }).horizon).toEqual({ from: UNTIL + 1, until: Infinity });
  });

  test('needs one path whose authorities are all valid now', () => {
    const early = { from: FROM, until: FROM + 10 };
    const late = { from: FROM + 20, until: FROM + 30 };
    const at = (now: number) => ask({ now, windows: [early, late] });
    expect(at(FROM + 10).reason).toBe('ok');
    expect(at(FROM + 11)).toEqual({ reason: 'peer_untrusted', horizon: { from: FROM + 11, until: FROM + 20 } });
    expect(at(FROM + 20).reason).toBe('ok');
    expect(at(FROM + 31).reason).toBe('peer_untrusted');
    expect(ask({ now: FROM, windows: [] }).reason).toBe('peer_untrusted');
  });

  test('may live as long as the operator says, to the millisecond', () => {
    expect(ask({ now: FROM, maxCertificateLifetime: UNTIL - FROM }).reason).toBe('ok');
    expect(ask({ now: FROM, maxCertificateLifetime: UNTIL - FROM - 1 }).reason).toBe('peer_lifetime_excess');
    expect(ask({ now: UNTIL + 1, maxCertificateLifetime: 1 }).reason).toBe('peer_expired');
  });
});

test('an own element is there in two modes of the listener', () => {
  expect((['append-forward', 'sanitize-set', 'forward-only', 'ignore'] as const).map(hasOwnElement)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
