/**
 * In: a public key, an algorithm's name, bytes. Out: whether the signature is right (RFC 7518 §3, RFC 8037 §3.1). Refuses signatures of another length than the algorithm has. Does NOT check whether the key may
 * be used for the algorithm: `familyOf` says which keys can, state/jwks.ts asks it.
 */
import { constants, verify } from 'node:crypto';
import type { KeyObject, SigningOptions, VerifyKeyObjectInput } from 'node:crypto';
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
  readonly runs: Runs;
}

/**
 * `here` where verifying takes less than 0.1 ms: handing over to another thread and back costs as much again as ES256
 * itself. P-384 takes 0.5 ms and P-521 takes 1 ms, and every other caller would wait for that: the `pool` takes them.
 */
type Runs = 'here' | 'pool';

/** Octets. RSA with 4096 bits takes 0.06 ms, and four times as much each time that its length doubles. */
const LONGEST_HERE = 512;

/** JWS concatenates r and s; Node's default is DER. */
const ECDSA: SigningOptions = { dsaEncoding: 'ieee-p1363' };
const PKCS1: SigningOptions = { padding: constants.RSA_PKCS1_PADDING };
/** RFC 7518 §3.5: the salt is as long as the hash. Node's default would take any length. */
const PSS: SigningOptions = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};

const SCHEMES: Readonly<Record<Algorithm, Scheme>> = {
  ES256: { family: 'P-256', hash: 'sha256', length: 64, options: ECDSA, runs: 'here' },
  ES384: { family: 'P-384', hash: 'sha384', length: 96, options: ECDSA, runs: 'pool' },
  ES512: { family: 'P-521', hash: 'sha512', length: 132, options: ECDSA, runs: 'pool' },
  PS256: { family: 'RSA', hash: 'sha256', length: undefined, options: PSS, runs: 'here' },
  PS384: { family: 'RSA', hash: 'sha384', length: undefined, options: PSS, runs: 'here' },
  PS512: { family: 'RSA', hash: 'sha512', length: undefined, options: PSS, runs: 'here' },
  RS256: { family: 'RSA', hash: 'sha256', length: undefined, options: PKCS1, runs: 'here' },
  RS384: { family: 'RSA', hash: 'sha384', length: undefined, options: PKCS1, runs: 'here' },
  RS512: { family: 'RSA', hash: 'sha512', length: undefined, options: PKCS1, runs: 'here' },
  EdDSA: { family: 'Ed25519', hash: null, length: 64, options: {}, runs: 'here' },
  Ed25519: { family: 'Ed25519', hash: null, length: 64, options: {}, runs: 'here' },
};

export const familyOf = (algorithm: Algorithm): KeyFamily => SCHEMES[algorithm].family;

export function verifySignature(
  key: KeyObject,
  algorithm: Algorithm,
  input: Uint8Array,
  signature: Uint8Array,
): boolean | Promise<boolean> {
  const { hash, length, options, runs } = SCHEMES[algorithm];
  if (length !== undefined && signature.length !== length) return false;
  const signed = { key, ...options };
  const here = runs === 'here' && signature.length <= LONGEST_HERE;
  return here ? verify(hash, input, signed, signature) : onPool(hash, input, signed, signature);
}

const onPool = (hash: Scheme['hash'], input: Uint8Array, key: VerifyKeyObjectInput, signature: Uint8Array) =>
  new Promise<boolean>((resolve, reject) => {
    verify(hash, input, key, signature, (error, right) => {
      if (error === null) resolve(right);
      else reject(error);
    });
  });
