/**
 * Step 3, the walk: from the peer to the left, only while the current identity is a listed forwarder.
 * In: the verified peer, the elements left of the own one. Out: the element of the origin, or outside.
 * Refuses: chain_broken, chain_too_long, forwarder_not_allowed. Does NOT look at anything left of the origin.
 */
import type { ForwardedElement } from '../model/evidence.js';
import { parseSpiffeId } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import { refuse, ok } from '../model/result.js';
import type { Result } from '../model/result.js';
import type { ForwarderSettings, OriginSettings } from '../model/settings.js';

export interface Walk {
  /** The first identity that is no forwarder; undefined where nobody stands behind the last forwarder. */
  readonly origin: SpiffeId | undefined;
  /** From the origin's side to the guard's. */
  readonly forwarders: readonly ForwarderSettings[];
  /** The elements that were read, from the origin's to the peer's side; the first is the origin's own where there is one. */
  readonly read: readonly ForwardedElement[];
  /** What stands left of the origin. */
  readonly ignored: readonly ForwardedElement[];
}

export function walkChain(
  peer: SpiffeId,
  elements: readonly ForwardedElement[],
  settings: OriginSettings,
): Result<Walk> {
  const forwarders: ForwarderSettings[] = [];
  const read: ForwardedElement[] = [];
  let current = peer;
  for (;;) {
    const forwarder = settings.forwarders.get(current);
    const ignored = elements.slice(0, elements.length - read.length);
    if (forwarder === undefined) return ok({ origin: current, forwarders, read, ignored });
    const before = forwarders[0];
    if (before !== undefined && !before.behind.has(current)) return notBehind(before.id, current);
    forwarders.unshift(forwarder);
    if (forwarders.length > settings.maxHops) {
      return refuse(
        'chain_too_long',
        `more than ${settings.maxHops} forwarders`,
        `at most ${settings.maxHops} proxies may stand between`,
      );
    }
    const next = ignored.at(-1);
    if (next === undefined) return ok({ origin: undefined, forwarders, read, ignored });
    const behind = identityBehind(next, current);
    if (!behind.ok) return behind;
    read.unshift(next);
    current = behind.value;
  }
}

/** Who the element names, if the forwarder wrote it. */
function identityBehind(element: ForwardedElement, forwarder: SpiffeId): Result<SpiffeId> {
  if (element.by.length !== 1 || element.by[0] !== forwarder) {
    return refuse(
      'chain_broken',
      `an element's By is not ${forwarder}`,
      `the element that ${forwarder} should have written is missing`,
    );
  }
  const id = element.uri.length === 1 ? parseSpiffeId(element.uri[0] ?? '') : undefined;
  if (id === undefined) {
    return refuse(
      'chain_broken',
      `the element of ${forwarder} does not name exactly one SPIFFE ID`,
      `${forwarder} must forward the URI of its caller (set_current_client_cert_details.uri)`,
    );
  }
  return ok(id);
}

const notBehind = (nearer: SpiffeId, farther: SpiffeId): Result<Walk> =>
  refuse(
    'forwarder_not_allowed',
    `${farther} may not stand behind ${nearer}`,
    `list ${farther} in behind of the forwarder ${nearer}`,
  );
