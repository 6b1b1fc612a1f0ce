/**
 * Certificates in PEM (RFC 7468). In: text. Out: the DER of each CERTIFICATE block, in order. Refuses other blocks,
 * broken boundaries, base64 that is not canonical, and a text without any block. Does NOT look into the DER.
 */
import { Malformed } from './der.js';

export interface PemRules {
  /** `machine`: nothing but white space between blocks. `file`: explanatory text between blocks, indented lines. */
  readonly style: 'machine' | 'file';
  readonly maxLength: number;
  readonly maxBlocks: number;
}

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';
const BASE64_LINE = /^[A-Za-z0-9+/]+={0,2}$/;

export function readPem(text: string, rules: PemRules): Uint8Array[] {
  if (text.length > rules.maxLength) throw new Malformed(`the PEM text is longer than ${rules.maxLength} characters`);
  const blocks: Uint8Array[] = [];
  let body: string | undefined;
  for (const raw of text.trimEnd().split('\n')) {
    const line = rules.style === 'file' ? raw.trim() : raw.replace(/\r$/, '');
    if (body === undefined) {
      if (line === BEGIN) body = '';
      else checkBetween(line, rules);
    } else if (line === END) {
      blocks.push(decodeBase64(body));
      body = undefined;
    } else body += checkBase64(line);
  }
  if (body !== undefined) throw new Malformed('a PEM block has no END line');
  if (blocks.length === 0) throw new Malformed('there is no PEM block of a certificate');
  if (blocks.length > rules.maxBlocks) throw new Malformed(`there are more than ${rules.maxBlocks} certificates`);
  return blocks;
}

function checkBetween(line: string, { style }: PemRules): void {
  if (line.includes('PRIVATE KEY-----')) throw new Malformed('the PEM text holds a private key');
  if (style === 'machine' ? line.trim() !== '' : line.startsWith('-') || /-----(BEGIN|END) /.test(line))
    throw new Malformed(
      `a line between PEM blocks is neither ${BEGIN} nor ${style === 'file' ? 'a comment' : 'blank'}`,
    );
}

function checkBase64(line: string): string {
  if (!BASE64_LINE.test(line)) throw new Malformed('a PEM block holds a line that is not base64');
  return line;
}

/** Buffer skips what it does not understand, so the text must come out again as it went in. */
export function decodeBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text)
    throw new Malformed('the base64 is empty or not canonical');
  return new Uint8Array(bytes);
}
