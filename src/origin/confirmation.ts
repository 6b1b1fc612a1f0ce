/**
 * In: a token's claims. Out: what its `cnf` demands: the certificate of its presenter (RFC 8705 §3.1) and, where Athenz
 * wrote them, the only forwarders that may carry it; or nothing where there is no `cnf`. Refuses every confirmation that
 * can not be verified here (RFC 7800 §3.1 leaves that to us: fail closed), so that a token that is bound in a way we do
 * not know is never taken for an unbound one. Does NOT compare: see binding.ts.
 */
import type { Claims } from '../model/evidence.js';
import { parseSha256Hex, parseSpiffeId } from '../model/ids.js';
import type { Sha256Hex, SpiffeId } from '../model/ids.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';

const THUMBPRINT = 'x5t#S256';
/** Athenz: SPIFFE IDs of the proxies that may present the token on behalf of its holder. */
const PROXIES = 'proxy-principals#spiffe';

export interface Confirmation {
  readonly certificate: Sha256Hex;
  /** Undefined where the token says nothing about forwarders: every one that the operator listed. Empty: none. */
  readonly forwarders: ReadonlySet<SpiffeId> | undefined;
}

export function confirmationOf(claims: Claims): Result<Confirmation | undefined> {
  if (!Object.hasOwn(claims, 'cnf')) return ok(undefined);
  const members = membersOf(claims['cnf']);
  const unknown = [...members.keys()].some((name) => name !== THUMBPRINT && name !== PROXIES);
  if (unknown || !members.has(THUMBPRINT))
    return refuse(
      'binding_unavailable',
      `"cnf" has something else than one "${THUMBPRINT}", with or without "${PROXIES}"`,
      `bind by "${THUMBPRINT}"`,
    );
  const certificate = digestOf(members.get(THUMBPRINT));
  if (certificate === undefined) return refuse('binding_mismatch', `"${THUMBPRINT}" is no SHA-256 in base64url`);
  if (!members.has(PROXIES)) return ok({ certificate, forwarders: undefined });
  const forwarders = idsOf(members.get(PROXIES));
  if (forwarders === undefined) return refuse('binding_mismatch', `"${PROXIES}" is no list of SPIFFE IDs`);
  return ok({ certificate, forwarders });
}

function membersOf(cnf: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof cnf === 'object' && cnf !== null && !Array.isArray(cnf) ? Object.entries(cnf) : []);
}

/** Encoding it again shows that it had one spelling: the right alphabet, no padding, no bits to spare. */
function digestOf(text: unknown): Sha256Hex | undefined {
  if (typeof text !== 'string') return undefined;
  const digest = Buffer.from(text, 'base64url');
  return digest.toString('base64url') === text ? parseSha256Hex(digest.toString('hex')) : undefined;
}

/** One entry that is none spoils the list: what its issuer meant by it is not known. */
function idsOf(list: unknown): ReadonlySet<SpiffeId> | undefined {
  if (!Array.isArray(list)) return undefined;
  const ids = list.map((item: unknown) => (typeof item === 'string' ? parseSpiffeId(item) : undefined));
  return ids.every((id) => id !== undefined) ? new Set(ids) : undefined;
}
