/**
 * A server of node:net or node:http → listening. In: the server, where, and the file mode of a Unix socket. Out: the actual
 * address. Refuses, with one sentence: a socket file that a living process answers on, a path that holds anything but a
 * socket, a missing directory, a path that is too long, a port that is taken. A socket file that a killed process left
 * behind is replaced. Does NOT see two starters that look at one dead socket file in the same moment, and does NOT judge
 * whether an address may be listened on without protection: that is configuration.
 */
import { chmodSync, lstatSync, statSync, unlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import type { Address } from '../model/settings.js';

/** With the port that the system chose where 0 was asked for. */
export async function listenOn(server: Server, address: Address, socketMode: number): Promise<Address> {
  await (address.kind === 'unix' ? listenOnPath(server, address.path, socketMode) : listenOnPort(server, address));
  return actualAddress(server, address);
}

function actualAddress(server: Server, asked: Address): Address {
  const actual = server.address();
  return asked.kind === 'unix' || actual === null || typeof actual === 'string'
    ? asked
    : { ...asked, port: actual.port };
}

function listenOnPort(server: Server, { host, port }: Extract<Address, { kind: 'tcp' }>): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(`${host}:${port}`, reasonOf(error))));
    server.listen({ host, port }, () => resolve());
  }).then(() => void server.removeAllListeners('error'));
}

/** sockaddr_un holds 108 bytes with the closing NUL; a longer path would be cut, and another file bound. */
const MAX_PATH_BYTES = 107;

async function listenOnPath(server: Server, path: string, mode: number): Promise<void> {
  const no = (why: string): Error => cannotListen(`unix:${path}`, why);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw no(`the path has more than ${MAX_PATH_BYTES} bytes`);
  const directory = dirname(path);
  if (!lookAt(directory, (at) => statSync(at))?.isDirectory()) throw no(`the directory ${directory} does not exist`);
  const existing = lookAt(path, (at) => lstatSync(at));
  if (existing !== undefined) {
    if (!existing.isSocket()) throw no('there is a file that is not a socket; move it away or choose another path');
    if (!(await isDead(path))) throw no('another process is listening there');
    unlinkSync(path);
  }
  await bindPath(server, path, mode, no);
}

/** Node binds a path before listen() returns, so the mask holds for exactly that long and the file is never wider. */
function bindPath(server: Server, path: string, mode: number, no: (why: string) => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(no(reasonOf(error))));
    server.once('listening', () => {
      server.removeAllListeners('error');
      resolve();
    });
    const before = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(before);
    }
    if (server.listening) setMode(server, path, mode, (error) => reject(no(reasonOf(error))));
  });
}

function setMode(server: Server, path: string, mode: number, fail: (error: Error) => void): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    server.close();
    fail(error as Error);
  }
}

function lookAt(path: string, how: (path: string) => Stats): Stats | undefined {
  try {
    return how(path);
  } catch {
    return undefined;
  }
}

/** Only a refused connection proves that nobody listens; a full queue or a missing right does not. */
function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

const cannotListen = (where: string, why: string): Error => new Error(`cannot listen on ${where}: ${why}`);

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the address is in use'],
  ['EACCES', 'this process does not have the right to'],
  ['EPERM', 'this process does not have the right to'],
  ['EADDRNOTAVAIL', 'this machine does not have the address'],
  ['ENOTFOUND', 'the name does not resolve'],
  ['EAI_AGAIN', 'the name does not resolve'],
]);

const reasonOf = (error: NodeJS.ErrnoException): string => REASONS.get(error.code ?? '') ?? error.message;
