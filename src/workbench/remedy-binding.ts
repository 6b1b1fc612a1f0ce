/** What would tie a token to who presents it. A stolen one: nothing. */
import { lineName, refusingLine } from './case.js';
import type { Case } from './case.js';
import { byCaller, byToken, no } from './change.js';
import type { Remedy } from './change.js';
import { shown } from './shown.js';

export const otherPresenter = ({ cause }: Case): Remedy =>
  no(
    `none: the token was ${shown(cause.detail)}: take it for stolen until the second one has shown where it has it from, and revoke it (firsthand revoke --token). Each workload fetches its own; two that share one by design stand literally in tokens[].presenters`,
  );

export function unboundToken(told: Case): Remedy {
  const line = refusingLine(told);
  const { token, bound, origin } = told.outcome.findings;
  if (bound !== undefined || token?.issuer.binding !== 'identity')
    return byToken(
      `${bound === undefined || line === undefined ? 'tokens of this issuer' : `tokens on ${lineName(told)}`} must be bound to the origin's certificate: the caller fetches one over mTLS (RFC 8705, cnf x5t#S256)`,
      { bound: true },
    );
  return origin?.kind === 'workload'
    ? byToken(`the token must name ${origin.id} (tokens[].identity): the caller fetches a token of its own`, {
        workload: origin.id,
      })
    : no('none: the token names no workload');
}

export function foreignToken(told: Case): Remedy {
  const { cause } = told;
  const { origin, token } = told.outcome.findings;
  if (origin?.kind !== 'workload')
    return no('none: the token belongs to a workload, and who presents it is none; take it for stolen');
  if (cause.detail.includes('proxy-principals'))
    return byCaller(
      `the token lists the only forwarders that may carry it (cnf proxy-principals#spiffe; ${shown(cause.detail)}): the caller calls directly, or gets a token that lists the proxies on this way`,
      { via: [] },
    );
  const advice = 'never lift the binding for it: a stolen token looks the same';
  const isProof = /certificate|x5t/.test(cause.detail);
  if (isProof)
    return byToken(
      `the token is bound to another certificate: one of another workload, or of ${origin.id} before its certificate was renewed; it fetches a token of its own with the certificate it has now; ${advice}`,
      { bound: true },
    );
  return byToken(
    `the token names another workload than ${origin.id} (${token?.subject === undefined ? 'no sub' : shown(token.subject, 120)}); that one fetches a token of its own; ${advice}`,
    { workload: origin.id },
  );
}

export function unprovable(told: Case): Remedy {
  const { origin, bound } = told.outcome.findings;
  if (bound !== undefined)
    return byCaller(
      `${lineName(told)} has bound=direct: the caller must call without a forwarder in between, so that the guard sees its certificate itself`,
      { via: [] },
    );
  if (origin?.kind === 'outside')
    return no(
      'none: nobody stands behind the forwarder that a token could be tied to; the caller must come with a certificate that the forwarder forwards, or the operator sets binding: none for an issuer whose tokens anybody may carry',
    );
  if (origin?.kind === 'workload' && origin.sha256 === undefined)
    return no(
      'none: no forwarder vouches for the hash of the origin’s certificate, so the token’s cnf can not be compared; Envoy always writes Hash, so look at what the forwarder is',
    );
  return byToken(
    'the token is bound in a way that can not be verified here: the issuer must bind by "x5t#S256" (RFC 8705)',
    { bound: true },
  );
}
