import type { Sha256Hex, SpiffeId } from './ids.js';

/** Who presents a token: the origin, and with `pinBy: instance` the key of its certificate. */
export interface Presenter {
  readonly id: SpiffeId;
  /** SHA-256 of the SubjectPublicKeyInfo of its verified certificate; undefined where the pin goes by the origin alone. */
  readonly key: Sha256Hex | undefined;
}

/** What an unbound token asks of the pins when it is presented. */
export interface PinClaim {
  /** The token's name within the scope that its pin counts for. */
  readonly name: string;
  readonly presenter: Presenter;
  /** Whether the presenter and another origin may share the token by design. */
  readonly sharedWith: (other: SpiffeId) => boolean;
  /** ms: when the token has ended everywhere, and the pin with it. */
  readonly until: number;
  /** Who is refused where presenters differ: the later one, or from then on both. */
  readonly onConflict: 'later' | 'both';
}

/** How a token was presented: beside its presenter, for whoever looks into a conflict. Nothing is decided by it. */
export interface Presentation {
  readonly presenter: Presenter;
  /** Environment of the origin's trust domain. */
  readonly environment: string | null;
  /** SHA-256 over the verified chain, origin first. */
  readonly chain: Sha256Hex;
  /** ms since 1970. */
  readonly at: number;
}

/** What a pin remembers. A contested one is held by nobody. */
export interface Pinned {
  readonly first: Presentation;
  readonly contestedBy: Presenter | undefined;
}

/** One use of a token on a line that allows one. */
export interface Use {
  /** The token's name, the audiences and the line. */
  readonly name: string;
  /** ms: when the token has ended everywhere. */
  readonly until: number;
}

/** What a final allow writes: all of it, or nothing. */
export interface Claims {
  readonly pin: { readonly claim: PinClaim; readonly presentation: Presentation } | undefined;
  readonly uses: readonly Use[];
}
