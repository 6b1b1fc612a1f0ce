/**
 * What somebody has at hand → the DER of certificates. In: the bytes of a file. Out: certificates in their order, and
 * what is wrong with their wrapping. Takes PEM, percent-encoded PEM (`source.certificate`, Cert of an XFCC element) and
 * DER. A private key beside them is named as a fault; its bytes go nowhere. Does NOT look into the certificates.
 */
import { createPrivateKey } from 'node:crypto';
import { readPemText } from '../evidence/certificate.js';
import { reading } from '../x509/der.js';
import { readPem } from '../x509/pem.js';
import { fault } from './inspection.js';
import type { Fault } from './inspection.js';

export interface Wrapped {
  readonly certificates: readonly Uint8Array[];
  readonly faults: readonly Fault[];
}

/** Trust bundles of a large mesh; what is longer was not meant for a person. */
const FILE_RULES = { style: 'file', maxLength: 4 * 1024 * 1024, maxBlocks: 100 } as const;

export function readCertificates(bytes: Uint8Array): Wrapped {
  if (looksLikeDer(bytes)) return fromDer(bytes);
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (!/^-----BEGIN(%20|\+)/.test(text)) return fromPem(text);
  try {
    return fromPem(decodeURIComponent(text));
  } catch {
    return refused('the percent-encoding of the PEM is broken');
  }
}

/** PEM of one element of x-forwarded-client-cert, by the rules of the request path. */
export function readForwardedPem(pem: string): Wrapped {
  const read = readPemText(pem);
  return read.ok ? { certificates: read.certificates, faults: [] } : refused(read.problem);
}

const refused = (problem: string): Wrapped => ({ certificates: [], faults: [fault(problem, 'RFC 7468 §2')] });

/** A SEQUENCE whose length takes more than one octet: no text begins like this. */
const looksLikeDer = (bytes: Uint8Array): boolean => bytes[0] === 0x30 && ((bytes[1] ?? 0) & 0x80) !== 0;

const keyFault = (what: string): Fault =>
  fault(`the file holds ${what}, which is not shown; keep keys apart from what is passed around`);

function fromDer(bytes: Uint8Array): Wrapped {
  if (isPrivateKey(bytes)) return { certificates: [], faults: [keyFault('a private key')] };
  return { certificates: [bytes], faults: [] };
}

function isPrivateKey(bytes: Uint8Array): boolean {
  return (['pkcs8', 'sec1', 'pkcs1'] as const).some((type) => {
    try {
      createPrivateKey({ key: Buffer.from(bytes), format: 'der', type });
      return true;
    } catch {
      return false;
    }
  });
}

/** A key whose END line is missing takes the rest of the text with it. */
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g;

function fromPem(text: string): Wrapped {
  const keys = text.match(PRIVATE_KEY)?.length ?? 0;
  const faults = keys === 0 ? [] : [keyFault(keys === 1 ? 'a private key' : `${keys} private keys`)];
  const rest = text.replace(PRIVATE_KEY, '');
  if (keys > 0 && !rest.includes('-----BEGIN')) return { certificates: [], faults };
  const blocks = reading(() => readPem(rest, FILE_RULES));
  if (blocks.ok) return { certificates: blocks.value, faults };
  return { certificates: [], faults: [...faults, fault(blocks.problem, 'RFC 7468 §2')] };
}
