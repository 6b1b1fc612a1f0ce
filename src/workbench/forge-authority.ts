/**
 * A throw-away certificate authority for one trust domain. In: the domain, its longest lifetime, a clock. Out: its root as
 * PEM, and X.509-SVIDs that it really signs, one for each identity. The keys never leave this file.
 */
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import type * as Library from '@peculiar/x509';
import type { SpiffeId, TrustDomain } from '../model/ids.js';

export interface Svid {
  readonly id: SpiffeId;
  readonly pem: string;
  /** Of the DER. */
  readonly sha256: Buffer;
}

export interface Authority {
  readonly root: string;
  svid(id: SpiffeId): Promise<Svid>;
}

type Pair = webcrypto.CryptoKeyPair;
interface Times {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const DAY = 86_400_000;
/** Of a leaf where the operator sets no shorter one; what SPIRE and Istio issue is of that kind. */
const HOUR = 3_600_000;

export async function createAuthority(
  domain: TrustDomain,
  maxLifetime: number | null,
  now: () => number,
): Promise<Authority> {
  const x509 = await library();
  const pair = await newPair();
  const subject = `CN=throw-away CA of ${domain}`;
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: subject,
      keys: keysOf(pair),
      ...serial(),
      notBefore: new Date(now() - DAY),
      notAfter: new Date(now() + DAY),
      signingAlgorithm: SIGNATURE,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${domain}` }], false),
      ],
    },
    PROVIDER,
  );
  const issue = async (id: SpiffeId, times: Times): Promise<Svid> => {
    const own = await newPair();
    const leaf = await x509.X509CertificateGenerator.create(
      {
        subject: 'CN=throw-away',
        issuer: subject,
        ...serial(),
        ...times,
        publicKey: keysOf(own).publicKey,
        signingKey: keysOf(pair).privateKey,
        signingAlgorithm: SIGNATURE,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension([{ type: 'url', value: id }], false),
        ],
      },
      PROVIDER,
    );
    return { id, pem: pemOf(leaf.rawData), sha256: createHash('sha256').update(new Uint8Array(leaf.rawData)).digest() };
  };
  return { root: pemOf(root.rawData), svid: remembered(issue, Math.min(maxLifetime ?? HOUR, HOUR), now) };
}

/** One certificate for each identity while it is well within its lifetime, as a workload has. */
function remembered(
  issue: (id: SpiffeId, times: Times) => Promise<Svid>,
  lifetime: number,
  now: () => number,
): Authority['svid'] {
  const made = new Map<SpiffeId, { readonly from: number; readonly until: number; readonly svid: Promise<Svid> }>();
  return (id) => {
    const at = now();
    const before = made.get(id);
    if (before !== undefined && at >= before.from && at < before.until) return before.svid;
    // Certificates count in seconds, and a lifetime may be as short as one.
    const notBefore = wholeSeconds(at) - wholeSeconds(Math.min(lifetime / 4, 60_000));
    const notAfter = notBefore + lifetime;
    const svid = issue(id, { notBefore: new Date(notBefore), notAfter: new Date(notAfter) });
    made.set(id, { from: at, until: at + (notAfter - at) / 2, svid });
    return svid;
  };
}

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;

const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
/** Node's WebCrypto is what the library wants, under the names of another library's types. */
const PROVIDER = webcrypto as unknown as Parameters<typeof Library.X509CertificateGenerator.create>[1];
type LibraryPair = Parameters<typeof Library.X509CertificateGenerator.createSelfSigned>[0] extends { keys: infer Keys }
  ? Keys
  : never;
const keysOf = (pair: Pair): LibraryPair => pair as unknown as LibraryPair;

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
const serial = (): { serialNumber: string } => ({ serialNumber: `01${randomBytes(15).toString('hex')}` });

const newPair = (): Promise<Pair> =>
  webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']) as Promise<Pair>;

/** Only who forges pays for the library. It wants reflect-metadata to be there before it is loaded. */
async function library(): Promise<typeof Library> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

function pemOf(der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
