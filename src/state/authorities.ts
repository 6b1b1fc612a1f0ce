/**
 * Certificates of the bundles, read once. In: a DER. Out: what `readX509` makes of it, with the key object that was made
 * for its first use. Remembered by the identity of the byte array, which belongs to one snapshot of a bundle: it is
 * forgotten with the snapshot, and presented certificates, which come as new arrays, are forgotten with their request.
 * Relies on nobody changing the bytes of a bundle in place.
 */
import type { Reading } from '../x509/der.js';
import { readX509 } from '../x509/x509.js';
import type { X509 } from '../x509/x509.js';

export function rememberAuthorities(): (der: Uint8Array) => Reading<X509> {
  const known = new WeakMap<Uint8Array, Reading<X509>>();
  return (der) => {
    const found = known.get(der);
    if (found !== undefined) return found;
    const read = readX509(der);
    known.set(der, read);
    return read;
  };
}
