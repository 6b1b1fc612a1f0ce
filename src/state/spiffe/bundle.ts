/**
 * A SPIFFE bundle in JSON (Trust Domain & Bundle §4): what one trust domain signs with. In: its text. Out: the DER of its
 * X.509 authorities, its JWT authorities by kid, its sequence number and how often it wants to be asked. Entries of
 * another `use` or `kty`, and without one, are left out (§4.2.2). `keys: []`, or no usable entry, is valid: nothing of the
 * domain is trusted any more. Refuses a bundle that is cut short, a certificate that can be no authority, a private key,
 * a weak key, a kid that two keys share. Does NOT know whose bundle it is (that stands beside it, §4), nor order two
 * bundles by their sequence (sequence.ts).
 */
import type { VerificationKey } from '../../model/ports.js';
import { Malformed, reading } from '../../x509/der.js';
import type { Reading } from '../../x509/der.js';
import { decodeBase64 } from '../../x509/pem.js';
import { checkAnchors, MAX_CERTIFICATES } from '../anchors.js';
import { readKeys } from '../jwks.js';

export interface SpiffeBundle {
  readonly anchors: readonly Uint8Array[];
  readonly keys: ReadonlyMap<string, VerificationKey>;
  /** §4.1.1; undefined where the bundle has none. */
  readonly sequence: number | undefined;
  /** §4.1.2, in ms; undefined where the bundle has none. */
  readonly refreshHint: number | undefined;
}

/** Characters: 500 certificates of 2 KB. */
const MAX_LENGTH = 1_048_576;

type Members = ReadonlyMap<string, unknown>;

/** Where a text begins like this it is JSON and not PEM. */
export const looksLikeSpiffeBundle = (text: string): boolean => text.trimStart().startsWith('{');

export async function readSpiffeBundle(text: string): Promise<Reading<SpiffeBundle>> {
  const outer = reading(() => {
    const bundle = readOuter(text);
    return { anchors: anchorsOf(bundle), keys: entriesOf(bundle), ...numbersOf(bundle) };
  });
  if (!outer.ok) return outer;
  const keys = await readAuthorities(outer.value.keys.filter(isFor('jwt-svid')));
  return keys.ok ? { ok: true, value: { ...outer.value, keys: keys.value } } : keys;
}

/** The X.509 half alone, at once. Throws `Malformed`. */
export const readSpiffeAnchors = (text: string): readonly Uint8Array[] => {
  const bundle = readOuter(text);
  numbersOf(bundle);
  return anchorsOf(bundle);
};

/**
 * The JWT authorities of one domain as the Workload API gives them (§6.2.3): there an entry may leave out its `use`, since
 * no other kind of key is in the set, and an empty set may be written as null.
 */
export async function readJwtBundle(text: string): Promise<Reading<SpiffeBundle['keys']>> {
  const entries = reading(() => {
    const bundle = readOuter(text);
    return bundle.get('keys') === null ? [] : entriesOf(bundle);
  });
  if (!entries.ok) return entries;
  return readAuthorities(entries.value.filter((entry) => !entry.has('use') || isFor('jwt-svid')(entry)));
}

function readOuter(text: string): Members {
  if (text.length > MAX_LENGTH) throw new Malformed(`the bundle is longer than ${MAX_LENGTH} characters`);
  try {
    return membersOf(JSON.parse(text)) ?? new Map<string, unknown>();
  } catch {
    throw new Malformed('the bundle is not JSON');
  }
}

function entriesOf(bundle: Members): Members[] {
  const keys = bundle.get('keys');
  if (!Array.isArray(keys)) throw new Malformed('"keys" of the bundle is not an array');
  if (keys.length > MAX_CERTIFICATES) throw new Malformed(`the bundle has more than ${MAX_CERTIFICATES} keys`);
  return keys.map((entry: unknown, index) => {
    const jwk = membersOf(entry);
    if (jwk === undefined) throw new Malformed(`key ${index + 1} of the bundle is not an object`);
    return jwk;
  });
}

function numbersOf(bundle: Members): Pick<SpiffeBundle, 'sequence' | 'refreshHint'> {
  const hint = numberOf(bundle, 'spiffe_refresh_hint');
  return { sequence: numberOf(bundle, 'spiffe_sequence'), refreshHint: hint === undefined ? undefined : hint * 1000 };
}

/** Beyond 2^53 two different numbers look alike, so that their order would be a guess. */
function numberOf(bundle: Members, name: string): number | undefined {
  const value = bundle.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new Malformed(`"${name}" of the bundle is not an integer from 0 to 2^53 - 1`);
  return value;
}

const anchorsOf = (bundle: Members): readonly Uint8Array[] =>
  checkAnchors(entriesOf(bundle).flatMap((entry, index) => anchorOf(entry, index)));

/** X509-SVID §6.1, §6.2: the first certificate of `x5c` is the authority; an entry without one is left out. */
function anchorOf(jwk: Members, index: number): Uint8Array[] {
  if (!isFor('x509-svid')(jwk) || !['RSA', 'EC', 'OKP'].includes(String(jwk.get('kty')))) return [];
  const chain = jwk.get('x5c');
  if (chain === undefined) return [];
  if (!Array.isArray(chain)) throw new Malformed(`"x5c" of key ${index + 1} of the bundle is not an array`);
  const first: unknown = chain[0];
  if (first === undefined) return [];
  const certificate = typeof first === 'string' ? reading(() => decodeBase64(first)) : undefined;
  if (certificate?.ok !== true) throw new Malformed(`"x5c" of key ${index + 1} of the bundle is not base64`);
  return [certificate.value];
}

const isFor =
  (use: 'x509-svid' | 'jwt-svid') =>
  (jwk: Members): boolean =>
    jwk.get('use') === use;

/** JWT-SVID §2.1 has RSA and the NIST curves, and no EdDSA. The `use` was judged already; JWKS readers know another one. */
async function readAuthorities(entries: readonly Members[]): Promise<Reading<SpiffeBundle['keys']>> {
  const known = entries.filter((jwk) => jwk.get('kty') !== 'OKP');
  const read = readKeys(known.map((jwk) => new Map([...jwk].filter(([name]) => name !== 'use'))));
  return read.ok ? { ok: true, value: read.keys } : { ok: false, problem: `JWT authorities: ${read.problem}` };
}

const membersOf = (value: unknown): Members | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : undefined;
