/**
 * A standing as it is sealed in the store. In: text that a holder of the secret wrote. Out: the standing, with the words of
 * the order where they were known to who wrote it: a guard that restores what a store lost may only know its digest.
 */
import { z } from 'zod';
import { REVOCATION_TYPES } from '../../model/revocation.js';
import type { RevocationOrder, RevocationType } from '../../model/revocation.js';
import { DIGEST_BYTES } from '../revocation/digest.js';
import type { Digest } from '../revocation/digest.js';
import { orderObject, readOrder } from '../revocation/order.js';
import type { Shape } from '../revocation/shapes.js';
import type { Standing } from '../revocation/table.js';

export interface SharedStanding extends Standing {
  readonly type: RevocationType;
  readonly digest: Digest;
  /** The order of the standing that it was made from; 0 where there was none. */
  readonly previous: number;
  readonly words: RevocationOrder | undefined;
  /** Of a pattern whose text is not known. */
  readonly shape: Shape | undefined;
}

const time = z.number().nullable();
const form = z.strictObject({
  k: z.enum(['revoke', 'unrevoke']),
  t: z.enum(REVOCATION_TYPES),
  d: z.string(),
  /** null: without end. */
  u: time,
  o: z.number(),
  p: z.number(),
  w: z.unknown().optional(),
  s: z.string().optional(),
});

export function standingText({ kind, type, digest, until, order, previous, words, shape }: SharedStanding): string {
  return JSON.stringify({
    ...{
      k: kind,
      t: type,
      d: digest.toString('base64url'),
      u: until === Infinity ? null : until,
      o: order,
      p: previous,
    },
    ...(words === undefined ? {} : { w: orderObject(words) }),
    ...(shape === undefined ? {} : { s: shape }),
  });
}

export function readStanding(text: string): SharedStanding | undefined {
  const parsed = form.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { k: kind, t: type, d, u, o: order, p: previous, w, s: shape } = parsed.data;
  const digest = Buffer.from(d, 'base64url');
  if (digest.length !== DIGEST_BYTES) return undefined;
  const words = w === undefined ? undefined : readOrder(w);
  return {
    kind,
    type,
    digest,
    until: u ?? Infinity,
    order,
    previous,
    words: words?.ok ? words.value : undefined,
    shape,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
