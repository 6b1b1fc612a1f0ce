/**
 * What an audit record says was verified, in the form that the decision is asked in. In: the record, the config. Out: the
 * origin and the token as far as the record has them. They are cast, not made where such things are sealed: engine and
 * commit would refuse them, and nothing is ever answered with them.
 */
import { parseSha256Hex, parseSpiffeId } from '../model/ids.js';
import type { SpiffeId, TokenName } from '../model/ids.js';
import { matchesScope } from '../model/patterns.js';
import type { VerifiedOrigin } from '../model/origin.js';
import type { IssuerSettings, Settings } from '../model/settings.js';
import type { VerifiedToken } from '../model/token.js';
import type { AuditedCheck } from './audited.js';

/** Lists in records are cut to this many entries, with a mark in the last one's place. */
const CUT = '…';

/** Undefined where the record does not say who called. */
export function rememberedOrigin({ origin, peer, chain, certificate, peer_certificate }: AuditedCheck) {
  const ids = chain?.map(parseSpiffeId);
  const peerId = parseSpiffeId(peer ?? '');
  if (ids === undefined || peerId === undefined || ids.includes(undefined)) return undefined;
  const hops = ids.filter((id) => id !== undefined);
  const at = hops.indexOf(peerId);
  const id = origin === undefined ? undefined : hops[0];
  if (at < 0 || (id !== undefined && id !== origin)) return undefined;
  const forwarders = hops.slice(id === undefined ? 0 : 1, at + 1);
  const facts = {
    ...whoCalled(id, hops, certificate),
    peer: { id: peerId, sha256: parseSha256Hex(peer_certificate ?? '') ?? '', certificate: undefined },
    forwarders,
    chain: hops,
    ignoredHistory: [],
    certificates: [],
  };
  return { origin: facts as unknown as VerifiedOrigin, guard: hops[at + 1] };
}

const whoCalled = (id: SpiffeId | undefined, hops: readonly SpiffeId[], certificate: string | undefined): object =>
  id === undefined
    ? { kind: 'outside', behind: hops[0] }
    : { kind: 'workload', id, sha256: parseSha256Hex(certificate ?? ''), certificate: undefined };

export type RememberedToken =
  | { readonly kind: 'token'; readonly token: VerifiedToken }
  | { readonly kind: 'not verified' }
  | { readonly kind: 'cut' }
  /** Its issuer is not in the config. */
  | { readonly kind: 'stranger' };

export function rememberedToken(record: AuditedCheck, { tokens }: Settings): RememberedToken {
  const { token: name, scopes_held: held, issuer } = record;
  if (name === undefined || held === undefined) return { kind: 'not verified' };
  if (held.some((scope) => scope.includes(CUT))) return { kind: 'cut' };
  const entry = tokens.find((each) => each.issuer === issuer);
  if (entry === undefined) return { kind: 'stranger' };
  return { kind: 'token', token: tokenOf(record, name as TokenName, entry, held) };
}

const tokenOf = (
  { subject }: AuditedCheck,
  name: TokenName,
  issuer: IssuerSettings,
  held: readonly string[],
): VerifiedToken => ({
  name,
  issuer,
  kid: '',
  subject,
  jti: undefined,
  txn: undefined,
  // Not in a record: what asks for it is undecidable (from-audit.ts).
  issuedAt: NaN,
  expires: NaN,
  scopes: held.filter((scope) => issuer.grants.some((grant) => matchesScope(grant, scope))),
  warnAfter: undefined,
  actors: [],
  claims: {},
});
