/** What the guard itself lacks: files, room, time. No caller can do anything about these. */
import { fromText } from '../model/from.js';
import type { BundleFrom, KeysFrom } from '../model/from.js';
import { parseSpiffeId, trustDomainOf } from '../model/ids.js';
import type { SpiffeId, TrustDomain } from '../model/ids.js';
import { behindPeer } from './behind.js';
import { issuerOf } from './case.js';
import type { Case } from './case.js';
import { byCaller, byConfig, no } from './change.js';
import type { Remedy } from './change.js';
import { shown } from './shown.js';

const why = (problem: string | undefined): string => (problem === undefined ? '' : `: ${shown(problem)}`);

/** What is elsewhere is nobody's to change here. */
const fileChange = (from: BundleFrom | KeysFrom, holds: 'keys' | 'bundle'): Pick<Remedy, 'change'> =>
  from.kind === 'file' ? { change: { kind: 'file', file: from.file, holds } } : {};

export function keysMissing(told: Case): Remedy {
  const issuer = issuerOf(told);
  if (issuer === undefined) return no('none: the keys of the issuer are not loaded');
  const problem = told.context.problems.get(`keys ${issuer.issuer}`);
  return {
    text: `the operator must make the keys of ${issuer.issuer} readable in ${fromText(issuer.keys)}${why(problem)}`,
    ...fileChange(issuer.keys, 'keys'),
  };
}

export function bundleMissing(told: Case): Remedy {
  const { settings, rootsOf, problems } = told.context;
  const walk = behindPeer(told);
  const domains = [parseSpiffeId(told.attributes?.principal ?? ''), walk?.origin]
    .filter((id): id is SpiffeId => id !== undefined)
    .map(trustDomainOf);
  const domain = domains.find((each: TrustDomain) => settings.trust.has(each) && rootsOf(each) === undefined);
  const trust = domain && settings.trust.get(domain);
  if (domain === undefined || trust === undefined) return no('none: a trust bundle is not loaded');
  return {
    text: `the operator must make the bundle of ${domain} readable in ${fromText(trust.bundle)}${why(problems.get(`trust ${domain}`))}`,
    ...fileChange(trust.bundle, 'bundle'),
  };
}

export function policyMissing({ context }: Case): Remedy {
  const { file } = context.settings.policy.source;
  return {
    text: `the owner's lines must be right again${why(context.problems.get('policy'))}; see firsthand lint ${file}`,
    change: { kind: 'file', file, holds: 'policy' },
  };
}

export const storeFull = ({ cause, context }: Case): Remedy =>
  byConfig(
    `${shown(cause.detail)}: wait until entries expire, or the operator gives the tables more room (cache.pins; a restart, which forgets pins)`,
    ['cache', 'pins'],
    context.settings.cache.pins * 2,
  );

export const revocationsStale = (): Remedy =>
  no('none but time: revocations are out of date; the operator must make their source reachable again');

export const tooLate = (): Remedy =>
  no(
    'none at the request: the guard had no time left, or too many checks at once; look at its CPU, and at the timeout of the ext_authz filter',
  );

export const broke = ({ cause }: Case): Remedy =>
  no(`none: the guard broke (${shown(cause.detail)}); its operational log says where; this is a bug, please report it`);

export const revokedIdentity = ({ cause }: Case): Remedy =>
  no(
    `none: ${shown(cause.detail)}; only "firsthand unrevoke" or the revocation's own end changes that, and who revoked it knows why`,
  );

export function revokedCertificate(told: Case): Remedy {
  const through = told.outcome.findings.origin?.forwarders.length ?? 0;
  const text =
    'the certificate was revoked, not the workload: a newly issued one is accepted; look first why it was revoked, and whether the key was stolen';
  if (through > 0)
    return no(`none that is certain: a certificate of the chain was revoked, maybe a forwarder's; ${text}`);
  return byCaller(text, { certificate: 'new' });
}

export const revokedTransaction = (): Remedy =>
  no('none: the whole transaction was ended on purpose; its caller starts a new one, with new tokens');
