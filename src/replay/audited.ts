/** The fields of an audit record that a decision can be made on again (contract section 7). */
import * as z from 'zod';
import { REASONS } from '../model/reasons.js';
import type { Reason } from '../model/reasons.js';

const reason = z.string().refine((text): text is Reason => Object.hasOwn(REASONS, text));

export const AuditedCheck = z.object({
  event: z.literal('decision'),
  id: z.string(),
  time: z.iso.datetime(),
  decision: z.enum(['allow', 'deny']),
  reason,
  detail: z.string().optional(),
  shadow: reason.optional(),
  rule: z.number().optional(),
  policy: z.string().optional(),
  origin: z.string().optional(),
  peer: z.string().optional(),
  chain: z.array(z.string()).optional(),
  scopes_held: z.array(z.string()).optional(),
  token: z.string().optional(),
  certificate: z.string().optional(),
  peer_certificate: z.string().optional(),
  issuer: z.string().optional(),
  subject: z.string().optional(),
  method: z.string().optional(),
  host: z.string().optional(),
  path: z.string().optional(),
});

export type AuditedCheck = z.output<typeof AuditedCheck>;
