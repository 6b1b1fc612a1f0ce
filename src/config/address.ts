/**
 * Addresses to listen on: `unix:PATH` or `HOST:PORT` → Address. A relative socket path stays relative here. Refuses
 * abstract sockets, a port without a host, and names that only look like IPv4. It does not resolve names.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Address } from '../model/settings.js';
import { no } from './leaf.js';
import type { Leaf } from './leaf.js';
import { quote } from './words.js';

const PORT = /^(0|[1-9][0-9]{0,4})$/;
const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

export const anyAddress = (text: string): Leaf<Address> =>
  text.startsWith('unix:') ? unixAddress(text) : tcpAddress(text, 'unix:PATH or HOST:PORT');

export const adminAddress = (text: string): Leaf<Address | null> =>
  text === 'off' ? { value: null } : anyAddress(text);

export const probeAddress = (text: string): Leaf<Address | null> =>
  text === 'off' ? { value: null } : tcpAddress(text, 'HOST:PORT or off');

/**
 * Where a Workload API is (SPIFFE Workload Endpoint §4): `unix:PATH` or `tcp://IP:PORT`. An agent on another machine would
 * be believed without knowing who it is, so that TCP is for the loopback address alone.
 */
export function workloadApiAddress(text: string): Leaf<Address> {
  if (text.startsWith('unix:')) return unixAddress(text);
  const tcp = text.startsWith('tcp://') ? tcpAddress(text.slice('tcp://'.length), 'an address') : undefined;
  const address = tcp !== undefined && 'value' in tcp && tcp.value.kind === 'tcp' ? tcp.value : undefined;
  if (address === undefined || address.port === 0)
    return no(
      `expected unix:PATH or tcp://127.0.0.1:PORT, got ${quote(text)}`,
      'for example unix:/run/spire/agent.sock',
    );
  if (LOOPBACK.test(address.host)) return { value: address };
  return no(`expected a loopback address, got ${quote(text)}`, 'whoever answers there is believed: use a Unix socket');
}

const LOOPBACK = /^(127(\.[0-9]{1,3}){3}|::1)$/;

function unixAddress(text: string): Leaf<Address> {
  const path = pathBehind('unix:', text);
  if (path === undefined || path === '' || path.startsWith('@') || path.includes('\0'))
    return no(`expected unix:PATH, got ${quote(text)}`, 'PATH is a file path: unix:/run/firsthand/check.sock');
  return { value: { kind: 'unix', path } };
}

/** The path of `unix:PATH` or `file:PATH`, also written as a URL with an empty authority; undefined with another one. */
export function pathBehind(scheme: 'unix:' | 'file:', text: string): string | undefined {
  const rest = text.slice(scheme.length);
  if (!rest.startsWith('//')) return rest;
  return rest.startsWith('///') ? rest.slice(2) : undefined;
}

function tcpAddress(text: string, expected: string): Leaf<Address> {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, Math.max(0, colon));
  const port = text.slice(colon + 1);
  if (colon < 0 || !PORT.test(port) || Number(port) > 65_535)
    return no(`expected ${expected}, got ${quote(text)}`, 'for example 127.0.0.1:9191; a port is a number up to 65535');
  const bare = bareHost(host);
  if (bare === undefined) return no(`expected ${expected}, got ${quote(text)}`, hostHint(host));
  return { value: { kind: 'tcp', host: bare, port: Number(port) } };
}

/** A name or an address without brackets; undefined where it is neither. */
export function bareHost(host: string): string | undefined {
  if (host.startsWith('[') && host.endsWith(']')) return isIPv6(host.slice(1, -1)) ? host.slice(1, -1) : undefined;
  if (host.length > 253 || !host.split('.').every((label) => LABEL.test(label))) return undefined;
  return !/^[0-9.]+$/.test(host) || isIPv4(host) ? host : undefined;
}

function hostHint(host: string): string {
  if (host === '' || host === '*') return 'name the host: 127.0.0.1 for this pod only, 0.0.0.0 for everyone';
  if (host.includes(':')) return 'an IPv6 address stands in brackets: "[::1]:9191"';
  return 'HOST is a name, an IPv4 address, or an IPv6 address in brackets';
}
