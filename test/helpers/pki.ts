/**
 * A certificate authority in memory that really signs. Every option that is left out gives a right X.509-SVID (or a
 * right CA); every option that is set bends one thing, so that a test can build the certificate that must be refused.
 */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createHash, createPrivateKey, sign as signBytes, webcrypto } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export type TestAlgorithm = 'P-256' | 'P-384' | 'P-521' | 'RSA' | 'RSA-1024' | 'RSA-PSS' | 'Ed25519';
export type TestHash = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';

export interface TestKey {
  readonly algorithm: TestAlgorithm;
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: webcrypto.CryptoKey;
  /** PKCS#8 PEM. */
  readonly pem: string;
  readonly keyObject: KeyObject;
}

interface Dates {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

interface Bends extends Dates {
  readonly algorithm?: TestAlgorithm;
  /** The subject's key; made anew when left out. */
  readonly key?: TestKey;
  /** Hash of the signature (not for Ed25519). For RSA it is the hash of the issuer's key, so it is an option of makeKey. */
  readonly hash?: TestHash;
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly sanCritical?: boolean;
  /** Distinguished name, for example `CN=x, O=y`; '' for an empty one. */
  readonly subject?: string;
  /** Hex. */
  readonly serial?: string;
  /** basicConstraints cA; null leaves the extension out. */
  readonly isCa?: boolean | null;
  readonly pathLength?: number;
  /** Flags; null leaves the extension out. */
  readonly keyUsage?: number | null;
  readonly keyUsageCritical?: boolean;
  /** OIDs; null leaves the extension out. */
  readonly eku?: readonly string[] | null;
  /** Adds a critical extension that nobody knows. */
  readonly criticalUnknownExtension?: boolean;
  /** Appended as they are. */
  readonly extensions?: readonly x509.Extension[];
}

export interface CaOptions extends Bends {
  readonly name?: string;
  readonly trustDomain?: string;
  readonly parent?: TestCa;
}

export interface SvidOptions extends Bends {
  readonly id?: string;
  /** Adds the subjectAltName extension a second time. */
  readonly duplicateSan?: boolean;
}

export interface TestSvid {
  readonly id: string;
  readonly pem: string;
  readonly der: Uint8Array;
  readonly key: TestKey;
  readonly keyPem: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  /** Leaf and intermediates, without the root. */
  readonly chainPem: string;
  /** As Envoy writes source.certificate. */
  readonly urlEncodedPem: string;
}

export interface TestCa {
  readonly name: string;
  readonly trustDomain: string;
  readonly certificate: string;
  readonly der: Uint8Array;
  readonly key: TestKey;
  readonly keyPem: string;
  readonly parent: TestCa | undefined;
  readonly subject: string;
  /** This CA and those above it without the root, as PEM: what a client sends after its leaf. Empty for a root. */
  readonly intermediatesPem: string;
  /** The same as DER. */
  readonly intermediates: readonly Uint8Array[];
  issue(options?: SvidOptions): Promise<TestSvid>;
}

export const KEY_USAGE = x509.KeyUsageFlags;
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const UNKNOWN_OID = '1.3.6.1.4.1.55555.1.1';
const HOUR = 3_600_000;

/** Node's WebCrypto is what @peculiar/x509 wants, under the names of another library's types. */
const provider = webcrypto as unknown as Parameters<typeof x509.X509CertificateGenerator.create>[1];
type LibraryKey = Extract<Parameters<typeof x509.PublicKey.create>[0], { algorithm: unknown; type: unknown }>;
const libraryKey = (key: webcrypto.CryptoKey): LibraryKey => key as unknown as LibraryKey;

export async function makeKey(algorithm: TestAlgorithm = 'P-256', hash: TestHash = 'SHA-256'): Promise<TestKey> {
  const pair = (await webcrypto.subtle.generateKey(parameters(algorithm, hash), true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey));
  const keyObject = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { algorithm, ...pair, pem: toPem('PRIVATE KEY', der), keyObject };
}

function parameters(
  algorithm: TestAlgorithm,
  hash: TestHash,
): webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams {
  const rsa = (name: string, modulusLength: number): webcrypto.RsaHashedKeyGenParams => ({
    name,
    hash,
    modulusLength,
    publicExponent: new Uint8Array([1, 0, 1]),
  });
  switch (algorithm) {
    case 'P-256':
    case 'P-384':
    case 'P-521':
      return { name: 'ECDSA', namedCurve: algorithm };
    case 'RSA':
      return rsa('RSASSA-PKCS1-v1_5', 2048);
    case 'RSA-1024':
      return rsa('RSASSA-PKCS1-v1_5', 1024);
    case 'RSA-PSS':
      return rsa('RSA-PSS', 2048);
    case 'Ed25519':
      return { name: 'Ed25519' } as webcrypto.EcKeyGenParams;
  }
}

/** A root, or with `parent` an intermediate. Defaults: P-256, an hour around now, cA true, keyCertSign and cRLSign. */
export async function makeCa(options: CaOptions = {}): Promise<TestCa> {
  const name = options.name ?? 'Test Root CA';
  const trustDomain = options.trustDomain ?? options.parent?.trustDomain ?? 'prod.example';
  const key = options.key ?? (await makeKey(options.algorithm));
  const parent = options.parent;
  const subject = options.subject ?? `CN=${name}, O=Test`;
  const der = await create({
    subject,
    issuer: parent?.subject ?? subject,
    key,
    issuerKey: parent?.key ?? key,
    bends: {
      isCa: true,
      keyUsage: KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign,
      eku: null,
      uris: [`spiffe://${trustDomain}`],
      ...options,
    },
    duplicateSan: false,
  });
  const intermediates = parent === undefined ? [] : [der, ...parent.intermediates];
  const ca: TestCa = {
    name,
    trustDomain,
    certificate: toPem('CERTIFICATE', der),
    der,
    key,
    keyPem: key.pem,
    parent,
    subject,
    intermediatesPem: intermediates.map((each) => toPem('CERTIFICATE', each)).join(''),
    intermediates,
    issue: (svid = {}) => issue(ca, svid),
  };
  return ca;
}

async function issue(ca: TestCa, options: SvidOptions): Promise<TestSvid> {
  const id = options.id ?? `spiffe://${ca.trustDomain}/ns/shop/sa/frontend`;
  const key = options.key ?? (await makeKey(options.algorithm));
  const der = await create({
    subject: options.subject ?? 'O=SPIRE, C=US',
    issuer: ca.subject,
    key,
    issuerKey: ca.key,
    bends: {
      isCa: false,
      keyUsage: KEY_USAGE.digitalSignature,
      eku: [SERVER_AUTH, CLIENT_AUTH],
      uris: [id],
      ...options,
    },
    duplicateSan: options.duplicateSan ?? false,
  });
  return asSvid(id, der, key, ca.intermediatesPem);
}

/** Any DER dressed as an SVID, for certificates that were bent after they had been signed. */
export function asSvid(id: string, der: Uint8Array, key: TestKey, intermediatesPem = ''): TestSvid {
  const pem = toPem('CERTIFICATE', der);
  return {
    id,
    pem,
    der,
    key,
    keyPem: key.pem,
    sha256: createHash('sha256').update(der).digest('hex'),
    chainPem: pem + intermediatesPem,
    urlEncodedPem: urlEncodePem(pem),
  };
}

interface Draft {
  readonly subject: string;
  readonly issuer: string;
  readonly key: TestKey;
  readonly issuerKey: TestKey;
  readonly bends: Bends;
  readonly duplicateSan: boolean;
}

async function create(draft: Draft): Promise<Uint8Array> {
  const { bends } = draft;
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: draft.subject,
      issuer: draft.issuer,
      notBefore: bends.notBefore ?? new Date(now - HOUR),
      notAfter: bends.notAfter ?? new Date(now + HOUR),
      publicKey: libraryKey(draft.key.publicKey),
      signingKey: libraryKey(draft.issuerKey.privateKey),
      signingAlgorithm: signingAlgorithm(draft),
      ...(bends.serial === undefined ? {} : { serialNumber: bends.serial }),
      extensions: await extensionsOf(draft),
    },
    provider,
  );
  return new Uint8Array(certificate.rawData);
}

function signingAlgorithm({ issuerKey, bends }: Draft): { name: string; hash: TestHash; saltLength?: number } {
  const hash = bends.hash ?? 'SHA-256';
  return issuerKey.algorithm === 'RSA-PSS' ? { name: 'RSA-PSS', hash, saltLength: 32 } : { name: 'ECDSA', hash };
}

async function extensionsOf({ bends, subject, key, issuerKey, duplicateSan }: Draft): Promise<x509.Extension[]> {
  const list: x509.Extension[] = [];
  if (bends.isCa !== null) list.push(new x509.BasicConstraintsExtension(bends.isCa ?? false, bends.pathLength, true));
  if (bends.keyUsage !== null)
    list.push(new x509.KeyUsagesExtension(bends.keyUsage ?? 0, bends.keyUsageCritical ?? true));
  if (bends.eku !== null) list.push(new x509.ExtendedKeyUsageExtension([...(bends.eku ?? [])]));
  const names = [
    ...(bends.uris ?? []).map((value) => ({ type: 'url' as const, value })),
    ...(bends.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
  ];
  const san = new x509.SubjectAlternativeNameExtension(names, bends.sanCritical ?? subject === '');
  if (names.length > 0) list.push(san);
  if (duplicateSan) list.push(san);
  list.push(await x509.SubjectKeyIdentifierExtension.create(libraryKey(key.publicKey), false, provider));
  list.push(await x509.AuthorityKeyIdentifierExtension.create(libraryKey(issuerKey.publicKey), false, provider));
  if (bends.criticalUnknownExtension === true) list.push(rawExtension(UNKNOWN_OID, true, Buffer.from('0500', 'hex')));
  return [...list, ...(bends.extensions ?? [])];
}

export const rawExtension = (oid: string, critical: boolean, value: Uint8Array): x509.Extension =>
  new x509.Extension(oid, critical, new Uint8Array(value));

/** PEM with lines of 64 characters and a final newline. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Percent-encoding as Envoy does it for source.certificate and for Cert and Chain of the text XFCC. */
export const urlEncodePem = (pem: string): string => encodeURIComponent(pem);

/** One DER element: tag, definite length, content. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

/** Splits a certificate into its three parts, each as whole DER: to-be-signed, algorithm, signature. */
export function partsOf(der: Uint8Array): [tbs: Uint8Array, algorithm: Uint8Array, signature: Uint8Array] {
  const parts = childrenOf(der);
  return [parts[0] ?? Buffer.alloc(0), parts[1] ?? Buffer.alloc(0), parts[2] ?? Buffer.alloc(0)];
}

/** The elements inside a constructed element, each as whole DER. */
export function childrenOf(der: Uint8Array): Uint8Array[] {
  const children: Uint8Array[] = [];
  for (let at = headerLength(der); at < der.length;) {
    const rest = der.subarray(at);
    const size = headerLength(rest) + contentLength(rest);
    children.push(rest.subarray(0, size));
    at += size;
  }
  return children;
}

const headerLength = (der: Uint8Array): number => 2 + ((der[1] ?? 0) < 0x80 ? 0 : (der[1] ?? 0) & 0x7f);
const contentLength = (der: Uint8Array): number =>
  (der[1] ?? 0) < 0x80 ? (der[1] ?? 0) : Buffer.from(der).readUIntBE(2, (der[1] ?? 0) & 0x7f);

/** Signs a bent to-be-signed part anew; `hash` undefined for Ed25519, `md5` for what nobody should accept. */
export function signAnew(
  tbs: Uint8Array,
  algorithm: Uint8Array,
  key: TestKey,
  hash: 'md5' | 'sha1' | 'sha256' | undefined = 'sha256',
): Uint8Array {
  const signature = signBytes(hash ?? null, tbs, key.keyObject);
  return tlv(0x30, tbs, algorithm, tlv(0x03, Buffer.from([0]), signature));
}
