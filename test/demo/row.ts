/** One request of a demo, and how to write one down. */
import type { IdentityName, TokenLabel } from './materials.js';
import type { Spelling } from './spellings.js';

export interface Row {
  readonly name: string;
  /** Where it is sent: the sidecar itself, that of a second replica, the gateway for the mesh, or the one for the world. */
  readonly to: 'sidecar' | 'second' | 'gateway' | 'public';
  /** Whose certificate the caller holds; null: none. */
  readonly as: IdentityName | null;
  readonly token: TokenLabel | null;
  /** How the token is written; null: as its issuer wrote it, after `Bearer` and a space. */
  readonly spelling: Spelling | null;
  readonly protocol: 'http1' | 'http2' | 'grpc';
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Whose element about frontend the caller puts into x-forwarded-client-cert: right in every detail, but made up. */
  readonly forgedBy: string | null;
  /** Sent on one kept-alive connection, shared by all rows that say so. */
  readonly kept: boolean;
  /** Done before it is sent. */
  readonly before: 'rewrite-annotations' | Revoked | null;
  /** Sent again until the answer is another one than this status: for what takes effect with time. */
  readonly whileStatus: number | null;
  /** How often it is sent; each time the same must come of it. */
  readonly times: number;
}

/** What `firsthand revoke` is told to refuse. */
export type Revoked = 'revoke-token' | 'revoke-gateway' | 'revoke-serial';

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

export type Sketch = Partial<Omit<Row, 'name'>>;

export const row = (name: string, request: string, sketch: Sketch): Row => {
  const [method = '', path = ''] = request.split(' ');
  return {
    name,
    method,
    path,
    to: 'sidecar',
    as: 'frontend',
    token: null,
    spelling: null,
    protocol: 'http1',
    headers: [],
    forgedBy: null,
    kept: false,
    before: null,
    whileStatus: null,
    times: 1,
    ...sketch,
  };
};
