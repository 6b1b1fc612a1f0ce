/** What would make the peer's or the origin's certificate acceptable. Trust is widened by nobody's request. */
import { readPemChain, readPemText, readSvid } from '../evidence/certificate.js';
import type { CertificateFacts } from '../model/evidence.js';
import { parseSpiffeId, trustDomainOf } from '../model/ids.js';
import type { TrustDomain } from '../model/ids.js';
import type { Case } from './case.js';
import { behindPeer, elementsOf } from './behind.js';
import { byCaller, byConfig, no, remedy } from './change.js';
import type { Change, Remedy } from './change.js';
import { durationText } from '../model/duration.js';

/** The leaf that the peer was to be known by; undefined where it is none, or breaks the rules of an X.509-SVID. */
export function presentedLeaf(told: Pick<Case, 'attributes' | 'context'>): CertificateFacts | undefined {
  if (told.context.settings.origin.peer === 'xfcc') {
    const pem = elementsOf(told)?.at(-1)?.cert;
    const own = pem === undefined ? undefined : readPemText(pem);
    return own?.ok === true ? leafOf(own.certificates) : undefined;
  }
  const chain = readPemChain(told.attributes?.certificate ?? '');
  return chain.ok ? leafOf(chain.certificates) : undefined;
}

function leafOf([der]: readonly Uint8Array[]): CertificateFacts | undefined {
  const svid = der === undefined ? undefined : readSvid(der);
  return svid?.ok === true ? svid.facts : undefined;
}

const atGuard = (setting: string, value: string): Change => ({ kind: 'envoy', at: 'guard', setting, value });

export function unauthenticatedPeer({ attributes, context }: Case): Remedy {
  if (attributes === undefined || attributes.principal === '')
    return byCaller(
      'the caller must come over mTLS with an X.509-SVID; for a probe or a preflight that nobody can identify, the owner declares an anyone line, where policy.ownersMay lists it',
      { certificate: 'present' },
    );
  if (context.settings.origin.peer === 'certificate')
    return remedy(
      "the ext_authz filter must hand the caller's certificate over: include_peer_certificate: true",
      atGuard('include_peer_certificate', 'true'),
    );
  return remedy(
    "the listener must write the caller's certificate into its element: set_current_client_cert_details.cert: true",
    atGuard('set_current_client_cert_details.cert', 'true'),
  );
}

export function invalidPeer(told: Case): Remedy {
  const leaf = presentedLeaf(told);
  if (leaf !== undefined && told.attributes !== undefined && leaf.id !== told.attributes.principal)
    return no(
      'none: Envoy names another principal than the certificate it hands over, so one of the two is not what it seems; look at the listener, and at who sent this',
    );
  return byCaller(
    'the caller needs a certificate that is an X.509-SVID: exactly one URI name, a SPIFFE ID with a path, no CA, digitalSignature',
    { certificate: 'new' },
  );
}

export function untrustedPeer(told: Case): Remedy {
  const { context, outcome } = told;
  const { settings } = context;
  const domain = strangeDomain(told);
  if (domain !== undefined)
    return byConfig(
      `none, unless the operator of the mesh means to trust the whole trust domain ${domain}: then its bundle, fetched from its own operator, is listed under trust.${domain}`,
      ['trust', domain],
      { bundle: `${domain}.pem` },
    );
  if (settings.origin.peer === 'principal')
    return no(
      "none: with origin.peer: principal only callers of the guard's own trust domain are taken; callers of others need origin.peer: certificate",
    );
  const leaf = presentedLeaf(told);
  if (leaf !== undefined && context.rootsOf(trustDomainOf(leaf.id)) === 0)
    return no('none: the bundle of that trust domain lists no root, so that nothing of it is trusted any more');
  if (told.cause.detail.includes('outside its validity'))
    return byCaller(
      'an authority above the certificate is outside its validity: the caller needs a certificate of one that is valid',
      { certificate: 'new' },
    );
  const whose = outcome.findings.peer === undefined ? 'the caller' : 'the origin';
  return no(
    `none: no path leads from the certificate of ${whose} to the bundle of its trust domain, as with a forged one; where the domain has just changed its roots, the bundle file must follow; where its intermediates are missing, the caller sends them or trust.<domain>.intermediates lists them`,
  );
}

/** An identity of the call whose trust domain nobody configured. */
function strangeDomain(told: Case): TrustDomain | undefined {
  const { attributes, context } = told;
  const walk = told.outcome.findings.peer === undefined ? undefined : behindPeer(told);
  const ids = [
    parseSpiffeId(attributes?.principal ?? ''),
    walk?.origin,
    ...(walk?.forwarders ?? []).map(({ id }) => id),
  ];
  return ids
    .filter((id) => id !== undefined)
    .map(trustDomainOf)
    .find((domain) => !context.settings.trust.has(domain));
}

export const expiredPeer = (told: Case): Remedy => {
  const leaf = presentedLeaf(told);
  const early = leaf !== undefined && leaf.notBefore > told.outcome.time;
  return byCaller(
    early
      ? "the caller's certificate is not valid yet: compare the clocks of the caller's authority and of the guard; a certificate that is valid now is needed"
      : "the caller's certificate has expired: it needs a new one, on a new connection (a connection outlives the certificate it began with)",
    { certificate: 'new' },
  );
};

export function longLivedPeer(told: Case): Remedy {
  const leaf = presentedLeaf(told);
  const max = leaf && told.context.settings.trust.get(trustDomainOf(leaf.id))?.maxCertificateLifetime;
  if (max === undefined || max === null) return no('none: the certificate lives longer than the operator accepts');
  return byCaller(`the caller needs a certificate that lives at most ${durationText(max)}`, {
    certificate: 'new',
    lifetime: max,
  });
}

/** The origin's own certificate, as a forwarder sent it along. */
export function invalidOrigin(told: Case): Remedy {
  const walk = behindPeer(told);
  const element = walk?.read[0];
  const demanding = walk?.forwarders.find(({ originCertificate }) => originCertificate === 'require');
  if (element !== undefined && element.cert === undefined && demanding !== undefined) {
    const nearest = walk?.forwarders[0]?.id ?? demanding.id;
    return remedy(
      `the forwarder ${nearest} must send the origin's certificate along: set_current_client_cert_details.cert: true`,
      { kind: 'envoy', at: nearest, setting: 'set_current_client_cert_details.cert', value: 'true' },
    );
  }
  const read = element?.cert === undefined ? undefined : readPemText(element.cert);
  const facts = read?.ok === true ? leafOf(read.certificates) : undefined;
  const own = facts !== undefined && facts.sha256 === element?.hash && facts.id === walk?.origin;
  const lived = facts !== undefined && (facts.notAfter < told.outcome.time || facts.notBefore > told.outcome.time);
  if (own && lived)
    return byCaller("the origin's certificate is outside its validity: it needs a new one", { certificate: 'new' });
  const max = facts && told.context.settings.trust.get(trustDomainOf(facts.id))?.maxCertificateLifetime;
  if (own && facts !== undefined && typeof max === 'number' && facts.notAfter - facts.notBefore > max)
    return byCaller(`the origin needs a certificate that lives at most ${durationText(max)}`, {
      certificate: 'new',
      lifetime: max,
    });
  return no(
    'none: the certificate that is said to be the origin’s does not hold, as with a forged one; look at what the forwarder lets pass',
  );
}
