/**
 * What a call looks like, in the words of an owner: the short form of `explain` and of test cases. A scenario holds no
 * credential; forge.ts makes real ones for it, which the engine then really verifies.
 */
export interface Scenario {
  readonly method: string;
  /** Request target; may hold a query. */
  readonly path: string;
  /** Default: the host of the guard's own name, which no `host=` names. */
  readonly host?: string;
  /** Who calls: a SPIFFE ID, a path relative to the guard's trust domain (`ns/shop/sa/frontend`), a bare name (`frontend`:
   * a listed forwarder of that last segment, else the guard's own namespace), or `outside`. */
  readonly as: string;
  /** Forwarders from the origin's side to the guard's; empty: the origin calls directly. Same spellings as `as`. */
  readonly via: readonly string[];
  /** Undefined: no token at all. */
  readonly token?: ScenarioToken;
  /** Further header lines. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface ScenarioToken {
  /** Default: the only configured issuer that may give all these scopes. */
  readonly issuer?: string;
  readonly scopes: readonly string[];
  /** Bound to the origin's certificate (cnf x5t#S256); default false. */
  readonly bound?: boolean;
  /** ms since it was issued; default 0. */
  readonly age?: number;
  /** Claims over the defaults; null takes one away. */
  readonly claims?: Readonly<Record<string, unknown>>;
}
