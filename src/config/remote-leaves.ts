/** Parsers of what concerns sources elsewhere: their URLs, and the addresses that they may have. */
import { isIPv4, isIPv6 } from 'node:net';
import { no } from './leaf.js';
import type { Leaf } from './leaf.js';
import { quote } from './words.js';

export const isUrl = (text: string): boolean => /^https?:/i.test(text);

/** What stands in a URL before the host is a secret, and what stands behind # is never sent. */
export function httpsUrl(text: string): Leaf<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return no(`expected an https URL, got ${quote(text)}`, 'for example https://idp.example/keys');
  if (url.protocol !== 'https:')
    return no(`expected an https URL, got ${quote(text)}`, 'whoever is on the way could send other keys over http');
  if (url.username !== '' || url.password !== '')
    return no(
      'expected an https URL without a user or password',
      'keys and bundles are public; secrets do not belong here',
    );
  if (text.includes('#'))
    return no(`expected an https URL without a fragment, got ${quote(text)}`, 'leave out # and the rest');
  return { value: text };
}

/** CIDR (RFC 4632 §3.1, RFC 4291 §2.3), or one address. */
export function addressRange(text: string): Leaf<string> {
  const [address = '', prefix, ...more] = text.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : undefined;
  const right = prefix === undefined || (/^(0|[1-9][0-9]{0,2})$/.test(prefix) && Number(prefix) <= (bits ?? 0));
  if (bits !== undefined && right && more.length === 0) return { value: text };
  return no(`expected a range of addresses, got ${quote(text)}`, 'for example 10.1.0.0/16 or fd00:1::/32');
}
