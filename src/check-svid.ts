/**
 * X.509-SVIDs that nobody presents in a check: our own one, and that of a bundle's endpoint. In: a leaf with what came
 * behind it, and the authorities of its trust domain. Out: the leaf, as a peer's is read and verified. Does NOT compare
 * dates with the clock, and does not ask for revocations.
 */
import { readSvid } from './evidence/certificate.js';
import type { VerifiedLeaf } from './model/ports.js';
import { verifyPath } from './origin/path-validation.js';
import type { CheckSvid } from './state/spiffe/own-svid.js';
import type { Reading } from './x509/der.js';

export const checkSvid: CheckSvid = ([leaf, ...presented], anchors): Reading<VerifiedLeaf> => {
  if (leaf === undefined) return { ok: false, problem: 'there is no certificate' };
  const svid = readSvid(leaf);
  if (!svid.ok) return svid;
  const path = verifyPath(svid.facts, presented, { anchors, intermediates: [] });
  return path.ok
    ? { ok: true, value: { facts: svid.facts, windows: path.value } }
    : { ok: false, problem: path.detail };
};
