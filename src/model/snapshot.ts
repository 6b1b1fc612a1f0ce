import type { FindBundle, FindKeys } from './ports.js';
import type { Policy } from './policy.js';

/**
 * Everything that was loaded from files, at one version: a check reads one snapshot from its beginning to its end. It is
 * swapped whole, and its versions are parts of cache keys, so a swap makes older cached decisions unreachable.
 */
export interface Snapshot {
  /** Undefined where no valid policy is loaded, or the last good one is too old. */
  readonly policy: Policy | undefined;
  /** Evaluated beside the policy, never enforced; undefined where there is none, or no valid one is loaded. */
  readonly candidate: Policy | undefined;
  /** The file on disk is bad and the last good policy goes on. */
  readonly policyStale: boolean;
  readonly findBundle: FindBundle;
  readonly findKeys: FindKeys;
  /** Each changes whenever the thing it names does; never reused within a process. */
  readonly versions: {
    readonly policy: string;
    readonly candidate: string;
    readonly trust: string;
    readonly keys: string;
  };
}
