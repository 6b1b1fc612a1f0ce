/** What the keys of `listen` demand of each other. It does not try the addresses: listening does. */
import { resolve } from 'node:path';
import type { Address } from '../../model/settings.js';
import { find, isAside } from '../node.js';
import type { Path } from '../node.js';
import type { Config } from '../schema.js';
import { quote } from '../words.js';
import type { Places } from './rule.js';

/** sun_path holds 108 bytes, one of them the end (unix(7)); a longer one is cut or refused by the system. */
const MAX_SOCKET_PATH = 107;

export function checkListen(config: Config, places: Places): void {
  const used = new Map<string, string>();
  for (const [path, address] of listeners(config, places)) {
    checkSocketPath(path, address, places);
    const text = addressText(address, places.folder);
    const other = used.get(text);
    if (other !== undefined) places.report(path, `the address ${quote(text)} is used twice`, `also by ${other}`);
    else if (!isAnyPort(address)) used.set(text, nameOf(path, places));
  }
  checkTcp(config, places);
}

/** Port 0: the system chooses, another one each time. */
const isAnyPort = (address: Address): boolean => address.kind === 'tcp' && address.port === 0;

function nameOf(path: Path, places: Places): string {
  const { node, exact } = find(places.tree, path);
  return exact ? node.name : `the default of ${path.slice(0, 2).join('.')}`;
}

function listeners(config: Config, places: Places): [Path, Address][] {
  const { check, admin, health, metrics } = config.listen;
  const found: [Path, Address][] = [];
  if (!isAside(places.tree, ['listen', 'check']))
    check.forEach((address, index) => found.push([['listen', 'check', index], address]));
  if (admin !== null && !isAside(places.tree, ['listen', 'admin'])) found.push([['listen', 'admin'], admin]);
  if (health !== null) found.push([['listen', 'health'], health]);
  if (metrics !== null) found.push([['listen', 'metrics'], metrics]);
  return found;
}

function addressText(address: Address, folder: string): string {
  switch (address.kind) {
    case 'unix':
      return `unix:${resolve(folder, address.path)}`;
    case 'tcp':
      return `${address.host.toLowerCase()}:${address.port}`;
  }
}

function checkSocketPath(path: Path, address: Address, places: Places): void {
  if (address.kind !== 'unix') return;
  const bytes = Buffer.byteLength(resolve(places.folder, address.path));
  if (bytes > MAX_SOCKET_PATH)
    places.report(
      path,
      `expected a socket path of at most ${MAX_SOCKET_PATH} bytes, got ${bytes}`,
      'use a shorter folder',
    );
}

function checkTcp(config: Config, places: Places): void {
  const { check, tls, secretFile, plaintext } = config.listen;
  if (tls !== null || secretFile !== null || plaintext) return;
  if (places.isTouched(['listen', 'tls'], ['listen', 'secretFile'], ['listen', 'plaintext'])) return;
  check.forEach((address, index) => {
    if (address.kind === 'tcp')
      places.report(
        ['listen', 'check', index],
        `expected a TCP listener to have tls, secretFile or plaintext, got ${quote(addressText(address, ''))} without any`,
        'add listen.tls, listen.secretFile or plaintext: true, or listen on unix:PATH',
      );
  });
}
