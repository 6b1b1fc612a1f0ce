import type { IdPattern } from './patterns.js';
import type { DataLabel } from './settings.js';

/** One line of the owner's annotation or of the operator's guardrails, as parsed. */
export interface Line {
  /** 1-based, in the text it came from. */
  readonly number: number;
  readonly methods: Methods;
  /** Literals are already decoded, as request segments are. */
  readonly path: PathPattern;
  readonly scopes: ScopeRule;
  readonly conditions: Conditions;
}

export type Methods =
  /** `*`: GET HEAD POST PUT PATCH DELETE OPTIONS. */
  | { readonly kind: 'star' }
  /** A GRPC line: that path, whatever the method. */
  | { readonly kind: 'grpc' }
  | { readonly kind: 'named'; readonly names: readonly string[] };

export interface PathPattern {
  /** As written; `audit.path: template` shows it. */
  readonly text: string;
  readonly segments: readonly PathSegment[];
  /** `**` at the end: any rest, also none. */
  readonly rest: boolean;
}

export type PathSegment =
  { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'any'; readonly name: string };

export type ScopeRule =
  | { readonly kind: 'all'; readonly scopes: readonly string[] }
  | { readonly kind: 'any'; readonly scopes: readonly string[] }
  /** A valid token, no scope. */
  | { readonly kind: 'token' }
  /** A verified origin; tokens are not looked at. */
  | { readonly kind: 'workload' }
  /** Nothing at all. */
  | { readonly kind: 'anyone' };

/** null where the line does not have the condition. */
export interface Conditions {
  readonly from: { readonly origins: readonly IdPattern[]; readonly outside: readonly IdPattern[] } | null;
  readonly via: { readonly forwarders: readonly IdPattern[]; readonly direct: boolean } | null;
  readonly host: readonly string[] | null;
  readonly env: readonly string[] | null;
  /** ms */
  readonly maxAge: number | null;
  readonly data: DataLabel | null;
  readonly bound: 'any' | 'direct' | null;
  readonly fresh: boolean;
  readonly once: boolean;
  readonly upgrade: boolean;
}

/** What the policy says about one method and path, before anything is known about the caller. */
export interface Route {
  /** The owner's line; undefined where the route is not declared. */
  readonly line: Line | undefined;
  /** Every guardrail line that matches, in their order. */
  readonly guardrails: readonly Line[];
  /** The higher of the owner's label and the guardrails'; `restricted` where nobody gave one. */
  readonly data: DataLabel;
  /** A reader that ignores ASCII case would have found another line or other guardrails. */
  readonly ambiguous: boolean;
}

/** An immutable, compiled policy: swapped whole, never edited. */
export interface Policy {
  /** The first 12 hex digits of SHA-256 over everything the policy was compiled from. */
  readonly revision: string;
  /** firsthand.dev/owner */
  readonly owner: string | null;
  /** firsthand.dev/data: the label of lines that have none. */
  readonly data: DataLabel | null;
  /** firsthand.dev/mode: whether what the owner's own lines refuse is refused. */
  readonly mode: 'enforce' | 'shadow';
  readonly lines: readonly Line[];
  readonly guardrails: readonly Line[];
  route(method: string, segments: readonly string[]): Route;
}

/** Something wrong with scope lines or annotations. Line and column are 1-based, within the text that was parsed. */
export interface PolicyIssue {
  readonly line: number;
  readonly column: number;
  /** Stable, for example `syntax`, `unknown_condition`, `overlap`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}
