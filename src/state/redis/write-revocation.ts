/**
 * One order into the store. In: an order, and a way to ask. Out: the standing that it made there, or a problem. The store's
 * own clock says which of two orders about one name came later; an order is always later than what it finds.
 */
import type { RevocationOrder } from '../../model/revocation.js';
import { digestOf } from '../revocation/digest.js';
import type { Digest } from '../revocation/digest.js';
import type { Standing } from '../revocation/table.js';
import type { Ask } from './client.js';
import { lookAt, putStanding } from './revocation-scripts.js';
import { readStanding, standingText } from './revocation-text.js';
import type { SharedStanding } from './revocation-text.js';
import type { Seal } from './seal.js';

export type Written =
  { readonly ok: true; readonly standing: SharedStanding } | { readonly ok: false; readonly problem: string };

/** Two operators about one name at once. */
const MAX_TURNS = 5;

export const fieldOf = (seal: Seal, digest: Digest): string => seal.nameOf('revoked', digest.toString('base64url'));

export const openStanding = (seal: Seal, field: string, sealed: string): SharedStanding | undefined => {
  const text = seal.open(field, sealed);
  return text === undefined ? undefined : readStanding(text);
};

/** `known`: what the writer knows of the name, where the store may have lost it. */
export async function writeOrder(ask: Ask, seal: Seal, order: RevocationOrder, known?: Standing): Promise<Written> {
  const digest = digestOf(order.revocation);
  const field = fieldOf(seal, digest);
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const looked = await ask(...lookAt(field));
    if (!looked.ok) return looked;
    const [time, held = ''] = listOf(looked.value);
    const before = held === '' ? undefined : openStanding(seal, field, held);
    if (held !== '' && before === undefined) return unreadable;
    const standing = nextStanding(order, digest, later(before, known), Number(time));
    const put = { field, expected: held, value: seal.seal(field, standingText(standing)), ends: standing.until };
    const reply = await ask(...putStanding(put));
    if (!reply.ok) return reply;
    if (listOf(reply.value)[0] === 'written') return { ok: true, standing };
  }
  return { ok: false, problem: 'the name was revoked and unrevoked again and again' };
}

export const unreadable = {
  ok: false,
  problem: 'a revocation in it can not be read; do all guards have the same keyFile?',
} as const;

export const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

const later = (a: Standing | undefined, b: Standing | undefined): Standing | undefined =>
  a === undefined || (b !== undefined && b.order > a.order) ? b : a;

/** Never shorter than what is in force. An unrevoke is remembered as long as what it ended could come back. */
export function nextStanding(
  words: RevocationOrder,
  digest: Digest,
  before: Standing | undefined,
  time: number,
): SharedStanding {
  const { kind, revocation } = words;
  const order = Math.max(time, (before?.order ?? 0) + 1);
  const longest = before?.kind === 'revoke' ? Math.max(before.until, revocation.until) : revocation.until;
  const until = kind === 'revoke' ? longest : (before?.until ?? Infinity);
  const { type } = revocation;
  return { kind, type, digest, until, order, previous: before?.order ?? 0, words, shape: undefined };
}
