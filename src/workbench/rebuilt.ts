/**
 * What an audit record leaves to be rebuilt: the route of today's policy, the chain as today's configuration walks it, and
 * what replay makes of the record. In: a record, the context. Does NOT verify anything: nobody can any more.
 */
import type { Findings } from '../model/decision.js';
import type { ForwardedElement } from '../model/evidence.js';
import { trustDomainOf } from '../model/ids.js';
import type { VerifiedOrigin } from '../model/origin.js';
import { readPath } from '../model/path.js';
import { matchesId } from '../model/patterns.js';
import type { Route } from '../model/policy.js';
import type { Reason } from '../model/reasons.js';
import type { Snapshot } from '../model/snapshot.js';
import { walkChain } from '../origin/chain.js';
import { fromAudit } from '../replay/from-audit.js';
import { rememberedOrigin, rememberedToken } from '../replay/remembered.js';
import type { Replayed } from '../replay/told.js';
import type { RecordedDecision } from './audit-file.js';
import type { StoryContext } from './story-context.js';

export interface Rebuilt {
  readonly record: RecordedDecision;
  readonly context: StoryContext;
  /** Undefined where path or method are not recorded, or no policy is loaded. */
  readonly route: Route | undefined;
  readonly origin: VerifiedOrigin | undefined;
  readonly guard: VerifiedOrigin['chain'][number] | undefined;
  /** What today's configuration has against the chain. */
  readonly broken: Problem | undefined;
  readonly today: Replayed;
}

interface Problem {
  readonly reason: Reason;
  readonly detail: string;
}

export function rebuild(record: RecordedDecision, context: StoryContext, snapshot: Snapshot): Rebuilt {
  const { settings, policy } = context;
  const reading = record.path === undefined ? undefined : readPath(record.path);
  const route =
    policy === undefined || record.method === undefined || reading?.ok !== true
      ? undefined
      : policy.route(record.method, reading.segments);
  const remembered = rememberedOrigin(record);
  const origin = remembered?.origin;
  const guard = remembered?.guard ?? settings.workload ?? undefined;
  return {
    record,
    context,
    route,
    origin,
    guard,
    broken: origin && chainProblem(origin, guard, context),
    today: fromAudit(record, { settings, snapshot }),
  };
}

/** Walks the recorded chain by today's configuration; no certificate is asked, and nothing is verified by it. */
function chainProblem(
  origin: VerifiedOrigin,
  guard: Rebuilt['guard'],
  { settings }: StoryContext,
): Problem | undefined {
  const hops = origin.kind === 'workload' ? [origin.id, ...origin.forwarders] : origin.forwarders;
  const peer = hops.at(-1);
  if (peer === undefined) return undefined;
  const elements = hops.slice(0, -1).map((id, index): ForwardedElement => {
    const by = hops[index + 1] ?? peer;
    return { by: [by], uri: [id], hash: undefined, cert: undefined, chain: undefined };
  });
  const walk = walkChain(peer, elements, settings.origin);
  if (!walk.ok) return walk;
  const strange = hops.find((id) => !settings.trust.has(trustDomainOf(id)));
  if (strange !== undefined)
    return { reason: 'peer_untrusted', detail: `the trust domain of ${strange} is not configured today` };
  if (walk.value.origin !== (origin.kind === 'workload' ? origin.id : undefined))
    return { reason: 'forwarder_not_allowed', detail: `today the origin would be ${walk.value.origin ?? 'outside'}` };
  const id = walk.value.origin;
  const silent = walk.value.forwarders.find(
    ({ origins }) =>
      id !== undefined && !origins.some((pattern) => matchesId(pattern, id, guard && trustDomainOf(guard))),
  );
  if (silent === undefined) return undefined;
  return { reason: 'forwarder_not_allowed', detail: `${silent.id} may not speak for ${id} today` };
}

/** Remembered, not verified: for words only. */
export function findingsOf({ record, context, route, origin }: Rebuilt): Findings {
  const remembered = rememberedToken(record, context.settings);
  const token = remembered.kind === 'token' ? remembered.token : undefined;
  return { ...(route && { route }), ...(origin && { origin }), ...(token && { token }) };
}
