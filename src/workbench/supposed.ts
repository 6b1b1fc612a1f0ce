/** A denied request with everything that it is decided against, as plain values: what a supposed change is applied to. */
import type { Attributes } from '../model/attributes.js';
import { headersOf } from '../model/attributes.js';
import type { Outcome } from '../model/decision.js';
import type { TrustDomain } from '../model/ids.js';
import type { FindBundle, FindKeys, VerificationKey } from '../model/ports.js';
import type { Settings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
import { readBundle } from '../state/trust-bundle.js';
import type { Authority } from './forge-authority.js';
import type { StoryContext } from './story-context.js';

export interface Supposed {
  readonly attributes: Attributes;
  /** What the engine said about it. */
  readonly outcome: Outcome;
  readonly context: StoryContext;
  readonly snapshot: Snapshot;
  /** The text of the configuration; undefined where it can not be read again. */
  readonly config: ConfigText | undefined;
  /** Throw-away authorities, trusted beside the roots of their domains once they have signed something. */
  readonly authorities: ReadonlyMap<TrustDomain, Authority>;
  /** The token of the request, where it is a supposed one. */
  readonly token: SupposedToken | undefined;
  /** What nobody has seen yet and is taken for true. */
  readonly supposing: readonly string[];
}

export interface ConfigText {
  readonly text: string;
  /** Settings from such a text, or undefined where they are refused. */
  readonly read: (text: string) => Settings | undefined;
}

export interface SupposedToken {
  /** `header.payload`, as the signing input has it. */
  readonly input: string;
  /** The token whose signature stands for this one's; undefined where it is taken for granted. */
  readonly original: string | undefined;
}

/** Why nobody can know what comes of a change: one sentence. */
export interface Unknown {
  readonly unknown: string;
}

/** Decides a request under other settings and another snapshot; no check remembers another. */
export type Decide = (attributes: Attributes, settings: Settings, snapshot: Snapshot) => Outcome | Promise<Outcome>;

/** With the supposed keys and roots. */
export const snapshotIn = (world: Supposed): Snapshot => ({
  ...world.snapshot,
  findBundle: bundlesIn(world),
  findKeys: keysIn(world),
});

function bundlesIn({ snapshot, authorities }: Supposed): FindBundle {
  return (domain) => {
    const real = snapshot.findBundle(domain);
    const root = authorities.get(domain)?.root;
    const forged = root === undefined ? undefined : readBundle(root);
    if (forged?.ok !== true) return real;
    if (typeof real === 'string') return { anchors: forged.anchors, intermediates: [] };
    return { ...real, anchors: [...real.anchors, ...forged.anchors] };
  };
}

/** Of the key that signs supposed tokens. */
export const SUPPOSED_KEY = 'supposed';

function keysIn({ snapshot, token }: Supposed): FindKeys {
  if (token === undefined) return snapshot.findKeys;
  return (issuer) => {
    const real = snapshot.findKeys(issuer);
    const keys = real === 'unavailable' ? [] : [...real.values()];
    const all = keys.map((key): VerificationKey => ({ ...key, verify: verifyAs(token, key) }));
    return new Map([...all, takenForGranted(token)].map((key) => [key.kid, key]));
  };
}

/** A token that differs from the one that came only in what a supposed certificate is called. */
const verifyAs =
  ({ input, original }: SupposedToken, key: VerificationKey): VerificationKey['verify'] =>
  (algorithm, asked, signature) => {
    if (original === undefined || Buffer.from(asked).toString('latin1') !== input)
      return key.verify(algorithm, asked, signature);
    const dot = original.lastIndexOf('.');
    return key.verify(
      algorithm,
      Buffer.from(original.slice(0, dot), 'latin1'),
      Buffer.from(original.slice(dot + 1), 'base64url'),
    );
  };

const takenForGranted = ({ input, original }: SupposedToken): VerificationKey => ({
  kid: SUPPOSED_KEY,
  fits: () => true,
  verify: (_, asked) => Promise.resolve(original === undefined && Buffer.from(asked).toString('latin1') === input),
});

export const supposing = (what: string, world: Supposed): Supposed => ({
  ...world,
  supposing: world.supposing.includes(what) ? world.supposing : [...world.supposing, what],
});

/** Without every line of the names in `without`, and with these. */
export function withLines(
  attributes: Attributes,
  without: readonly string[],
  lines: readonly (readonly [string, string])[],
): Attributes {
  const { headers } = attributes;
  const kept = headers.names
    .filter((name) => !without.includes(name))
    .flatMap((name) => headers.all(name).map((value) => [name, value] as const));
  return { ...attributes, headers: headersOf([...kept, ...lines]) };
}
