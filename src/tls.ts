/**
 * The TLS files of the TCP listeners, watched: certificate, key, client CA. In: their names. Out: what a listener needs, as
 * one value that is swapped whole, once all three fit together. Whoever rotates them writes one after the other, so a
 * certificate whose key is not there yet keeps the last good pair. Throws StartError for files that are bad at start. Does
 * NOT verify the certificate: those who connect do that.
 */
import { hash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ListenSettings } from './model/settings.js';
import { describe, StartError } from './start-error.js';
import type { KnownCertificate } from './state/seen-certificates.js';
import type { Source } from './state/source.js';
import { watchFile } from './state/watched-file.js';
import type { WatchedFile } from './state/watched-file.js';
import type { ListenerOptions } from './wire/grpc-server.js';
import { readPem } from './x509/pem.js';
import { readX509 } from './x509/x509.js';

export type TlsMaterial = NonNullable<ListenerOptions['tls']>;

export interface TlsFiles extends Source<TlsMaterial> {
  /** The certificate that is shown now; undefined where it is none that we can read. */
  certificate(): KnownCertificate | undefined;
}

/** Its name among events and metrics, where the certificate has no SPIFFE ID. */
export const TLS_IDENTITY = 'listen.tls';

/** Undefined where there are none. Good, or StartError. */
export async function openTls({ tls }: ListenSettings, now: number): Promise<TlsFiles | undefined> {
  if (tls === null) return undefined;
  const clientCA = tls.clientCA === null ? undefined : watchPem(tls.clientCA);
  const files = followTls(watchPem(tls.certificate), watchPem(tls.key), clientCA);
  await files.poll(now, true);
  const problem = files.problem();
  if (problem !== undefined) throw new StartError(2, [`listen.tls: ${problem}`]);
  return files;
}

const watchPem = (file: string): WatchedFile<Buffer> =>
  watchFile(file, (text) => ({ ok: true, value: Buffer.from(text) }), Infinity);

function followTls(
  certificate: WatchedFile<Buffer>,
  key: WatchedFile<Buffer>,
  clientCA: WatchedFile<Buffer> | undefined,
): TlsFiles {
  const all = [certificate, key, ...(clientCA === undefined ? [] : [clientCA])];
  let value: TlsMaterial | undefined;
  let shown: KnownCertificate | undefined;
  let loadedAt = -Infinity;
  let mismatch: string | undefined;

  const join = (now: number): void => {
    const [cert, privateKey, ca] = [certificate.current(now), key.current(now), clientCA?.current(now)];
    if (cert === undefined || privateKey === undefined || (clientCA !== undefined && ca === undefined)) return;
    const next: TlsMaterial = { certificate: cert, key: privateKey, ...(ca === undefined ? {} : { clientCA: ca }) };
    mismatch = problemOf(next);
    if (mismatch === undefined) [value, shown, loadedAt] = [next, certificateIn(cert), now];
  };

  return {
    kind: 'file',
    from: certificate.from,
    current: () => value,
    certificate: () => shown,
    problem: () => badFile(all) ?? mismatch,
    loadedAt: () => loadedAt,
    async poll(now, force = false) {
      const seen = await Promise.all(all.map((file) => file.poll(now, force)));
      if (seen.some((each) => each !== 'same')) join(now);
    },
  };
}

function badFile(files: readonly WatchedFile<unknown>[]): string | undefined {
  const bad = files.find((file) => file.problem() !== undefined);
  return bad && `${bad.from}: ${bad.problem() ?? ''}`;
}

/** What OpenSSL says to them together: PEM that is cut short, a key of another certificate. */
function problemOf({ certificate, key, clientCA }: TlsMaterial): string | undefined {
  try {
    if (clientCA !== undefined) readPem(clientCA.toString().trimStart(), RULES);
    createSecureContext({ cert: certificate, key, ...(clientCA && { ca: clientCA }) });
    return undefined;
  } catch (error) {
    return describe(error);
  }
}

const RULES = { style: 'file', maxLength: 1_048_576, maxBlocks: 500 } as const;

function certificateIn(pem: Buffer): KnownCertificate | undefined {
  const [der] = blocksOf(pem);
  const read = der === undefined ? undefined : readX509(der);
  if (read?.ok !== true) return undefined;
  const { serial, notBefore, notAfter, extensions } = read.value;
  const id = extensions.subjectAltName?.uris[0] ?? TLS_IDENTITY;
  return { id, sha256: hash('sha256', read.value.der, 'hex'), serial, notBefore, notAfter };
}

function blocksOf(pem: Buffer): readonly Uint8Array[] {
  try {
    return readPem(pem.toString().trimStart(), RULES);
  } catch {
    return [];
  }
}
