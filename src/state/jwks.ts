/**
 * In: the text of a JWK Set (RFC 7517 §5). Out: its verification keys by kid, or what is wrong with it in one sentence.
 * Refuses the whole set for a private or symmetric key, a weak RSA key, a kid that two keys share, a key that does not
 * import; leaves out, and says so, keys that are for something else or that we have no algorithm for (RFC 7517 §5 asks
 * for that, so that an issuer can publish new kinds). Does NOT check who wrote the set, nor x5c certificates in it.
 */
import { createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import type { VerificationKey } from '../model/ports.js';
import { ALGORITHMS } from '../model/settings.js';
import type { Algorithm } from '../model/settings.js';
import { familyOf, verifySignature } from './signatures.js';
import type { KeyFamily } from './signatures.js';

export type Keys = ReadonlyMap<string, VerificationKey>;

export type JwksReading =
  | {
      readonly ok: true;
      readonly keys: Map<string, VerificationKey>;
      /** One sentence for each key that was left out. */
      readonly ignored: readonly string[];
    }
  | { readonly ok: false; readonly problem: string };

/** Bounds of what one issuer can make us hold; real sets have a handful of keys. */
const MAX_BYTES = 1024 * 1024;
const MAX_KEYS = 1000;
/** RFC 7518 §3.3 and RFC 8725 §3.2. */
const MIN_RSA_BITS = 2048;
/** RFC 7518 §6.2.2, §6.3.2. Whoever can read the set could sign with it. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;

type JwkMembers = ReadonlyMap<string, unknown>;

/** One key's fate: taken, left out, or reason enough to refuse the set. */
type KeyReading =
  | { readonly kind: 'key'; readonly key: VerificationKey }
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'bad'; readonly why: string };

const ignored = (why: string): KeyReading => ({ kind: 'ignored', why });
const bad = (why: string): KeyReading => ({ kind: 'bad', why });
const fail = (problem: string): JwksReading => ({ ok: false, problem });

/** A promise, like everything that reads keys, though this one waits for nobody. */
export const readJwks = (text: string): Promise<JwksReading> => Promise.resolve(jwksIn(text));

function jwksIn(text: string): JwksReading {
  if (Buffer.byteLength(text) > MAX_BYTES) return fail(`a JWK Set has at most ${MAX_BYTES} bytes`);
  const listed = listedKeys(text);
  if (typeof listed === 'string') return fail(listed);
  const read = readKeys(listed);
  // An empty list is the issuer's word that nothing is trusted any more; a list without a usable key is a mistake.
  if (read.ok && listed.length > 0 && read.keys.size === 0)
    return fail(`no key is usable: ${read.ignored.slice(0, 3).join('; ')}`);
  return read;
}

/** The keys of a set that somebody has taken apart already. */
export function readKeys(listed: readonly JwkMembers[]): JwksReading {
  if (listed.length > MAX_KEYS) return fail(`a JWK Set has at most ${MAX_KEYS} keys, this one has ${listed.length}`);
  const keys = new Map<string, VerificationKey>();
  const leftOut: string[] = [];
  for (const [index, jwk] of listed.entries()) {
    const reading = readKey(jwk);
    if (reading.kind === 'bad') return fail(`keys[${index}]: ${reading.why}`);
    if (reading.kind === 'ignored') leftOut.push(`keys[${index}] is left out: ${reading.why}`);
    else if (keys.has(reading.key.kid)) return fail(`keys[${index}]: its "kid" was used by a key before it`);
    else keys.set(reading.key.kid, reading.key);
  }
  return { ok: true, keys, ignored: leftOut };
}

function listedKeys(text: string): readonly JwkMembers[] | string {
  const set = parseJson(text);
  if (set === undefined) return 'expected JSON, got something else';
  const list = membersOf(set)?.get('keys');
  if (!Array.isArray(list)) return 'expected an object with a list "keys", as in {"keys": []}';
  const keys: JwkMembers[] = [];
  for (const [index, item] of (list as readonly unknown[]).entries()) {
    const members = membersOf(item);
    if (members === undefined) return `keys[${index}]: expected an object`;
    keys.push(members);
  }
  return keys;
}

function readKey(jwk: JwkMembers): KeyReading {
  const secret = jwk.get('kty') === 'oct' ? 'k' : PRIVATE_MEMBERS.find((name) => jwk.has(name));
  if (secret !== undefined) return bad(`it holds secret key material ("${secret}"); publish public keys only`);
  const kid = jwk.get('kid');
  if (typeof kid !== 'string' || kid === '') return ignored('it has no "kid"');
  const purpose = otherPurpose(jwk);
  if (purpose !== undefined) return ignored(purpose);
  const family = familyOfJwk(jwk);
  if (family === undefined) return ignored('its "kty" and "crv" are none of RSA, P-256, P-384, P-521, Ed25519');
  const fitting = fittingAlgorithms(jwk, family);
  if (fitting.size === 0) return ignored(`its "alg" is no signature algorithm of ${family} keys`);
  return importKey(jwk, kid, family, fitting);
}

/** Why the key is not one for signatures (RFC 7517 §4.2, §4.3), or undefined. */
function otherPurpose(jwk: JwkMembers): string | undefined {
  const use = jwk.get('use');
  if (use !== undefined && use !== 'sig') return 'its "use" is not "sig"';
  const operations = jwk.get('key_ops');
  if (operations === undefined) return undefined;
  return Array.isArray(operations) && operations.includes('verify') ? undefined : 'its "key_ops" lack "verify"';
}

function familyOfJwk(jwk: JwkMembers): KeyFamily | undefined {
  const curve = jwk.get('crv');
  switch (jwk.get('kty')) {
    case 'RSA':
      return 'RSA';
    case 'EC':
      return curve === 'P-256' || curve === 'P-384' || curve === 'P-521' ? curve : undefined;
    case 'OKP':
      return curve === 'Ed25519' ? curve : undefined;
    default:
      return undefined;
  }
}

/** RFC 8725 §3.1: a key that names its algorithm is for that one alone. RFC 9864 gave EdDSA on Ed25519 a second name. */
function fittingAlgorithms(jwk: JwkMembers, family: KeyFamily): ReadonlySet<Algorithm> {
  const named = jwk.get('alg');
  const same = (algorithm: Algorithm): boolean =>
    named === undefined || named === algorithm || (family === 'Ed25519' && (named === 'EdDSA' || named === 'Ed25519'));
  return new Set(ALGORITHMS.filter((algorithm) => familyOf(algorithm) === family && same(algorithm)));
}

function importKey(jwk: JwkMembers, kid: string, family: KeyFamily, fitting: ReadonlySet<Algorithm>): KeyReading {
  const key = publicKey(jwk);
  if (key === undefined) return bad(`it is no valid ${family} key`);
  const weakness = rsaWeakness(key);
  if (weakness !== undefined) return bad(weakness);
  return {
    kind: 'key',
    key: {
      kid,
      fits: (algorithm) => fitting.has(algorithm),
      verify: (algorithm, input, signature) => verifySignature(key, algorithm, input, signature),
    },
  };
}

/** Only the members that make the key; the rest was judged above. OpenSSL refuses a point that is not on its curve. */
function publicKey(jwk: JwkMembers): KeyObject | undefined {
  const members: JsonWebKey = {};
  for (const name of ['kty', 'crv', 'x', 'y', 'n', 'e'] as const) {
    const value = jwk.get(name);
    if (typeof value === 'string') members[name] = value;
  }
  try {
    return createPublicKey({ key: members, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** An exponent of 1 would make every padded message its own signature. */
function rsaWeakness(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return undefined;
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS)
    return `an RSA key needs at least ${MIN_RSA_BITS} bits, this one has ${modulusLength}`;
  if (publicExponent < 3n || publicExponent % 2n === 0n) return 'the exponent of an RSA key is odd and at least 3';
  return undefined;
}

function membersOf(value: unknown): JwkMembers | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
