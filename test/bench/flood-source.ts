/** Requests without end, each with a valid token that nobody has seen: signed here, and written into one template. */
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Prepared } from './prepared.js';

export interface FloodTemplate {
  /** base64 of a request with a token of the same length. */
  readonly bytes: string;
  readonly idAt: number;
  readonly tokenAt: number;
  /** JOSE header, encoded. */
  readonly header: string;
  /** With a jti of 16 characters, which is replaced. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** PKCS #8, PEM. */
  readonly key: string;
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

export function flooded(file: string, first: number): () => Prepared {
  const template = JSON.parse(readFileSync(file, 'utf8')) as FloodTemplate;
  const { idAt, tokenAt, header, claims } = template;
  const bytes = Buffer.from(template.bytes, 'base64');
  const key = { key: createPrivateKey(template.key), dsaEncoding: 'ieee-p1363' } as const;
  let tokens = first * 1e9;
  return () => {
    const jti = String((tokens += 1)).padStart(16, '0');
    const input = `${header}.${base64url(JSON.stringify({ ...claims, jti }))}`;
    bytes.write(`${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`, tokenAt, 'latin1');
    // The connection copies the bytes before it asks for the next ones.
    return { bytes, idAt, reason: 'allowed' };
  };
}
