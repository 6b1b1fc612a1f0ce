/**
 * In: a token's claims. Out: the certificate that its `cnf` demands (RFC 8705 §3.1), or none where there is no `cnf`.
 * Refuses every confirmation that can not be verified here (RFC 7800 §3.1 leaves that to us: fail closed), so that a
 * token that is bound in a way we do not know is never taken for an unbound one. Does NOT compare: see binding.ts.
 */
import type { Claims } from '../model/evidence.js';
import { parseSha256Hex } from '../model/ids.js';
import type { Sha256Hex } from '../model/ids.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';

const THUMBPRINT = 'x5t#S256';

export function confirmedCertificate(claims: Claims): Result<Sha256Hex | undefined> {
  if (!Object.hasOwn(claims, 'cnf')) return ok(undefined);
  const { cnf } = claims;
  const members =
    typeof cnf === 'object' && cnf !== null && !Array.isArray(cnf) ? new Map(Object.entries(cnf)) : undefined;
  if (members === undefined || members.size !== 1 || !members.has(THUMBPRINT))
    return refuse(
      'binding_unavailable',
      `"cnf" has something else than one "${THUMBPRINT}"`,
      `bind by "${THUMBPRINT}"`,
    );
  const sha256 = digestOf(members.get(THUMBPRINT));
  return sha256 === undefined ? refuse('binding_mismatch', `"${THUMBPRINT}" is no SHA-256 in base64url`) : ok(sha256);
}

/** Encoding it again shows that it had one spelling: the right alphabet, no padding, no bits to spare. */
function digestOf(text: unknown): Sha256Hex | undefined {
  if (typeof text !== 'string') return undefined;
  const digest = Buffer.from(text, 'base64url');
  return digest.toString('base64url') === text ? parseSha256Hex(digest.toString('hex')) : undefined;
}
