/**
 * The floor under public keys. In: a SubjectPublicKeyInfo. Out: what kind of key it is. Refuses RSA below 2048 bits (and
 * above 8192, which only burn time), RSA exponents that are even or below 3, curves other than P-256, P-384 and P-521,
 * and every other algorithm but Ed25519. `readKeyKind` does NOT check that a point lies on its
 * curve: `publicKeyOf` does, and only keys that verify something need it.
 */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { elementsOf, expect, hex, Malformed, octetsOfBits, only, TAG, unsignedOf } from './der.js';
import type { Element } from './der.js';

export type KeyKind = 'rsa' | 'ec' | 'ed25519';

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
/** Exponents in use are 3, 17 and 65537; a long one makes each verification slow. */
const MAX_EXPONENT_OCTETS = 4;

/** AlgorithmIdentifier (hex of the DER) → kind, and for curves the octets of an uncompressed point. */
const KEY_ALGORITHMS = new Map<string, { readonly kind: KeyKind; readonly octets?: number }>([
  ['300d06092a864886f70d0101010500', { kind: 'rsa' }],
  ['301306072a8648ce3d020106082a8648ce3d030107', { kind: 'ec', octets: 65 }],
  ['301006072a8648ce3d020106052b81040022', { kind: 'ec', octets: 97 }],
  ['301006072a8648ce3d020106052b81040023', { kind: 'ec', octets: 133 }],
  ['300506032b6570', { kind: 'ed25519', octets: 32 }],
]);

export function readKeyKind(spki: Element): KeyKind {
  const [algorithm, bits, ...rest] = elementsOf(spki.content);
  const known = KEY_ALGORITHMS.get(hex(expect(algorithm, TAG.sequence, 'the algorithm of the key').whole));
  if (known === undefined || rest.length > 0)
    throw new Malformed('the key is none of RSA, P-256, P-384, P-521 and Ed25519');
  const key = octetsOfBits(bits, 'the public key');
  if (known.kind === 'rsa') checkRsa(key);
  else if (key.length !== known.octets)
    throw new Malformed(`the public key has ${key.length} octets, expected ${known.octets}`);
  else if (known.kind === 'ec' && key[0] !== 0x04) throw new Malformed('the public key is not an uncompressed point');
  return known.kind;
}

/** Making a key object costs as much as verifying with it, so it waits until it is needed and is made once. */
export function publicKeyOf(spki: Uint8Array): () => KeyObject | undefined {
  let made: { readonly key: KeyObject | undefined } | undefined;
  return () => (made ??= { key: importKey(spki) }).key;
}

/** OpenSSL throws for a point that is not on its curve: that is no key. */
function importKey(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

function checkRsa(key: Uint8Array): void {
  const [n, e, ...rest] = elementsOf(only(key, TAG.sequence, 'the RSA key').content);
  const modulus = unsignedOf(n, 'the RSA modulus');
  const exponent = unsignedOf(e, 'the RSA exponent');
  if (rest.length > 0) throw new Malformed('the RSA key has more than two parts');
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    throw new Malformed(`the RSA key has ${bits} bits, expected ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`);
  const odd = ((exponent.at(-1) ?? 0) & 1) === 1;
  if (!odd || exponent.length > MAX_EXPONENT_OCTETS || (exponent.length === 1 && (exponent[0] ?? 0) < 3))
    throw new Malformed('the RSA exponent is not an odd number from 3 to 2^32');
}
