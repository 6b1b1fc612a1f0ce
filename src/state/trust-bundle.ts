/**
 * The trust anchors of one domain as the operator wrote them. In: the text of a PEM file or of a SPIFFE bundle (JSON,
 * Trust Domain & Bundle §4). Out: the DER of each anchor. Refuses a PEM file without a certificate (an emptied file is a
 * mistake), anything cut short, a private key, and a certificate that can be no authority. `keys: []` in a bundle is
 * valid: nothing is trusted any more. Does NOT compare dates with the clock, nor order two bundles by their sequence.
 */
import { authorityProblem } from '../x509/authority.js';
import type { AuthorityRole } from '../x509/authority.js';
import { Malformed, reading, sameBytes } from '../x509/der.js';
import { decodeBase64, readPem } from '../x509/pem.js';
import { readX509 } from '../x509/x509.js';
import type { X509 } from '../x509/x509.js';

export type BundleReading =
  { readonly ok: true; readonly anchors: readonly Uint8Array[] } | { readonly ok: false; readonly problem: string };

export type IntermediatesReading =
  | { readonly ok: true; readonly intermediates: readonly Uint8Array[] }
  | { readonly ok: false; readonly problem: string };

/** A public root store has 150 certificates in 250 KB; a mesh has a handful. */
const MAX_LENGTH = 1_048_576;
const MAX_CERTIFICATES = 500;
const PEM_RULES = { style: 'file', maxLength: MAX_LENGTH, maxBlocks: MAX_CERTIFICATES } as const;

/** A PEM file, or a SPIFFE bundle where the first character that is no white space is `{`. */
export function readBundle(text: string): BundleReading {
  const trimmed = text.trimStart();
  const anchors = reading(() => {
    const ders = trimmed.startsWith('{') ? readSpiffeBundle(trimmed) : readPem(trimmed, PEM_RULES);
    ders.forEach((der, index) => checkAuthority(der, index, () => 'anchor'));
    return ders;
  });
  return anchors.ok ? { ok: true, anchors: anchors.value } : anchors;
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

function checkAuthority(der: Uint8Array, index: number, roleOf: (certificate: X509) => AuthorityRole): void {
  const certificate = readX509(der);
  const problem = certificate.ok ? authorityProblem(certificate.value, roleOf(certificate.value)) : certificate.problem;
  if (problem === undefined) return;
  const name = certificate.ok ? ` (${certificate.value.subjectText})` : '';
  throw new Malformed(`certificate ${index + 1}${name}: ${problem}`);
}

function readSpiffeBundle(text: string): Uint8Array[] {
  if (text.length > MAX_LENGTH) throw new Malformed(`the bundle is longer than ${MAX_LENGTH} characters`);
  const bundle = parseObject(text);
  const keys = bundle.get('keys');
  if (!Array.isArray(keys)) throw new Malformed('"keys" of the bundle is not an array');
  if (keys.length > MAX_CERTIFICATES) throw new Malformed(`the bundle has more than ${MAX_CERTIFICATES} keys`);
  const sequence = bundle.get('spiffe_sequence');
  if (sequence !== undefined && (!Number.isSafeInteger(sequence) || (sequence as number) < 0))
    throw new Malformed('"spiffe_sequence" of the bundle is not an integer from 0 to 2^53 - 1');
  return keys.flatMap((entry: unknown, index) => readEntry(entry, index));
}

function parseObject(text: string): ReadonlyMap<string, unknown> {
  try {
    return members(JSON.parse(text)) ?? new Map<string, unknown>();
  } catch {
    throw new Malformed('the bundle is not JSON');
  }
}

/** §4.2.2, §6.1: entries of another use or key type are ignored, and so are those without a certificate. */
function readEntry(entry: unknown, index: number): Uint8Array[] {
  const jwk = members(entry);
  if (jwk === undefined) throw new Malformed(`key ${index + 1} of the bundle is not an object`);
  if (jwk.get('use') !== 'x509-svid' || !['RSA', 'EC', 'OKP'].includes(String(jwk.get('kty')))) return [];
  const chain = jwk.get('x5c');
  if (chain === undefined) return [];
  if (!Array.isArray(chain)) throw new Malformed(`"x5c" of key ${index + 1} of the bundle is not an array`);
  const first: unknown = chain[0];
  if (first === undefined) return [];
  const certificate = typeof first === 'string' ? reading(() => decodeBase64(first)) : undefined;
  if (certificate?.ok !== true) throw new Malformed(`"x5c" of key ${index + 1} of the bundle is not base64`);
  return [certificate.value];
}

const members = (value: unknown): ReadonlyMap<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : undefined;
