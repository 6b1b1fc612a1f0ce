export class SetupError extends Error {}
export interface Paths {
  readonly root: string;
  readonly envoy: string;
  readonly main: string;
}
export function ensure(wanted?: { readonly envoy?: boolean; readonly build?: boolean }): Paths;
