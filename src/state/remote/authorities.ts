/**
 * Who may have signed the certificate of an https source: a file of the operator's, else the system's own list, else the one
 * that Node.js brings. Out: a watched source of what TLS makes of it; undefined for the last.
 */
import { existsSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { reading } from '../../x509/der.js';
import { readPem } from '../../x509/pem.js';
import type { Parsed, Source } from '../source.js';
import { watchFile } from '../watched-file.js';

/** Debian and Alpine; Fedora and its relatives; the BSDs. The first that is there counts. */
const SYSTEM: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

export function openAuthorities(file: string | null, system = SYSTEM): Source<SecureContext> | undefined {
  const path = file ?? system.find((each) => existsSync(each));
  return path === undefined ? undefined : watchFile(path, readAuthorities, Infinity);
}

/** A system's list has 250 KB. */
const RULES = { style: 'file', maxLength: 1_048_576, maxBlocks: 500 } as const;

/** PEM that is cut short, or that holds no certificate, is refused here and not at the next handshake. */
export function readAuthorities(text: string): Parsed<SecureContext> {
  const read = reading(() => readPem(text.trimStart(), RULES));
  if (!read.ok) return read;
  try {
    return { ok: true, value: createSecureContext({ ca: text }) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}
