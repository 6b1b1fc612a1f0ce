/**
 * One source of keys, a bundle or a policy: a watched file, an https document that is fetched again and again, a stream.
 * Whatever it is, a bad value never replaces a good one, and a change is taken in whole, in `poll` and nowhere else.
 */

export interface Source<T> {
  /**
   * A file must be good at start, else nothing starts; what is elsewhere may come later, and until then the guard is not
   * ready.
   */
  readonly kind: 'file' | 'remote';
  /** Path or URL, for people. */
  readonly from: string;
  /** The last good value, while it is not too old. The very same object for as long as nothing changed. */
  current(now: number): T | undefined;
  /** What is wrong with the source now; undefined while it is good. */
  problem(): string | undefined;
  /** What must be mended before anything starts, for a source elsewhere: a file that it needs and that is bad. */
  startProblem?(): string | undefined;
  /** When the source last vouched for the current value, ms; -Infinity before it ever did. */
  loadedAt(): number;
  /**
   * Takes in what has come since the last look; never waits for a network. What came of it is read from `current` and
   * `problem`. `force` (SIGHUP): look anew, whatever was seen before.
   */
  poll(now: number, force?: boolean): Promise<unknown>;
  /** Calls back when `poll` would find something between two regular looks. Returns how to end it. */
  onChange?(wake: () => void): () => void;
  /** Resolves when the first attempt to load has ended, well or not; the next `poll` takes it in. */
  settled?(): Promise<void>;
  /** The value was looked at for something that it lacks (a `kid`): a newer one may be worth fetching. */
  missed?(): void;
  /** Ends connections and timers; nothing is asked afterwards. */
  close?(): void;
}

/** What a reader makes of a text. */
export type Parsed<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** When the text itself asks to be read again, ms (SPIFFE's `spiffe_refresh_hint`). */
      readonly refreshAfter?: number;
    }
  | { readonly ok: false; readonly problem: string };

export type Parse<T> = (text: string) => Parsed<T> | Promise<Parsed<T>>;

/** A part of another source's value, which that one polls and closes. `part` must give the same object each time. */
export const partOf = <T, Part>(
  whole: Source<T>,
  part: (value: T) => Part | undefined,
  missing: string,
): Source<Part> => {
  let has = true;
  return {
    kind: whole.kind,
    from: whole.from,
    current(now) {
      const value = whole.current(now);
      const found = value === undefined ? undefined : part(value);
      has = value === undefined || found !== undefined;
      return found;
    },
    problem: () => whole.problem() ?? (has ? undefined : missing),
    loadedAt: () => whole.loadedAt(),
    poll: () => Promise.resolve(),
    missed: () => whole.missed?.(),
  };
};
