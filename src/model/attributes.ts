/** What one CheckRequest says, as read from its bytes. Nothing in here is verified. */
export interface Attributes {
  /** source.principal: what Envoy made of the peer certificate; empty when there is none. */
  readonly principal: string;
  /** source.certificate: URL-encoded PEM of the leaf; empty without include_peer_certificate. */
  readonly certificate: string;
  /** destination.principal: the identity of this Envoy's own certificate. */
  readonly destinationPrincipal: string;
  /** http.method, http.path (with query) and http.host as Envoy will route them. */
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Headers;
}

/** Header lines in their order, names in lower case. Both encodings (`headers`, `header_map`) end up here. */
export interface Headers {
  /** Every line's name, once each. */
  readonly names: readonly string[];
  /** All lines of a name; empty where there is none. `name` in lower case. */
  all(name: string): readonly string[];
}

export function headersOf(lines: Iterable<readonly [name: string, value: string]>): Headers {
  const byName = new Map<string, string[]>();
  for (const [name, value] of lines) {
    const lower = name.toLowerCase();
    const values = byName.get(lower);
    if (values === undefined) byName.set(lower, [value]);
    else values.push(value);
  }
  return { names: [...byName.keys()], all: (name) => byName.get(name) ?? [] };
}
