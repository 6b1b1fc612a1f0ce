export class SetupError extends Error {}
export interface Paths {
  readonly root: string;
  readonly envoy: string;
  readonly main: string;
  /** A redis-server that starts; empty where none was wanted. */
  readonly redis: string;
}
export function ensure(wanted?: {
  readonly envoy?: boolean;
  readonly build?: boolean;
  readonly redis?: boolean;
}): Paths;
