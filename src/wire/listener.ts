/**
 * What every listener for Check calls has in common: what it is started with, what it gives back, how much it takes.
 */
import type { Address } from '../model/settings.js';
import type { DemandedSecret } from './secret.js';

/**
 * `deadline` in ms since 1970; undefined where the caller set none. The handler may keep the bytes: nobody writes to
 * them again.
 */
export type HandleCheck = (bytes: Buffer, deadline: number | undefined) => Buffer | Promise<Buffer>;
export type Log = (message: string, facts?: object) => void;

export interface ListenerOptions {
  readonly address: Address;
  /** File mode of a Unix socket. */
  readonly socketMode: number;
  /** PEM. With clientCA every caller must have a certificate of it. */
  readonly tls?: { readonly certificate: Buffer; readonly key: Buffer; readonly clientCA?: Buffer };
  /** The text that is demanded now; undefined: none is. */
  readonly secret?: DemandedSecret;
  readonly reflection: boolean;
  readonly handle: HandleCheck;
  readonly log: Log;
}

export interface Listener {
  readonly address: Address;
  /** What the health service says. */
  setServing(serving: boolean): void;
  /** New connections get this certificate and key; who is connected is asked to come again. Only where there is TLS. */
  renew?(tls: NonNullable<ListenerOptions['tls']>): void;
  /** Accepts nothing more, answers what is in flight, and ends what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/**
 * Above our own limit of 1 MiB (contract section 9), so that a request beyond it still gets its denial; bounded,
 * because a message is held in memory before anybody looks at it.
 */
export const MAX_RECEIVE_BYTES = 8 * 1024 * 1024;
