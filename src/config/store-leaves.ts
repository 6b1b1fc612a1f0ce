/**
 * `store`: the word memory, a URL, or a mapping with a URL and the files beside it. Out: where the store is. Refuses
 * credentials in the URL, and a connection in the clear to any host but this one. It reads no file.
 */
import * as z from 'zod';
import { bareHost } from './address.js';
import { describe } from './describe.js';
import { leaf, no, withHint } from './leaf.js';
import type { Leaf } from './leaf.js';
import { fileName } from './leaves.js';
import { section } from './pieces.js';
import { quote, shown } from './words.js';

interface StoreUrl {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
}

export type StoreConfig =
  | { readonly kind: 'memory' }
  | (StoreUrl & {
      readonly kind: 'redis';
      readonly ca: string | null;
      readonly usernameFile: string | null;
      readonly passwordFile: string | null;
      readonly keyFile: string | null;
    });

const EXAMPLE = 'for example rediss://redis.prod.example:6379/0';
/** Redis' own default; a database is a small number, 16 of them where nobody says otherwise. */
const DEFAULT_PORT = 6379;
const URL_FORM = /^(rediss?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_.-]{1,253})(?::([0-9]{1,5}))?(?:\/([0-9]{1,4})?)?$/i;

function storeUrl(text: string): Leaf<StoreUrl> {
  if (/^rediss?:\/\/[^/]*@/i.test(text))
    return no(`expected no credentials in the URL, got ${quote(text)}`, 'put them into usernameFile and passwordFile');
  const [, scheme = '', rawHost = '', port, database] = URL_FORM.exec(text) ?? [];
  const host = bareHost(rawHost.toLowerCase());
  const number = Number(port ?? DEFAULT_PORT);
  if (host === undefined || number === 0 || number > 65_535)
    return no(`expected redis:// or rediss://HOST:PORT/DB, got ${quote(text)}`, EXAMPLE);
  const tls = scheme.toLowerCase() === 'rediss';
  if (!tls && !isLoopback(host))
    return no(`expected rediss://, or redis:// to a loopback address, got ${quote(text)}`, EXAMPLE);
  return { value: { host, port: number, database: Number(database ?? 0), tls } };
}

/** Addresses alone, and the one name that the system itself keeps there (RFC 6761 §6.3). */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.(?:[0-9]{1,3}\.){2}[0-9]{1,3}$/.test(host);

const orNull = <T extends z.ZodType>(type: T) => type.nullable().prefault(null as z.input<T> | null);
const file = leaf(fileName);
const mapping = section({
  url: leaf(storeUrl),
  ca: orNull(file),
  usernameFile: orNull(file),
  passwordFile: orNull(file),
  keyFile: orNull(file),
});

const NO_FILES = { ca: null, usernameFile: null, passwordFile: null, keyFile: null };
const error = (issue: z.core.$ZodRawIssue) =>
  withHint(`expected memory, a URL or a mapping with one, got ${shown(issue.input)}`, EXAMPLE);
const schemaOf = () => z.toJSONSchema(mapping, { io: 'input' });

/** The mapping is read by a schema of its own, so that each mistake in it is told with its place. */
export const store = z
  .union([z.string(), z.record(z.string(), z.unknown()).meta({ ...schemaOf(), $schema: undefined })], { error })
  .transform((input, context): StoreConfig => {
    if (input === 'memory') return { kind: 'memory' };
    const read = mapping.safeParse(typeof input === 'string' ? { url: input } : input, { error: describe });
    if (read.success) {
      const { url, ...files } = read.data;
      return { kind: 'redis', ...url, ...NO_FILES, ...files };
    }
    for (const issue of read.error.issues) {
      const path = typeof input === 'string' ? [] : issue.path;
      context.issues.push({ ...issue, path, input } as z.core.$ZodRawIssue);
    }
    return z.NEVER;
  });
