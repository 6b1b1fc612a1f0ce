export class SetupError extends Error {}
export interface Paths {
  readonly root: string;
  readonly envoy: string;
  readonly python: string;
  readonly main: string;
  /** A redis-server that starts; empty where none was wanted. */
  readonly redis: string;
}
export function ensure(wanted?: {
  readonly envoy?: boolean;
  readonly build?: boolean;
  readonly redis?: boolean;
}): Paths;
/** Python's gRPC in .venv; false: pip could not install it, and the reason was said. */
export function ensureGrpcio(): boolean;
