/**
 * `firsthand revoke` and `firsthand unrevoke`: one order into the store that guards share, or else to the end of the
 * revocation file. Exit 0 where it is there; 2 for what could not be written, or could never be found.
 */
import { userInfo } from 'node:os';
import { formatConfigIssue, loadConfig } from '../config/load.js';
import { formatDuration, parseDuration } from '../model/duration.js';
import type { RevocationOrder, RevocationType } from '../model/revocation.js';
import type { Settings } from '../model/settings.js';
import { checkGuardrails } from '../policy/compile.js';
import { appendOrder } from '../state/revocation/append.js';
import { followRevocations } from '../state/revocation/file.js';
import { readOrder } from '../state/revocation/order.js';
import { createRevocations } from '../state/revocations.js';
import { complain, UNREADABLE } from './io.js';
import type { Io } from './io.js';

export interface RevokeOptions {
  readonly kind: 'revoke' | 'unrevoke';
  readonly config: string;
  readonly token?: string;
  readonly jti?: string;
  readonly subject?: string;
  readonly identity?: string;
  readonly certificate?: string;
  readonly serial?: string;
  readonly key?: string;
  readonly txn?: string;
  readonly issuer?: string;
  readonly trustDomain?: string;
  readonly for?: string;
  readonly reason?: string;
}

export async function revoke(options: RevokeOptions, io: Io): Promise<number> {
  const no = (problem: string): number => {
    complain(io, problem);
    return UNREADABLE;
  };
  const order = orderOf(options, io.now(), userName());
  if (typeof order === 'string') return no(order);
  const loaded = loadConfig(options.config, io.env, checkGuardrails);
  if (!loaded.ok) {
    for (const issue of loaded.issues) io.stderr(`${formatConfigIssue(issue)}\n`);
    return UNREADABLE;
  }
  const places = placesOf(loaded.settings);
  if (places.length === 0) return no(`${options.config}: there is nowhere to write it: set revocation.file or store`);
  try {
    for (const [where, write] of places) {
      if ((await write(order, io)) === 'not needed') continue;
      io.stdout(`${toldOf(order)}\n${where}\n`);
    }
    return 0;
  } catch (error) {
    return no(error instanceof Error ? error.message : String(error));
  }
}

/** Who ran it, for the record; a container may have no name for its user. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** Each type with its option. What needs an issuer comes first: alone `--issuer` means the whole issuer. */
const OPTIONS: readonly (readonly [RevocationType, keyof RevokeOptions & string, string])[] = [
  ['token', 'token', '--token'],
  ['jti', 'jti', '--jti'],
  ['subject', 'subject', '--subject'],
  ['identity', 'identity', '--identity'],
  ['certificate', 'certificate', '--certificate'],
  ['serial', 'serial', '--serial'],
  ['key', 'key', '--key'],
  ['txn', 'txn', '--txn'],
  ['trust_domain', 'trustDomain', '--trust-domain'],
];
const NAMES = `${OPTIONS.map(([, , flag]) => flag).join(', ')} or --issuer`;

/** The order, or what is wrong with the options. */
export function orderOf(options: RevokeOptions, now: number, by: string | undefined): RevocationOrder | string {
  const given = OPTIONS.filter(([, option]) => options[option] !== undefined);
  if (given.length > 1) return `expected one name, got ${given.map(([, , flag]) => flag).join(' and ')}`;
  const [type, option] = given[0] ?? ['issuer', 'issuer'];
  const value = options[option as 'issuer'];
  if (value === undefined) return `expected what to ${options.kind}: one of ${NAMES}`;
  if (type === 'token' && value.split('.').length === 3)
    return 'expected the name of the token (64 hexadecimal digits), got what looks like the token itself: "firsthand inspect token" tells its name';
  const life = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for !== undefined && (life === undefined || life === 0))
    return `--for: expected a duration such as 1h, got ${JSON.stringify(options.for)}`;
  if (life !== undefined && options.kind === 'unrevoke') return '--for: an unrevoke has no end; leave it out';
  const issuer = type === 'issuer' ? undefined : options.issuer;
  const read = readOrder({
    ...{ at: new Date(now).toISOString(), [options.kind]: type, value },
    ...(issuer === undefined ? {} : { issuer }),
    ...(life === undefined ? {} : { until: new Date(now + life).toISOString() }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    ...(by === undefined ? {} : { by }),
  });
  if (!read.ok) return read.problem;
  const needless = issuer !== undefined && read.value.revocation.issuer === undefined;
  return needless ? `--issuer: the name of a ${type} needs none; leave it out` : read.value;
}

type Write = (order: RevocationOrder, io: Io) => Promise<'written' | 'not needed'>;

/** Where an order is written, with how it counts. The file ends what it revokes itself, also where there is a store. */
function placesOf({ store, revocation }: Settings): readonly (readonly [string, Write])[] {
  const { file } = revocation;
  const inFile: Write = async (order) => {
    await appendOrder(file ?? '', order);
    return 'written';
  };
  if (store.kind === 'memory')
    return file === null ? [] : [[`written to ${file}; counts within a second at guards that read it`, inFile]];
  const inStore: Write = async (order) => {
    const { sendOrder } = await import('../state/redis/send-revocation.js');
    const problem = await sendOrder(store, order);
    if (problem !== undefined) throw new Error(`the store: ${problem}; nothing was written`);
    return 'written';
  };
  const told = 'written to the store; counts within a second at all guards that are connected';
  if (file === null) return [[told, inStore]];
  const ended: Write = async (order, io) =>
    order.kind === 'unrevoke' && (await isRevokedBy(file, order, io.now())) ? inFile(order, io) : 'not needed';
  return [
    [told, inStore],
    [`written to ${file} too, which revoked it`, ended],
  ];
}

async function isRevokedBy(file: string, { revocation }: RevocationOrder, now: number): Promise<boolean> {
  const index = createRevocations();
  const nothing = (): void => undefined;
  await followRevocations(file, index, { onChange: nothing, onProblems: nothing }).poll();
  return index.ownUntil(revocation) > now;
}

function toldOf({ kind, at, revocation }: RevocationOrder): string {
  const { type, value, issuer, until } = revocation;
  const of = issuer === undefined ? '' : ` of ${issuer}`;
  const span = until === Infinity ? 'without end' : `for ${formatDuration(until - at)}`;
  return kind === 'unrevoke' ? `unrevoked: ${type} ${value}${of}` : `revoked: ${type} ${value}${of}, ${span}`;
}
