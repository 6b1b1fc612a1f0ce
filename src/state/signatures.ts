/**
 * In: a public key, an algorithm's name, bytes. Out: whether the signature is right (RFC 7518 §3, RFC 8037 §3.1), found
 * on the thread pool. Refuses signatures of another length than the algorithm has. Does NOT check whether the key may
 * be used for the algorithm: `familyOf` says which keys can, state/jwks.ts asks it.
 */
import { constants, verify } from 'node:crypto';
import type { KeyObject, SigningOptions } from 'node:crypto';
import type { Algorithm } from '../model/settings.js';

/** What kind of key an algorithm needs: RSA, or one curve. */
export type KeyFamily = 'RSA' | 'P-256' | 'P-384' | 'P-521' | 'Ed25519';

interface Scheme {
  readonly family: KeyFamily;
  /** null: the scheme hashes by itself. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  /** Octets of every signature; undefined where the key's modulus decides, which OpenSSL checks (RFC 8017 §8). */
  readonly length: number | undefined;
  readonly options: SigningOptions;
}

/** JWS concatenates r and s; Node's default is DER. */
const ECDSA: SigningOptions = { dsaEncoding: 'ieee-p1363' };
const PKCS1: SigningOptions = { padding: constants.RSA_PKCS1_PADDING };
/** RFC 7518 §3.5: the salt is as long as the hash. Node's default would take any length. */
const PSS: SigningOptions = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};

const SCHEMES: Readonly<Record<Algorithm, Scheme>> = {
  ES256: { family: 'P-256', hash: 'sha256', length: 64, options: ECDSA },
  ES384: { family: 'P-384', hash: 'sha384', length: 96, options: ECDSA },
  ES512: { family: 'P-521', hash: 'sha512', length: 132, options: ECDSA },
  PS256: { family: 'RSA', hash: 'sha256', length: undefined, options: PSS },
  PS384: { family: 'RSA', hash: 'sha384', length: undefined, options: PSS },
  PS512: { family: 'RSA', hash: 'sha512', length: undefined, options: PSS },
  RS256: { family: 'RSA', hash: 'sha256', length: undefined, options: PKCS1 },
  RS384: { family: 'RSA', hash: 'sha384', length: undefined, options: PKCS1 },
  RS512: { family: 'RSA', hash: 'sha512', length: undefined, options: PKCS1 },
  EdDSA: { family: 'Ed25519', hash: null, length: 64, options: {} },
  Ed25519: { family: 'Ed25519', hash: null, length: 64, options: {} },
};

export const familyOf = (algorithm: Algorithm): KeyFamily => SCHEMES[algorithm].family;

export function verifySignature(
  key: KeyObject,
  algorithm: Algorithm,
  input: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const { hash, length, options } = SCHEMES[algorithm];
  if (length !== undefined && signature.length !== length) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    verify(hash, input, { key, ...options }, signature, (error, right) => {
      if (error === null) resolve(right);
      else reject(error);
    });
  });
}
