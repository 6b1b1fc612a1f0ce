import type { Position } from '../../config/node.js';
import type { PathPattern } from '../../model/policy.js';
import type { Remark } from '../finding.js';

/** One thing that an API document says the service does. */
export interface Operation {
  readonly file: string;
  /** Where it stands in the document; undefined where that is not text. */
  readonly at: Position | undefined;
  readonly method: string;
  readonly path: PathPattern;
  /** `GET /orders/{id}`, `shop.v1.Cart/Add`. */
  readonly name: string;
  readonly grpc: boolean;
}

export interface ApiReading {
  readonly kind: 'openapi' | 'descriptors';
  readonly operations: readonly Operation[];
  readonly remarks: readonly Remark[];
  /** No operation is left out: only then can a line be called unused. */
  readonly complete: boolean;
}
