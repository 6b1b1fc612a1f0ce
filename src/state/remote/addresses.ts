/**
 * Where an https source may be. In: an IP address as text, and the ranges that the operator lists. Out: whether a connection
 * to it may be opened. Public and loopback addresses always may; private, link-local and other special ones (RFC 6890) only
 * where they are listed: a URL that somebody else can bend must not reach a cloud's metadata service or a neighbour. An IPv6
 * address that carries an IPv4 address is judged by that one. Does NOT resolve names: the answer is for the very address
 * that is connected to (https.ts).
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

export type MayConnect = (address: string) => boolean;

/** RFC 6890 and its registry: IPv4 that no public host has. Loopback (127.0.0.0/8) is not among them. */
const SPECIAL_V4: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** Within 2000::/3, which is all that IANA has given out (RFC 4291 §2.4). */
const SPECIAL_V6: readonly string[] = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const special = listOf([...SPECIAL_V4, ...SPECIAL_V6]);
const global = listOf(['2000::/3']);
const loopback6 = listOf(['::1/128']);

export function mayConnect(allow: readonly string[]): MayConnect {
  const listed = listOf(allow);
  return (text) => {
    // A zone (RFC 4007 §11) says which link, not which address.
    const address = withoutMapping(text.split('%')[0] ?? '');
    if (isIPv4(address)) return !special.check(address, 'ipv4') || listed.check(address, 'ipv4');
    if (!isIPv6(address)) return false;
    if (listed.check(address, 'ipv6') || loopback6.check(address, 'ipv6')) return true;
    return global.check(address, 'ipv6') && !special.check(address, 'ipv6');
  };
}

/** What `keysAllow` may hold: `10.0.0.0/8`, `fd00::/8`, or one address. */
export function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** IPv4-mapped (RFC 4291 §2.5.5.2) and NAT64 (RFC 6052 §2.1) addresses lead to the IPv4 address in their last 32 bits. */
function withoutMapping(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  const head = groups.slice(0, 6).join(':');
  if (head !== '0:0:0:0:0:65535' && head !== '100:65435:0:0:0:0') return address;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** The eight 16-bit groups of a valid IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [left = '', right] = dottedAsGroups(address).split('::');
  const read = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [head, tail] = [read(left), read(right ?? '')];
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** `::ffff:10.0.0.1` → `::ffff:a00:1` (RFC 4291 §2.2, third form). */
const dottedAsGroups = (address: string): string =>
  address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
