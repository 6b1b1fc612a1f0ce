/**
 * The trust anchors of one domain as the operator wrote them. In: the text of a PEM file or of a SPIFFE bundle (JSON,
 * Trust Domain & Bundle §4). Out: the DER of each anchor. Refuses a PEM file without a certificate (an emptied file is a
 * mistake), anything cut short, a private key, and a certificate that can be no authority. `keys: []` in a bundle is
 * valid: nothing is trusted any more. Does NOT compare dates with the clock, nor order two bundles by their sequence.
 */
import { reading, sameBytes } from '../x509/der.js';
import { readPem } from '../x509/pem.js';
import type { X509 } from '../x509/x509.js';
import { checkAnchors, checkAuthority, MAX_CERTIFICATES } from './anchors.js';
import type { Keys } from './jwks.js';
import type { Parsed } from './source.js';
import { looksLikeSpiffeBundle, readSpiffeAnchors, readSpiffeBundle } from './spiffe/bundle.js';

export type BundleReading =
  { readonly ok: true; readonly anchors: readonly Uint8Array[] } | { readonly ok: false; readonly problem: string };

/** All that one source of a trust domain brings. */
export interface BundleContents {
  /** DER of each root. */
  readonly anchors: readonly Uint8Array[];
  /** JWT authorities by kid; undefined where the form can hold none (PEM). */
  readonly keys: Keys | undefined;
  /** Undefined where the bundle has no number (Trust Domain and Bundle §4.1.1). */
  readonly sequence?: number | undefined;
}

export type IntermediatesReading =
  | { readonly ok: true; readonly intermediates: readonly Uint8Array[] }
  | { readonly ok: false; readonly problem: string };

/** A public root store has 150 certificates in 250 KB. */
const MAX_LENGTH = 1_048_576;
const PEM_RULES = { style: 'file', maxLength: MAX_LENGTH, maxBlocks: MAX_CERTIFICATES } as const;

/** A PEM file, or a SPIFFE bundle where the first character that is no white space is `{`. */
export function readBundle(text: string): BundleReading {
  const trimmed = text.trimStart();
  const anchors = reading(() => {
    return looksLikeSpiffeBundle(trimmed) ? readSpiffeAnchors(trimmed) : checkAnchors(readPem(trimmed, PEM_RULES));
  });
  return anchors.ok ? { ok: true, anchors: anchors.value } : anchors;
}

/** The same with the JWT authorities of a SPIFFE bundle, and when it asks to be read again. */
export async function readBundleContents(text: string): Promise<Parsed<BundleContents>> {
  if (!looksLikeSpiffeBundle(text)) {
    const read = readBundle(text);
    return read.ok ? { ok: true, value: { anchors: read.anchors, keys: undefined } } : read;
  }
  const read = await readSpiffeBundle(text.trimStart());
  if (!read.ok) return read;
  const { anchors, keys, sequence, refreshHint } = read.value;
  const value = { anchors, keys, sequence };
  return refreshHint === undefined ? { ok: true, value } : { ok: true, value, refreshAfter: refreshHint };
}

/** A PEM file. A root among them does no harm: it is looked at, but it is no anchor. */
export function readIntermediates(text: string): IntermediatesReading {
  const isRoot = ({ subject, issuer }: X509): boolean => sameBytes(subject, issuer);
  const intermediates = reading(() => {
    const ders = readPem(text.trimStart(), PEM_RULES);
    ders.forEach((der, index) => checkAuthority(der, index, (read) => (isRoot(read) ? 'anchor' : 'intermediate')));
    return ders;
  });
  return intermediates.ok ? { ok: true, intermediates: intermediates.value } : intermediates;
}
