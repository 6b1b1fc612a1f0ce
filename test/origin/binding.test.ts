import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CertificateFacts } from '../../src/model/evidence.js';
import type { Sha256Hex, SpiffeId, TokenName } from '../../src/model/ids.js';
import { instantAt } from '../../src/model/instant.js';
import type { Instant } from '../../src/model/instant.js';
import type { VerifiedOrigin, WorkloadOrigin } from '../../src/model/origin.js';
import { ANY_ID, parseIdPattern } from '../../src/model/patterns.js';
import type { IdPattern } from '../../src/model/patterns.js';
import type { PinClaim, Presentation } from '../../src/model/pin.js';
import { ok } from '../../src/model/result.js';
import type { Binding, IssuerSettings } from '../../src/model/settings.js';
import type { VerifiedToken } from '../../src/model/token.js';
import { bind, mayPresent, sharesToken } from '../../src/origin/binding.js';
import type { NamedWorkload } from '../../src/origin/identity-claim.js';
import { heldBy } from '../../src/state/pin-rules.js';
import { issuerSettings } from '../helpers/tokens.js';

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const id = (text: string): SpiffeId => `spiffe://prod.example/ns/shop/sa/${text}` as SpiffeId;
const FRONTEND = id('frontend');
const CHECKOUT = id('checkout');
const GUARD = id('orders');
const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway' as SpiffeId;
const MODES: readonly Binding[] = ['strongest', 'exact', 'window', 'identity', 'pin', 'none'];

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const hex = (text: string): Sha256Hex => digest(text).toString('hex') as Sha256Hex;
const confirmed = (text: string): unknown => ({ cnf: { 'x5t#S256': digest(text).toString('base64url') } });

const certificate = (notBefore: number): CertificateFacts => ({
  id: FRONTEND,
  der: new Uint8Array(),
  sha256: hex('certificate'),
  serial: '01',
  issuer: 'CN=ca',
  notBefore,
  notAfter: NOW + HOUR,
});

// The binding reads these members alone; origin/verify.ts alone may make real ones.
const workload = (overrides: Partial<WorkloadOrigin> = {}): VerifiedOrigin =>
  ({
    kind: 'workload',
    id: FRONTEND,
    sha256: hex('certificate'),
    certificate: undefined,
    forwarders: [],
    ...overrides,
  }) as unknown as VerifiedOrigin;
const OUTSIDE = { kind: 'outside', behind: GATEWAY } as VerifiedOrigin;

function tokenOf(claims: unknown = {}, settings: Partial<IssuerSettings> = {}, issuedAt = NOW - 60_000): VerifiedToken {
  return {
    name: 'f'.repeat(64) as TokenName,
    issuer: issuerSettings(settings),
    kid: 'k',
    subject: undefined,
    jti: undefined,
    txn: undefined,
    issuedAt,
    expires: NOW + 300_000,
    scopes: [],
    warnAfter: undefined,
    actors: [],
    claims: claims as VerifiedToken['claims'],
  };
}

const NONE: NamedWorkload = { kind: 'none' };
const names = (workloadId: SpiffeId): NamedWorkload => ({ kind: 'workload', id: workloadId });
const FOREIGN: NamedWorkload = { kind: 'foreign', text: 'spiffe://evil.example/x' };

const presentation = (id: SpiffeId): Presentation => ({
  presenter: { id, key: undefined },
  environment: null,
  chain: hex('chain'),
  at: NOW,
});

/** Whether a pin that `first` wrote lets this one in. */
function comparedWith(first: SpiffeId | undefined, pin: PinClaim): string {
  if (first === undefined) return 'pinned';
  const held = heldBy({ first: presentation(first), contestedBy: undefined }, pin);
  return held.ok ? 'pinned' : held.reason;
}

interface Case {
  readonly claims?: unknown;
  readonly mode?: Binding;
  readonly named?: NamedWorkload;
  readonly origin?: VerifiedOrigin;
  readonly first?: SpiffeId;
  readonly presenters?: readonly IdPattern[];
  readonly issuedAt?: number;
  readonly instant?: Instant;
}

const patterns = (...texts: string[]): IdPattern[] =>
  texts.map((text) => {
    const pattern = parseIdPattern(text);
    if (typeof pattern === 'string') throw new Error(pattern);
    return pattern;
  });

function outcome(given: Case): string {
  const { claims, mode: binding = 'strongest', named = NONE, origin = workload(), first, issuedAt } = given;
  const token = tokenOf(claims, { binding, presenters: given.presenters ?? [ANY_ID] }, issuedAt);
  const result = bind(token, named, origin, given.instant ?? instantAt(NOW), GUARD);
  if (!result.ok) return result.reason;
  const { method, pin } = result.value;
  if (pin === undefined) return method;
  const compared = comparedWith(first, pin);
  return compared === 'pinned' ? `${method}, pinned` : compared;
}

const BOUND = confirmed('certificate');
const STOLEN = confirmed("another's certificate");

describe('a confirmed certificate', () => {
  it('holds in every mode where it is that of the origin, and in none where it is another', () => {
    const named = names(FRONTEND);
    for (const mode of MODES) {
      expect(outcome({ mode, claims: BOUND, named })).toBe(mode === 'pin' ? 'exact, pinned' : 'exact');
      expect(outcome({ mode, claims: STOLEN, named })).toBe('binding_mismatch');
    }
  });

  it('can not be compared where nobody vouches for the hash of the origin', () => {
    for (const mode of MODES)
      expect(outcome({ mode, claims: BOUND, origin: workload({ sha256: undefined }) })).toBe('binding_unavailable');
  });

  it('is no proof in any spelling but the canonical one of 32 bytes', () => {
    const right = digest('certificate');
    const last = right.toString('base64url').slice(0, -1);
    const spellings = [
      right.toString('base64'),
      `${right.toString('base64url')}=`,
      ` ${right.toString('base64url')}`,
      right.toString('hex'),
      right.subarray(1).toString('base64url'),
      Buffer.concat([right, Buffer.alloc(1)]).toString('base64url'),
      ...['A', 'B', 'x', '_'].map((char) => last + char).filter((text) => text !== right.toString('base64url')),
      '',
      null,
      7,
      [right.toString('base64url')],
    ];
    for (const mode of MODES)
      for (const value of spellings)
        expect(outcome({ mode, claims: { cnf: { 'x5t#S256': value } } })).toBe('binding_mismatch');
  });

  it('beside, or in place of, a confirmation that we can not verify is a deny in every mode', () => {
    const x5t = digest('certificate').toString('base64url');
    const others = [
      {},
      null,
      'x',
      [],
      7,
      { jkt: 'x' },
      { jwk: {} },
      { kid: 'x' },
      { 'x5t#S256': x5t, jkt: 'x' },
      { x5t },
    ];
    for (const mode of MODES)
      for (const cnf of others) expect(outcome({ mode, claims: { cnf } })).toBe('binding_unavailable');
    expect(outcome({ mode: 'none', claims: {} })).toBe('none');
  });
});

describe('a token that names a workload', () => {
  it('may be presented by that one alone, in every mode', () => {
    for (const mode of MODES)
      for (const claims of [{}, BOUND])
        for (const named of [names(CHECKOUT), FOREIGN])
          expect(outcome({ mode, claims, named })).toBe('binding_mismatch');
    expect(outcome({ mode: 'none', named: names(FRONTEND) })).toBe('none');
  });

  it('may not be presented from outside', () => {
    for (const mode of MODES)
      for (const named of [names(FRONTEND), FOREIGN])
        expect(outcome({ mode, named, origin: OUTSIDE })).toBe('binding_mismatch');
  });
});

describe('outside', () => {
  it('satisfies none alone, and without a cnf', () => {
    for (const mode of MODES)
      expect(outcome({ mode, origin: OUTSIDE })).toBe(mode === 'none' ? 'none' : 'binding_unavailable');
    expect(outcome({ mode: 'none', claims: BOUND, origin: OUTSIDE })).toBe('binding_unavailable');
  });
});

describe('the mode exact', () => {
  it('demands a cnf', () => {
    expect(outcome({ mode: 'exact', claims: BOUND })).toBe('exact');
    expect(outcome({ mode: 'exact', named: names(FRONTEND) })).toBe('binding_missing');
  });
});

describe('the mode window', () => {
  const rotated = (notBefore: number): VerifiedOrigin => workload({ certificate: certificate(notBefore) });
  const given = { mode: 'window', claims: STOLEN, named: names(FRONTEND), issuedAt: NOW - 60_000 } as const;

  it('passes a certificate that came after the token, for the workload that the token names', () => {
    expect(outcome({ ...given, origin: rotated(NOW - 59_999) })).toBe('window');
    expect(outcome({ ...given, origin: rotated(NOW) })).toBe('window');
    expect(outcome({ ...given, claims: BOUND, origin: rotated(NOW - HOUR) })).toBe('exact');
  });

  it('passes no certificate that was there when the token was issued, or is not valid yet', () => {
    expect(outcome({ ...given, origin: rotated(NOW - 60_000) })).toBe('binding_mismatch');
    expect(outcome({ ...given, origin: rotated(NOW + 1) })).toBe('binding_mismatch');
  });

  it('passes no certificate that we did not verify ourselves', () => {
    expect(outcome({ ...given, origin: workload() })).toBe('binding_mismatch');
    expect(outcome({ ...given, origin: workload({ sha256: undefined }) })).toBe('binding_unavailable');
  });

  it('passes nobody whom the token does not name, and nothing without a cnf', () => {
    for (const named of [NONE, names(CHECKOUT), FOREIGN])
      expect(outcome({ ...given, named, origin: rotated(NOW) })).toBe('binding_mismatch');
    expect(outcome({ ...given, claims: {}, origin: rotated(NOW) })).toBe('binding_missing');
  });

  it('is the only mode that passes a rotated certificate', () => {
    for (const mode of MODES)
      expect(outcome({ ...given, mode, origin: rotated(NOW) })).toBe(mode === 'window' ? 'window' : 'binding_mismatch');
  });

  it('tells the instant when the certificate begins', () => {
    const instant = instantAt(NOW);
    outcome({ ...given, origin: rotated(NOW - 5), instant });
    expect(instant.horizon().from).toBe(NOW - 5);
  });
});

describe('the mode identity', () => {
  it('demands that the token names the origin', () => {
    expect(outcome({ mode: 'identity', named: names(FRONTEND) })).toBe('identity');
    expect(outcome({ mode: 'identity' })).toBe('binding_missing');
    expect(outcome({ mode: 'identity', claims: BOUND })).toBe('binding_missing');
  });
});

describe('the mode pin', () => {
  it('says what is to be compared, and what a final allow must write', () => {
    const token = tokenOf({}, { binding: 'pin' });
    expect(bind(token, NONE, workload(), instantAt(NOW), GUARD)).toMatchObject(
      ok({
        method: 'pin',
        pin: {
          name: `${token.name} ${GUARD}`,
          presenter: { id: FRONTEND, key: undefined },
          until: NOW + 330_000,
          onConflict: 'later',
        },
      }),
    );
  });

  it('has one pin for each guarded workload, or one for the fleet', () => {
    const nameFor = (pinScope: IssuerSettings['pinScope'], guard: SpiffeId): string | undefined => {
      const bound = bind(tokenOf({}, { binding: 'pin', pinScope }), NONE, workload(), instantAt(NOW), guard);
      return bound.ok ? bound.value.pin?.name : undefined;
    };
    expect(nameFor('workload', GUARD)).not.toBe(nameFor('workload', CHECKOUT));
    expect(nameFor('fleet', GUARD)).toBe(nameFor('fleet', CHECKOUT));
    expect(nameFor('fleet', GUARD)).toBe('f'.repeat(64));
  });

  it('can not go by the key of a certificate that nobody shows', () => {
    const token = tokenOf({}, { binding: 'pin', pinBy: 'instance' });
    expect(bind(token, NONE, workload(), instantAt(NOW), GUARD)).toMatchObject({ reason: 'binding_unavailable' });
    const broken = workload({ certificate: certificate(NOW) });
    expect(bind(token, NONE, broken, instantAt(NOW), GUARD)).toMatchObject({ reason: 'binding_unavailable' });
  });

  it('refuses whoever is not the first', () => {
    expect(outcome({ mode: 'pin', first: FRONTEND })).toBe('pin, pinned');
    expect(outcome({ mode: 'pin', first: CHECKOUT })).toBe('token_presenter_changed');
    expect(outcome({ mode: 'pin', first: CHECKOUT, claims: BOUND })).toBe('token_presenter_changed');
  });

  it('lets workloads share a token that the operator listed literally', () => {
    const presenters = patterns(FRONTEND, 'ns/shop/sa/checkout', '**');
    expect(outcome({ mode: 'pin', first: CHECKOUT, presenters })).toBe('pin, pinned');
    expect(outcome({ mode: 'pin', first: id('other'), presenters })).toBe('token_presenter_changed');
    expect(outcome({ mode: 'pin', first: CHECKOUT, presenters: patterns('ns/shop/sa/*') })).toBe(
      'token_presenter_changed',
    );
  });
});

describe('the mode strongest', () => {
  it('is the cnf, else the name, else a pin', () => {
    expect(outcome({ claims: BOUND, named: names(FRONTEND), first: CHECKOUT })).toBe('exact');
    expect(outcome({ named: names(FRONTEND), first: CHECKOUT })).toBe('identity');
    expect(outcome({ first: CHECKOUT })).toBe('token_presenter_changed');
    expect(outcome({})).toBe('pin, pinned');
  });

  it('never falls back from one that does not hold', () => {
    expect(outcome({ claims: STOLEN, named: names(FRONTEND) })).toBe('binding_mismatch');
    expect(outcome({ claims: { cnf: { jkt: 'x' } }, named: names(FRONTEND) })).toBe('binding_unavailable');
    expect(outcome({ named: FOREIGN })).toBe('binding_mismatch');
  });
});

describe('whatever a cnf holds', () => {
  it('a token of somebody else is never bound, and nothing throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MODES), fc.jsonValue(), (mode, cnf) => {
        expect(['binding_mismatch', 'binding_unavailable']).toContain(outcome({ mode, claims: { cnf } }));
      }),
    );
  });
});

describe('presenters', () => {
  const may = (origin: VerifiedOrigin, guard: SpiffeId | undefined, ...texts: string[]): string => {
    const result = mayPresent(
      tokenOf({}, { presenters: texts.includes('any') ? [ANY_ID] : patterns(...texts) }),
      origin,
      guard,
    );
    return result.ok ? 'may' : result.reason;
  };

  it('are those whom a pattern matches', () => {
    expect(may(workload(), GUARD, 'any')).toBe('may');
    expect(may(workload(), GUARD, FRONTEND)).toBe('may');
    expect(may(workload(), GUARD, CHECKOUT, 'ns/shop/**')).toBe('may');
    expect(may(workload(), GUARD, CHECKOUT)).toBe('presenter_not_allowed');
    expect(may(workload(), GUARD)).toBe('presenter_not_allowed');
  });

  it('are relative to the trust domain of the guard', () => {
    expect(may(workload(), GUARD, 'ns/shop/sa/frontend')).toBe('may');
    expect(may(workload(), undefined, 'ns/shop/sa/frontend')).toBe('presenter_not_allowed');
    expect(may(workload(), 'spiffe://partner.example/a' as SpiffeId, 'ns/shop/sa/frontend')).toBe(
      'presenter_not_allowed',
    );
  });

  it('are not asked of outside', () => {
    expect(may(OUTSIDE, GUARD)).toBe('may');
  });

  it('share a token only where both are listed literally', () => {
    const shares = (presenter: SpiffeId, other: SpiffeId, guard: SpiffeId | undefined, ...texts: string[]): boolean =>
      sharesToken(issuerSettings({ presenters: patterns(...texts) }), presenter, guard)(other);
    expect(shares(FRONTEND, CHECKOUT, GUARD, FRONTEND, CHECKOUT)).toBe(true);
    expect(shares(FRONTEND, CHECKOUT, GUARD, FRONTEND, 'ns/shop/**')).toBe(false);
    expect(shares(FRONTEND, CHECKOUT, GUARD, CHECKOUT, 'ns/shop/sa/*')).toBe(false);
    expect(shares(FRONTEND, CHECKOUT, GUARD, 'ns/shop/sa/frontend', 'ns/shop/sa/checkout')).toBe(true);
    expect(shares(FRONTEND, CHECKOUT, undefined, 'ns/shop/sa/frontend', 'ns/shop/sa/checkout')).toBe(false);
  });
});
