/**
 * In: a verified token, the workload it names, the verified origin. Out: what ties the one to the other, by the mode
 * that the operator set. Refuses, in every mode, a `cnf` that does not hold and a token that names somebody else; then
 * what the mode demands. Does NOT compare with a pin or write one: `Bound.pin` says what is to be compared, and what a final
 * allow must write. Does NOT ask `presenters`.
 */
import type { SpiffeId } from '../model/ids.js';
import type { Instant } from '../model/instant.js';
import type { VerifiedOrigin, WorkloadOrigin } from '../model/origin.js';
import type { PinClaim } from '../model/pin.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';
import type { Bound, VerifiedToken } from '../model/token.js';
import { confirmationOf } from './confirmation.js';
import type { Confirmation } from './confirmation.js';
import { isNamed } from './identity-claim.js';
import type { NamedWorkload } from './identity-claim.js';
import { pinName, presenterOf, sharesToken } from './presenter.js';

export { mayPresent, pinName, sharesToken } from './presenter.js';

/** The token and what it says of its presenter, beside the workload that presents it. */
interface Presentation {
  readonly token: VerifiedToken;
  readonly origin: WorkloadOrigin;
  /** How its `cnf` held; undefined where it has none. */
  readonly proof: 'exact' | 'window' | undefined;
  readonly named: NamedWorkload['kind'];
}

export function bind(
  token: VerifiedToken,
  named: NamedWorkload,
  origin: VerifiedOrigin,
  instant: Instant,
  guard: SpiffeId | undefined,
): Result<Bound> {
  const demanded = confirmationOf(token.claims);
  if (!demanded.ok) return demanded;
  if (origin.kind === 'outside') return bindOutside(token, named, demanded.value);
  const proof = demanded.value === undefined ? ok(undefined) : prove(token, named, origin, demanded.value, instant);
  if (!proof.ok) return proof;
  if (named.kind !== 'none' && !isNamed(named, origin.id)) return namesAnother();
  return satisfyMode({ token, origin, proof: proof.value, named: named.kind }, guard);
}

/** Nobody stands behind the forwarder: no certificate to compare, no name to be, nobody to remember. */
function bindOutside(token: VerifiedToken, named: NamedWorkload, demanded: Confirmation | undefined): Result<Bound> {
  if (demanded !== undefined)
    return refuse('binding_unavailable', 'the token is bound to a certificate, and outside has none');
  if (named.kind !== 'none') return namesAnother();
  if (token.issuer.binding === 'none') return ok({ method: 'none', pin: undefined });
  return refuse('binding_unavailable', `outside can not satisfy the binding "${token.issuer.binding}"`);
}

/**
 * RFC 8705 §3: the certificate of the connection is the one in the token; with `window`, or its successor. A token that
 * names its carriers is carried by no other forwarder, wherever in the chain that one stands.
 */
function prove(
  token: VerifiedToken,
  named: NamedWorkload,
  origin: VerifiedOrigin & WorkloadOrigin,
  demanded: Confirmation,
  instant: Instant,
): Result<'exact' | 'window'> {
  const held = proveCertificate(token, named, origin, demanded, instant);
  if (!held.ok || demanded.forwarders === undefined) return held;
  const { forwarders } = demanded;
  const stranger = origin.forwarders.find((id) => !forwarders.has(id));
  if (stranger === undefined) return held;
  return refuse('binding_mismatch', `the token's "proxy-principals#spiffe" does not list the forwarder ${stranger}`);
}

function proveCertificate(
  token: VerifiedToken,
  named: NamedWorkload,
  origin: WorkloadOrigin,
  { certificate: demanded }: Confirmation,
  instant: Instant,
): Result<'exact' | 'window'> {
  if (origin.sha256 === undefined)
    return refuse('binding_unavailable', "nobody vouches for the hash of the origin's certificate");
  if (origin.sha256 === demanded) return ok('exact');
  if (token.issuer.binding === 'window' && isSuccessor(token, named, origin, instant)) return ok('window');
  return refuse(
    'binding_mismatch',
    `the token is bound to the certificate ${demanded}, the origin's is ${origin.sha256}`,
  );
}

/** Rotation, which RFC 8705 §6.3 does not know: the workload of the token, with a certificate that came after it. */
function isSuccessor(token: VerifiedToken, named: NamedWorkload, origin: WorkloadOrigin, instant: Instant): boolean {
  const { certificate } = origin;
  if (!isNamed(named, origin.id) || certificate === undefined) return false;
  return token.issuedAt < certificate.notBefore && instant.reached(certificate.notBefore, 'certificate.notBefore');
}

function satisfyMode(presentation: Presentation, guard: SpiffeId | undefined): Result<Bound> {
  const { token, proof, named } = presentation;
  // What was proven is told in every mode: conditions such as `bound` ask for the fact.
  const tied = (method: Bound['method']): Result<Bound> => ok({ method: proof ?? method, pin: undefined });
  switch (token.issuer.binding) {
    case 'exact':
    case 'window':
      return proof === undefined ? missing('has no "cnf"', 'a certificate-bound token (RFC 8705)') : tied(proof);
    case 'identity':
      return named === 'workload' ? tied('identity') : missing('names no workload', 'a token that names its workload');
    case 'pin':
      return pinned(presentation, guard);
    case 'none':
      return tied('none');
    case 'strongest':
      if (proof !== undefined) return tied(proof);
      return named === 'workload' ? tied('identity') : pinned(presentation, guard);
  }
}

/** What must be compared with the pins next, and written by the final allow. */
function pinned({ token, origin, proof }: Presentation, guard: SpiffeId | undefined): Result<Bound> {
  const presenter = presenterOf(token.issuer, origin);
  if (!presenter.ok) return presenter;
  const pin: PinClaim = {
    name: pinName(token, guard),
    presenter: presenter.value,
    sharedWith: sharesToken(token.issuer, origin.id, guard),
    until: token.expires + token.issuer.clockSkew,
    onConflict: token.issuer.onConflict,
  };
  return ok({ method: proof ?? 'pin', pin });
}

const namesAnother = (): Refusal =>
  refuse('binding_mismatch', 'the token names another workload than the origin', 'present a token of your own');

const missing = (detail: string, needed: string): Refusal =>
  refuse('binding_missing', `the token ${detail}`, `this issuer's tokens must be bound: present ${needed}`);
