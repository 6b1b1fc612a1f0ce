/**
 * What could be changed so that a denied request would be allowed. A change is plain data: tests apply it, and get an
 * allow (test/workbench/remedy.test.ts). Proposing one is no advice to make it; the text of its remedy says when to.
 */
import type { SpiffeId } from '../model/ids.js';
import type { DenyReason } from '../model/reasons.js';

export type Change =
  /** The owner's line of this number, written anew. */
  | { readonly kind: 'line'; readonly number: number; readonly text: string }
  | { readonly kind: 'add line'; readonly text: string }
  | { readonly kind: 'token'; readonly token: TokenChange }
  | { readonly kind: 'caller'; readonly caller: CallerChange }
  | { readonly kind: 'request'; readonly request: RequestChange }
  /** A setting of an Envoy's listener: of the one in front of this guard, or of a forwarder. */
  | { readonly kind: 'envoy'; readonly at: 'guard' | SpiffeId; readonly setting: string; readonly value: string }
  /** A key of the configuration: list entries by their index. */
  | { readonly kind: 'config'; readonly path: readonly (string | number)[]; readonly value: ConfigValue }
  /** A file that should hold something it does not. */
  | { readonly kind: 'file'; readonly file: string; readonly holds: 'policy' | 'bundle' | 'keys' }
  /** All of them are needed. */
  | { readonly kind: 'several'; readonly changes: readonly Change[] };

export type ConfigValue = string | number | readonly string[] | { readonly bundle: string };

/** Another token from the issuer, with these properties; `{}` is a new one like the old. */
export interface TokenChange {
  readonly issuer?: string;
  /** Where it is sent: `authorization`, or a header's name. */
  readonly from?: string;
  readonly scopes?: readonly string[];
  readonly audience?: string;
  readonly type?: string;
  readonly algorithm?: string;
  /** ms: exp - iat. */
  readonly lifetime?: number;
  /** To the origin's certificate (cnf x5t#S256). */
  readonly bound?: boolean;
  /** The workload that it names, by the issuer's `identity` rule. */
  readonly workload?: SpiffeId;
}

export interface CallerChange {
  /** A certificate at all, or a newly issued one of the same workload. */
  readonly certificate?: 'present' | 'new';
  /** ms: notAfter - notBefore of the new one, at most. */
  readonly lifetime?: number;
  /** The forwarders to come through; none: directly. */
  readonly via?: readonly SpiffeId[];
}

export interface RequestChange {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  /** Headers that are left out. */
  readonly without?: readonly string[];
  /** A header that is sent in one line with one value. */
  readonly once?: string;
}

/** `change` is missing where none should be made, or none helps; the text then says so. */
export interface Remedy {
  readonly text: string;
  readonly change?: Change;
  /** What would refuse the request after this change, and after each of those: every one but maybe the last has its own. */
  readonly further?: readonly Further[];
  /** What the request came to when it was decided again with all of them; missing where nobody tried. */
  readonly comesTo?: ComesTo;
}

export type Further = Pick<Remedy, 'text' | 'change'> & { readonly reason: DenyReason };

export type ComesTo =
  /** `supposing`: what nobody has seen yet and must hold. */
  | { readonly kind: 'allowed'; readonly supposing: readonly string[] }
  | { readonly kind: 'refused' }
  | { readonly kind: 'not known'; readonly why: string };

export const no = (text: string): Remedy => ({ text });
export const byToken = (text: string, token: TokenChange = {}): Remedy => ({ text, change: { kind: 'token', token } });
export const byCaller = (text: string, caller: CallerChange): Remedy => ({ text, change: { kind: 'caller', caller } });
export const byRequest = (text: string, request: RequestChange): Remedy => ({
  text,
  change: { kind: 'request', request },
});
export const byConfig = (text: string, path: readonly (string | number)[], value: ConfigValue): Remedy => ({
  text,
  change: { kind: 'config', path, value },
});

/** One change stays itself. */
export const together = (changes: readonly Change[]): Change | undefined =>
  changes.length > 1 ? { kind: 'several', changes } : changes[0];

export const remedy = (text: string, change: Change | undefined): Remedy =>
  change === undefined ? { text } : { text, change };

/** `tokens[0].presenters` */
export const pathText = (path: readonly (string | number)[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
