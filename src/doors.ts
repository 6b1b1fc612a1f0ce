/** Where the guard is asked: all its listeners, and the secrets that they demand. Throws StartError. */
import { startHttpListener } from './admin/http.js';
import type { AdminSources, HttpListener } from './admin/http.js';
import type { Log } from './audit/log.js';
import type { Handle } from './handle.js';
import type { Address, ListenSettings } from './model/settings.js';
import { describe, StartError } from './start-error.js';
import { watchFile } from './state/watched-file.js';
import type { WatchedFile } from './state/watched-file.js';
import type { TlsMaterial } from './tls.js';
import { startLeanListener } from './wire/lean/listener.js';
import type { Listener, ListenerOptions } from './wire/listener.js';

export interface Doors {
  /** Of TCP listeners; told again and again. */
  renew(tls: TlsMaterial): void;
  readonly listeners: readonly Listener[];
  readonly pages: readonly HttpListener[];
}

export interface Behind extends Omit<AdminSources, 'token'> {
  readonly handle: Handle;
  readonly secret: (() => string | undefined) | undefined;
  readonly adminToken: (() => string | undefined) | undefined;
  /** Of the TCP listeners, as it is at the start. */
  readonly tls: TlsMaterial | undefined;
}

/** All listeners, or none. */
export async function openDoors(listen: ListenSettings, log: Log, behind: Behind): Promise<Doors> {
  const listeners: Listener[] = [];
  const pages: HttpListener[] = [];
  const warn = (message: string, facts?: object): void => log.warn(message, { ...facts });
  const grpc = {
    socketMode: listen.socketMode,
    reflection: listen.reflection,
    handle: behind.handle,
    log: warn,
    ...(behind.secret && { secret: behind.secret }),
  };
  const { readiness, policy, metrics, revoke, adminToken } = behind;
  const http = { token: () => adminToken?.(), readiness, policy, metrics, revoke, socketMode: listen.socketMode, log };
  try {
    for (const address of listen.check) {
      // Who may open a Unix socket is said by its file mode.
      const own = address.kind === 'tcp' && behind.tls !== undefined ? { ...grpc, tls: behind.tls } : grpc;
      const start = isLean(listen, address) ? startLeanListener : await loadGrpcJs();
      listeners.push(await start({ ...own, address }));
    }
    for (const [kind, address] of pageAddresses(listen))
      pages.push(await startHttpListener({ ...http, kind, address }));
    let shown = behind.tls;
    const renew = (tls: TlsMaterial): void => {
      if (tls !== shown) for (const listener of listeners) listener.renew?.(tls);
      shown = tls;
    };
    return { listeners, pages, renew };
  } catch (error) {
    await Promise.all([...listeners.map((listener) => listener.close(0)), ...pages.map((page) => page.close())]);
    throw new StartError(3, [describe(error)]);
  }
}

/** TLS and reflection are grpc-js's. */
const isLean = (listen: ListenSettings, address: Address): boolean =>
  address.kind === 'unix' && listen.transport === 'lean' && !listen.reflection;

/** Only where it is used: it costs more memory than the rest of the guard. */
const loadGrpcJs = async (): Promise<(options: ListenerOptions) => Promise<Listener>> =>
  (await import('./wire/grpc-server.js')).startGrpcListener;

const pageAddresses = ({ admin, health, metrics }: ListenSettings) =>
  (
    [
      ['admin', admin],
      ['health', health],
      ['metrics', metrics],
    ] as const
  ).flatMap(([kind, address]) => (address === null ? [] : [[kind, address] as const]));

export interface Secrets {
  readonly secret: (() => string | undefined) | undefined;
  readonly adminToken: (() => string | undefined) | undefined;
  readonly all: readonly WatchedFile<string>[];
}

/** Secrets in files: not empty, without the line break at their end; a changed one counts like any other file. */
export async function openSecrets(listen: ListenSettings, now: number): Promise<Secrets> {
  const open = async (file: string | null): Promise<WatchedFile<string> | undefined> => {
    if (file === null) return undefined;
    const watched = watchFile(file, readSecret, Infinity);
    await watched.poll(now, true);
    const problem = watched.problem();
    if (problem !== undefined) throw new StartError(2, [`${file}: ${problem}`]);
    return watched;
  };
  const secret = await open(listen.secretFile);
  const adminToken = await open(listen.adminTokenFile);
  return {
    secret: secret && (() => secret.current(now)),
    adminToken: adminToken && (() => adminToken.current(now)),
    all: [secret, adminToken].filter((file) => file !== undefined),
  };
}

function readSecret(content: string): { ok: true; value: string } | { ok: false; problem: string } {
  const value = content.replace(/\r?\n$/, '');
  return /^[\x21-\x7e]+$/.test(value)
    ? { ok: true, value }
    : { ok: false, problem: 'expected one line of printable ASCII without spaces' };
}
