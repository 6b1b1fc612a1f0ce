/**
 * Our own X.509-SVID in two files, watched: PEM with the leaf first, and its private key (PKCS#8, PKCS#1 or SEC 1). Out: the
 * facts of the leaf. Whoever rotates them writes one after the other: a certificate whose key is not there yet keeps the
 * last good pair. The private key is looked at and not kept. Does NOT look for a path, nor compare dates with the clock.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { CertificateFacts } from '../../model/evidence.js';
import type { SvidFiles } from '../../model/settings.js';
import { reading } from '../../x509/der.js';
import type { Reading } from '../../x509/der.js';
import { readPem } from '../../x509/pem.js';
import type { Parsed, Source } from '../source.js';
import { watchFile } from '../watched-file.js';
import { keyProblem } from './svid-key.js';

/** The rules of an X.509-SVID's leaf. */
export type ReadLeaf = (der: Uint8Array) => Reading<CertificateFacts>;

/** `maxLastGood` in ms. */
export function svidFromFiles(files: SvidFiles, readLeaf: ReadLeaf, maxLastGood: number): Source<CertificateFacts> {
  const leaf = watchFile(files.certificate, (text) => parseLeaf(text, readLeaf), maxLastGood);
  const key = watchFile(files.key, parseKey, maxLastGood);
  let value: CertificateFacts | undefined;
  let loadedAt = -Infinity;
  let mismatch: string | undefined;

  const pair = (facts: CertificateFacts | undefined, own: KeyObject | undefined, now: number): void => {
    if (facts === undefined || own === undefined) return;
    mismatch = keyProblem(facts.der, own);
    if (mismatch === undefined) [value, loadedAt] = [facts, now];
  };

  return {
    kind: 'file',
    from: files.certificate,
    current: () => value,
    problem: () => leaf.problem() ?? key.problem() ?? mismatch,
    loadedAt: () => loadedAt,
    async poll(now, force = false) {
      await leaf.poll(now, force);
      await key.poll(now, force);
      pair(leaf.current(now), key.current(now), now);
    },
  };
}

/** A leaf and its intermediates. */
const RULES = { style: 'file', maxLength: 65_536, maxBlocks: 10 } as const;

function parseLeaf(text: string, readLeaf: ReadLeaf): Parsed<CertificateFacts> {
  const blocks = reading(() => readPem(text.trimStart(), RULES));
  if (!blocks.ok) return blocks;
  const [der] = blocks.value;
  return der === undefined ? { ok: false, problem: 'there is no certificate' } : readLeaf(der);
}

function parseKey(text: string): Parsed<KeyObject> {
  try {
    return { ok: true, value: createPublicKey(createPrivateKey(text)) };
  } catch {
    return { ok: false, problem: 'it holds no private key that can be read without a passphrase' };
  }
}
