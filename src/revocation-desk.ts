/**
 * Where revocations of a running guard come from and go to: the file and the store that are configured, the admin API,
 * incidents. It outlives a reload, so that a line of the file counts once. In: orders. Out: where they were written; what is
 * wrong with the sources. It does NOT decide anything: checks ask the index.
 */
import type { Log } from './audit/log.js';
import type { TokenName } from './model/ids.js';
import type { AppliedOrder, OnRevocation, RevocationOrder, RevocationSource } from './model/revocation.js';
import type { Settings } from './model/settings.js';
import { appendOrder } from './state/revocation/append.js';
import { followRevocations } from './state/revocation/file.js';
import type { RevocationFile } from './state/revocation/file.js';
import type { Revocations } from './state/revocations.js';
import { describe } from './start-error.js';
import type { Store } from './store.js';

/** `nowhere`: neither a file nor a store is configured. */
export type Taken =
  | { readonly kind: 'file' | 'store' }
  /** It counts here, and will be written when the store answers. */
  | { readonly kind: 'later'; readonly problem: string }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'nowhere' };

export interface RevocationDesk {
  /** From now on these settings count; their file is read before it returns. */
  follow(settings: Pick<Settings, 'revocation'>): Promise<void>;
  poll(): Promise<void>;
  take(order: RevocationOrder): Promise<Taken>;
  /** Presenters of a token differ: revokes it, where `onIncident` says so. */
  conflict(token: TokenName): void;
  readonly problem: (now: number) => string | undefined;
  close(): void;
}

export interface DeskParts {
  readonly revocations: Revocations;
  readonly store: Pick<Store, 'revocations'>;
  readonly onRevocation: OnRevocation;
  readonly onProblems: (problems: readonly string[]) => void;
  readonly log: Pick<Log, 'error'>;
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
}

export function openRevocationDesk(parts: DeskParts): RevocationDesk {
  const { revocations, store, onRevocation, onProblems, log, now, onFault } = parts;
  const files = new Map<string, RevocationFile>();
  let current: Settings['revocation'] | undefined;
  let followed: RevocationFile | undefined;
  let endWatching: () => void = () => undefined;
  let reading: Promise<void> = Promise.resolve();
  let waiting = false;

  /** One look after the other; whoever asks while one is waiting to begin is served by that one. */
  const poll = (): Promise<void> => {
    if (waiting) return reading;
    waiting = true;
    reading = reading.then(() => {
      waiting = false;
      return followed?.poll();
    });
    return reading;
  };

  const append = async (file: string, order: RevocationOrder): Promise<Taken> => {
    try {
      await appendOrder(file, order);
    } catch (error) {
      return { kind: 'failed', problem: `${file}: ${describe(error)}` };
    }
    await poll();
    return { kind: 'file' };
  };

  const write = async (order: RevocationOrder, source: RevocationSource): Promise<Taken> => {
    const file = current?.file ?? null;
    const inFile = file === null ? undefined : () => append(file, order);
    if (store.revocations === undefined) return inFile === undefined ? { kind: 'nowhere' } : inFile();
    const problem = await store.revocations.write(order, source);
    // What the file revokes ends there alone.
    if (order.kind === 'unrevoke' && revocations.ownUntil(order.revocation) > now()) await inFile?.();
    return problem === undefined ? { kind: 'store' } : { kind: 'later', problem };
  };

  /** Of this guard alone, until it restarts. */
  const remember = (order: RevocationOrder): void => {
    if (!revocations.revoke(order.revocation, order)) return;
    onRevocation({ ...order, source: 'incident', live: true });
  };

  const revokeFor = async (token: TokenName, life: number): Promise<void> => {
    const at = now();
    const revocation = { type: 'token', value: token, issuer: undefined, until: at + life } as const;
    const order: RevocationOrder = { kind: 'revoke', at, revocation, reason: 'presenters differ', by: 'firsthand' };
    const taken = await write(order, 'incident');
    if (taken.kind === 'nowhere' || taken.kind === 'failed') remember(order);
    if (taken.kind === 'failed') log.error('a revocation counts at this guard alone', { problem: taken.problem });
  };

  const underWay = new Set<TokenName>();
  return {
    async follow({ revocation }) {
      current = revocation;
      if (revocation.file === followed?.file) return;
      endWatching();
      followed = revocation.file === null ? undefined : fileAt(revocation.file);
      endWatching = followed?.onChange(() => void poll().catch(onFault)) ?? (() => undefined);
      await poll();
    },
    poll,
    take: (order) => write(order, 'admin'),
    conflict(token) {
      const life = current?.onIncident ?? null;
      const until = revocations.until({ type: 'token', value: token, issuer: undefined });
      if (life === null || until > now() || underWay.has(token)) return;
      underWay.add(token);
      void revokeFor(token, life)
        .catch(onFault)
        .finally(() => underWay.delete(token));
    },
    problem(at) {
      const silence = revocations.silence(at);
      if (current !== undefined && silence > current.maxStaleness)
        return `${silentFor(silence)}${because(store.revocations?.problem())}`;
      return followed?.problem();
    },
    close: () => endWatching(),
  };

  /** Kept when another configuration names another file: whoever comes back to it reads on. */
  function fileAt(file: string): RevocationFile {
    const known = files.get(file) ?? followRevocations(file, revocations, { onChange: onRevocation, onProblems });
    files.set(file, known);
    return known;
  }
}

const because = (problem: string | undefined): string => (problem === undefined ? '' : `: ${problem}`);

const silentFor = (silence: number): string =>
  Number.isFinite(silence)
    ? `the store was not heard for ${Math.round(silence / 1000)} s, longer than revocation.maxStaleness`
    : 'the store was not heard yet';

/** Who takes a token's revocation back has looked into it: its first presenter holds the pin again. */
export const endsContest = ({ kind, revocation }: AppliedOrder): TokenName | undefined =>
  kind === 'unrevoke' && revocation.type === 'token' ? (revocation.value as TokenName) : undefined;
