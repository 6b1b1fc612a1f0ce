/**
 * A recorded check: what `serve --record` keeps of a CheckRequest, one JSON line each. Enough to decide it again without
 * any key: what was verified then is written down as verified. It holds no usable token (claims and a digest instead),
 * no query value, no header that no decision reads.
 */
import * as z from 'zod';
import { REASONS } from '../model/reasons.js';
import type { Reason } from '../model/reasons.js';

const reason = z.string().refine((text): text is Reason => Object.hasOwn(REASONS, text));
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const pair = z.tuple([z.string(), z.string()]);

const token = z.object({
  /** `authorization`, or a header's name. */
  place: z.string(),
  /** SHA-256 of what the place held; undefined where it held no token. */
  sha256: sha256.optional(),
  read: z.discriminatedUnion('as', [
    z.object({
      as: z.literal('token'),
      name: sha256,
      header: z.object({ alg: z.string(), typ: z.string().optional(), kid: z.string().optional() }),
      claims: z.record(z.string(), z.unknown()),
    }),
    z.object({ as: z.literal('nothing') }),
    z.object({ as: z.literal('refused'), reason }),
  ]),
});

/** What the check found out by verification, and replay takes its word for. */
const verified = z.object({
  /** SHA-256 of certificates from which a path led to a trusted root. */
  certificates: z.array(sha256),
  token: z.enum(['verified', 'bad signature', 'key unknown', 'not looked at']),
});

export const RecordedCheck = z.object({
  event: z.literal('check'),
  version: z.literal(1),
  id: z.string(),
  time: z.iso.datetime(),
  decision: z.enum(['allow', 'deny']),
  reason,
  shadow: reason.optional(),
  /** What failed where the reason, or the shadow, is `guardrail`. */
  cause: reason.optional(),
  rule: z.number().optional(),
  policy: z.string().optional(),
  request: z.object({
    principal: z.string(),
    /** As Envoy wrote it: percent-encoded PEM. */
    certificate: z.string(),
    destination: z.string(),
    method: z.string(),
    /** Without its query. */
    path: z.string(),
    host: z.string(),
    headers: z.array(pair),
  }),
  tokens: z.array(token),
  verified,
});

export type RecordedCheck = z.output<typeof RecordedCheck>;
export type RecordedToken = RecordedCheck['tokens'][number];
